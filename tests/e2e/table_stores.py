"""ObjectStores, the Secrets with their credentials, and the marks by which a store is known again: each act on a store of its own."""

import json
from collections.abc import Callable
from typing import Any

from tests.e2e import table_deeds as d
from tests.e2e import table_eye as eye
from tests.e2e import table_s3 as s3s
from tests.e2e.table_acts import WIDE, then, tried
from tests.e2e.table_deeds import patch
from tests.e2e.table_eye import GROUP, Manifest, Picture, picture_bucket, picture_object, picture_user
from tests.e2e.table_mesh import Table
from tests.e2e.table_spaces import drop_finalizer, lose_status
from tests.e2e.table_words import LEFT, LOOK, REFUSED, REPAIRED, RESTORED, TAKEN_OFF, WAITS, Act, Cell, Deed, Outcome, Scene

STORE, CREDENTIALS, MARK, MARKER = "ObjectStore", "Secret of a store's credentials", "The mesh's bucket", "The mesh's marker user"
NAMESPACE = "clouddatamesh-system"
IN_USE = Outcome("It waits for those who use it, and nothing is taken", LOOK, told=True, whole=False)
KEPT_STATUS = Outcome("The store is known again by its own marks; the keys stay", LOOK)


def sight(table: Table, cell: Cell) -> Picture:
    return picture_object(table.eye.get("objectstore", cell.scene.name))


def mesh_bucket(table: Table, cell: Cell) -> str:
    return str(table.read("objectstore", cell.scene.name)["status"]["bucket"])


def sight_of_mark(table: Table, cell: Cell) -> Picture:
    found = table.eye.get("objectstore", cell.scene.name).get("status", {})
    return picture_bucket(table.store, table.kept.setdefault(f"mark of {cell.scene.name}", found.get("bucket")))


def sight_of_marker(table: Table, cell: Cell) -> Picture:
    found = table.eye.get("objectstore", cell.scene.name).get("status", {})
    return picture_user(table.store, table.kept.setdefault(f"marker of {cell.scene.name}", found.get("marker")))


def nothing_to_see(_table: Table, _cell: Cell) -> Picture:
    return Picture()


def a_cell(object_: str) -> Callable[..., Cell]:
    """A cell on a store with a product that somebody reads."""

    def cell(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
        looks = {STORE: sight, MARK: sight_of_mark, MARKER: sight_of_marker}
        look = more.pop("sees", looks.get(object_, nothing_to_see))
        return Cell(object_, act, what, Scene(name, kind="store"), comes, does, look, **{"teller": "objectstore", **more})

    return cell


def credentials(change: dict[str, Any]) -> Deed:
    def act(table: Table, cell: Cell) -> None:
        words = ("secret", f"{cell.scene.name}-s3", "-n", NAMESPACE)
        table.kubectl("patch", *words, "--type=merge", "-p", json.dumps(change))

    return act


def delete_credentials(table: Table, cell: Cell) -> None:
    table.kubectl("delete", "secret", f"{cell.scene.name}-s3", "-n", NAMESPACE)


def give_credentials(table: Table, cell: Cell) -> None:
    table.installed.give_credentials(table.store, f"{cell.scene.name}-s3")


def give_strangers(table: Table, cell: Cell) -> None:
    """Of another account of the same store."""
    table.installed.give_credentials(table.stranger, f"{cell.scene.name}-s3")


def on_mark(change: Any) -> Deed:
    """The tags of the mesh's own bucket."""

    def act(table: Table, cell: Cell) -> None:
        s3, name = eye.client(table.store, "s3"), mesh_bucket(table, cell)
        tags = s3s.tags_of(s3, name)
        table.kept[cell.id] = tags
        s3s.put_tags(s3, name, change(tags))

    return act


def mark_again(table: Table, cell: Cell) -> None:
    s3s.put_tags(eye.client(table.store, "s3"), mesh_bucket(table, cell), table.kept[cell.id])


def delete_mark(table: Table, cell: Cell) -> None:
    s3, name = eye.client(table.store, "s3"), mesh_bucket(table, cell)
    table.kept[cell.id] = s3s.tags_of(s3, name)
    s3.delete_bucket(Bucket=name)


def make_mark(table: Table, cell: Cell) -> None:
    eye.client(table.store, "s3").create_bucket(Bucket=mesh_bucket(table, cell))
    mark_again(table, cell)


def deny_mark(table: Table, cell: Cell) -> None:
    name = mesh_bucket(table, cell)
    said: Manifest = {
        "Sid": "office",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetBucketTagging",
        "Resource": f"arn:aws:s3:::{name}",
    }
    s3s.add_statement(eye.client(table.store, "s3"), name, said)


def allow_mark(table: Table, cell: Cell) -> None:
    eye.client(table.store, "s3").delete_bucket_policy(Bucket=mesh_bucket(table, cell))


def marker(table: Table, cell: Cell) -> str:
    return str(table.kept[f"marker of {cell.scene.name}"])


def delete_marker(table: Table, cell: Cell) -> None:
    eye.client(table.store, "iam").delete_user(UserName=marker(table, cell))


def widen_marker(table: Table, cell: Cell) -> None:
    """Somebody gives rights and a key to a user that has none."""
    iam, name = eye.client(table.store, "iam"), marker(table, cell)
    iam.put_user_policy(UserName=name, PolicyName="mine", PolicyDocument=json.dumps(WIDE))


def move_away(table: Table, cell: Cell) -> None:
    """Its endpoint leads to another store, whose key is the same by chance or not."""
    patch({"spec": {"endpointUrl": table.twin.endpoint}})(table, cell)


def move_back(table: Table, cell: Cell) -> None:
    patch({"spec": {"endpointUrl": table.store.endpoint}})(table, cell)


def vanish_and_restore(table: Table, cell: Cell) -> None:
    made = d.backup(table.read("objectstore", cell.scene.name))
    d.delete(table, cell)
    d.strip(table, cell)
    d.replace_object(table, made)


def restore_credentials(table: Table, cell: Cell) -> None:
    delete_credentials(table, cell)
    give_credentials(table, cell)


def make_bare_mark(table: Table, cell: Cell) -> None:
    delete_mark(table, cell)
    eye.client(table.store, "s3").create_bucket(Bucket=mesh_bucket(table, cell))


def give_key(table: Table, cell: Cell) -> None:
    """The eye counts keys of a user that needs none."""
    eye.client(table.store, "iam").create_access_key(UserName=marker(table, cell))


def sight_of_keys(table: Table, cell: Cell) -> Picture:
    seen = sight_of_marker(table, cell)
    return Picture((seen.ours, len(eye.client(table.store, "iam").list_access_keys(UserName=marker(table, cell))["AccessKeyMetadata"])))


BAD = {"data": {"secret-access-key": "eA=="}}
CORRECTED = {"undoes": give_credentials, "cause": "it is corrected"}
PUT_BACK = {"undoes": mark_again, "cause": "the tags are put back"}
STORES = (
    a_cell(STORE)(Act.ADD, "a label and an annotation", "st-labelled", LEFT, then(d.add_label, d.add_annotation)),
    a_cell(STORE)(Act.EDIT, "spec.bucketPrefix is another", "st-prefix", REFUSED, tried(patch({"spec": {"bucketPrefix": "other"}}))),
    a_cell(STORE)(Act.EDIT, "spec.endpointUrl leads to another store", "st-moved", WAITS, move_away, undoes=move_back,
           cause="it is set back", reason="NotTheSameStore CredentialsInvalid"),
    a_cell(STORE)(Act.EDIT, "the status is lost", "st-forgotten", KEPT_STATUS, lose_status),
    a_cell(STORE)(Act.HOLD, "ours is removed", "st-unheld", REPAIRED, drop_finalizer),
    a_cell(STORE)(Act.HOLD, "one of one's own is added", "st-held", LEFT, d.hold_for_good),
    a_cell(STORE)(Act.DELETE, "while products use it", "st-deleted", IN_USE, d.delete, undoes=lambda _table, _cell: None,
           cause="nothing", reason="InUse"),
    a_cell(STORE)(Act.COPY, "under another name", "st-copied", LEFT, d.copy()),
    a_cell(STORE)(Act.RESTORE, "without status, as another object", "st-restored", KEPT_STATUS, vanish_and_restore),
    a_cell(CREDENTIALS)(Act.ADD, "a label and a field", "st-labelled", LEFT,
           credentials({"metadata": {"labels": {d.MINE: "yes"}}, "data": {"theirs": "eA=="}})),
    a_cell(CREDENTIALS)(Act.IMMUTABLE, "as it is", "st-held", LEFT, credentials({"immutable": True})),
    a_cell(CREDENTIALS)(Act.RESTORE, "deleted and recreated at once", "st-forgotten", LEFT, restore_credentials),
    a_cell(CREDENTIALS)(Act.HOLD, "one more is added", "st-unheld", LEFT, credentials({"metadata": {"finalizers": [d.MINE]}})),
    a_cell(CREDENTIALS)(Act.EDIT, "its key is wrong", "st-secret-wrong", WAITS, credentials(BAD), **CORRECTED, reason="CredentialsInvalid"),
    a_cell(CREDENTIALS)(Act.DELETE, "by hand", "st-secret-deleted", WAITS, delete_credentials, **CORRECTED, reason="CredentialsMissing"),
    a_cell(CREDENTIALS)(Act.HAND, "its key is of another account", "st-secret-other", WAITS, give_strangers, **CORRECTED,
           reason="NotTheSameStore"),
    a_cell(MARK)(Act.DELETE, "all its tags are deleted", "st-unheld", RESTORED, on_mark(lambda _: {"team": "kim"})),
    a_cell(MARK)(Act.ADD, "a tag is added", "st-labelled", LEFT, on_mark(lambda tags: {**tags, "team": "kim"})),
    a_cell(MARK)(Act.HAND, "its tags name another cluster", "st-mark-cluster", WAITS,
           on_mark(lambda tags: {**tags, f"{GROUP}/cluster": "another"}), **PUT_BACK, reason="StoreInUseByOtherCluster"),
    a_cell(MARK)(Act.RELABEL, "its tags name another store", "st-mark-store", WAITS,
           on_mark(lambda tags: {**tags, f"{GROUP}/store-id": "another"}), **PUT_BACK, reason="NotTheSameStore"),
    a_cell(MARK)(Act.DELETE, "with the bucket", "st-mark-deleted", WAITS, delete_mark, undoes=make_mark, cause="it is restored",
           reason="NotTheSameStore"),
    a_cell(MARK)(Act.REMAKE, "with the bucket, and somebody makes one of the name, without tags", "st-mark-remade", RESTORED,
           make_bare_mark),
    a_cell(MARK)(Act.TAKE, "a bucket policy denies the operator to read it", "st-mark-unread", WAITS, deny_mark, undoes=allow_mark,
           cause="the statement is removed", reason="AccessDenied"),
    a_cell(MARKER)(Act.DELETE, "while users of the store are there", "st-prefix", RESTORED, delete_marker),
    a_cell(MARKER)(Act.ADD, "it gets a key", "st-labelled", TAKEN_OFF, give_key, sees=sight_of_keys),
    a_cell(MARKER)(Act.WIDEN, "it gets a policy that allows everything", "st-held", TAKEN_OFF, widen_marker),
)  # fmt: skip
