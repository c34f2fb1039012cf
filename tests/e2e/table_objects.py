"""The mesh's own objects: what people and backup tools do to products, requests, grants and inboxes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.e2e import table_deeds as d
from tests.e2e.table_acts import on_bucket, on_user, then, tried
from tests.e2e.table_bucket import sight as sight_of_bucket
from tests.e2e.table_deeds import backup, patch
from tests.e2e.table_eye import Picture, picture_object, picture_user
from tests.e2e.table_mesh import USERS, Table, Trace
from tests.e2e.table_spaces import drop_finalizer, lose_status
from tests.e2e.table_users import MANAGED
from tests.e2e.table_words import (
    AT_ONCE,
    COMES_BACK,
    ENDS,
    LEFT,
    LOOK,
    REFUSED,
    REPAIRED,
    RESTORED,
    RETURNS,
    TAKEN_OFF,
    Act,
    Cell,
    Deed,
    Key,
    Outcome,
    Scene,
)

TENANT = ("--as=kim", "--as-group=makers-owners", "--as-group=users-owners", "--as-group=system:authenticated")
KEPT_STATUS = Outcome("What is in the store and the cluster is found again; the keys stay", LOOK)
NOTHING = Outcome("It is given nothing", LOOK)
GOES_ON = Outcome("Access goes on, or begins again", LOOK, Key.BACK)
REMADE = Outcome("The operator recreates it", AT_ONCE)


def sight(table: Table, cell: Cell) -> Picture:
    return picture_object(table.eye.get(*d.place_of(cell)))


def sight_of_request(table: Table, cell: Cell) -> Picture:
    """What the consumer has, by which grant does not matter."""
    return picture_object(table.eye.get("accessrequest", cell.scene.name, USERS))


def sight_of_inbox(table: Table, cell: Cell) -> Picture:
    found = table.eye.get(*d.place_of(cell)).get("status", {})
    return Picture({name: found.get(name) for name in ("consumerCount", "pendingCount", "consumers")})


def a_cell(object_: str) -> Callable[..., Cell]:
    """A cell on one of the objects of a product that somebody reads."""

    def cell(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Cell:
        asks = bool(more.pop("asks", True))
        teller = {"DataProduct": "dataproduct", "AccessInbox": "dataproduct"}.get(object_, "accessrequest")
        look = more.pop("sees", sight_of_inbox if object_ == INBOX else sight)
        return Cell(
            object_, act, what, Scene(name, place=more.pop("place", "makers"), asks=asks), comes, does, look, **{"teller": teller, **more}
        )

    return cell


def vanish_and_restore(*, status: bool = False) -> Any:
    """Restored by a backup tool: the object vanished with every finalizer, and is there again under another uid."""

    def act(table: Table, cell: Cell) -> None:
        found = table.read(*d.place_of(cell))
        d.strip(table, cell)
        d.replace_object(table, backup(found))
        if status:
            change = json.dumps({"status": found["status"]})
            kind, name, namespace = d.place_of(cell)
            words = ("patch", kind, name, "-n", namespace, "--subresource=status", "--type=merge", "-p", change)
            table.kubectl(*words, *d.BREAK_GLASS)

    return act


def given_nothing(table: Table, cell: Cell) -> None:
    """The copy has no grant of its own: no user is made for it."""
    table.expect(cell, Trace("accessrequest", f"{cell.scene.name}-copy", USERS, ("status", "principal"), None))


def rename_grant(table: Table, cell: Cell) -> None:
    """In Git: the new one comes with the commit in which the old one goes."""
    place = d.place_of(cell)
    d.create(table, backup(table.read(*place), name=f"{cell.scene.name}-renamed", finalizers=[]))
    d.delete(table, cell)


def give_back_and_delete(table: Table, cell: Cell) -> None:
    """The consumer gives its access back, for which the product's deletion waits."""
    table.kubectl("delete", "accessrequest", cell.scene.name, "-n", USERS, "--wait=false")


def copy_product(table: Table, cell: Cell) -> None:
    """The copy is a product of its own, with a Secret of its own."""
    made = backup(table.read(*d.place_of(cell)), name=f"{cell.scene.name}-copy")
    d.create(table, {**made, "spec": {**made["spec"], "producer": {"secretName": f"{cell.scene.name}-copy-producer"}}})


def widen_frozen(table: Table, cell: Cell) -> None:
    """The request itself cannot be written, and its user gets more rights."""
    d.freeze(table, cell)
    user = replace(cell, whose="consumer")
    on_user("attach_user_policy", PolicyArn=MANAGED)(table, user)


def sight_of_user(table: Table, cell: Cell) -> Picture:
    return picture_user(table.store, table.held[cell.scene.name].users["consumer"])


def is_back(table: Table, cell: Cell) -> bool:
    """The namespace was made again by its Domain, and the operator may keep Secrets in it."""
    namespace = table.read("namespace", cell.scene.place)
    lives = bool(namespace) and "deletionTimestamp" not in namespace["metadata"]
    return lives and bool(table.read("rolebinding", "clouddatamesh-operator", cell.scene.place))


def apply_into_new(table: Table, cell: Cell) -> None:
    table.until(lambda: is_back(table, cell), "the namespace is there again")
    d.apply("DataProduct")(table, cell)


deny = patch({"spec": {"decision": "Deny"}})
delete_namespace = d.of("namespace", lambda cell: cell.scene.place, "delete", "--wait=false")
immutable_storage = patch({"spec": {"storage": {"storeRef": {"name": "lost"}}}})
freeze_and_suspend = then(d.freeze, on_bucket("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}))
status_of_tenant = patch({"status": {"conditions": []}}, "--subresource=status", *TENANT)
PRODUCT, REQUEST, GRANT, INBOX = "DataProduct", "AccessRequest", "AccessGrant", "AccessInbox"
WAITS_FOR_READERS = Outcome(
    "It waits for those who use it, and nothing is taken; then it goes, and data stays", LOOK, Key.ENDED, told=True, whole=False
)
HELD_ENDS = Outcome("Access ends although the object is held; data stays", LOOK, Key.ENDED, whole=False)
OBJECTS = (
    a_cell(PRODUCT)(Act.ADD, "a label and an annotation", "dp-labelled", LEFT, then(d.add_label, d.add_annotation)),
    a_cell(PRODUCT)(Act.EDIT, "spec.storage.storeRef names another store", "dp-store", REFUSED, tried(immutable_storage)),
    a_cell(PRODUCT)(Act.EDIT, "somebody of its team writes its status", "dp-status", REFUSED, tried(status_of_tenant)),
    a_cell(PRODUCT)(Act.EDIT, "the status is lost", "dp-forgotten", KEPT_STATUS, lose_status),
    a_cell(PRODUCT)(Act.HOLD, "ours is removed", "dp-unheld", REPAIRED, drop_finalizer),
    a_cell(PRODUCT)(Act.HOLD, "one of one's own is added", "dp-held", LEFT, d.hold_for_good),
    a_cell(PRODUCT)(Act.HOLD, "one of one's own is added, and it is deleted", "dp-held-deleted", HELD_ENDS,
           then(d.hold, d.delete), asks=False),
    a_cell(PRODUCT)(Act.DELETE, "with deletionPolicy Retain", "dp-deleted", ENDS, d.delete, asks=False),
    a_cell(PRODUCT)(Act.DELETE, "while somebody reads it", "dp-used", WAITS_FOR_READERS, d.delete, undoes=give_back_and_delete,
           cause="the request is deleted", reason="InUse"),
    a_cell(PRODUCT)(Act.COPY, "under another name", "dp-copied", LEFT, copy_product),
    a_cell(PRODUCT)(Act.DELETE, "with its namespace; then applied again", "dp-swept", RETURNS, delete_namespace, place="dp-swept",
           asks=False, undoes=apply_into_new, cause="it is applied again"),
    a_cell(PRODUCT)(Act.LIMIT, "the namespace may have none", "dp-counted", LEFT, d.no_more("count/dataproducts.clouddatamesh.dev"),
           place="dp-counted"),
    a_cell(PRODUCT)(Act.REMAKE, "deleted; then applied again", "dp-remade", RETURNS, d.delete_and_wait, asks=False,
           undoes=d.apply("DataProduct"), cause="it is applied again", reason=""),
    a_cell(PRODUCT)(Act.RESTORE, "without status, as another object", "dp-restored", COMES_BACK, vanish_and_restore(), asks=False),
    a_cell(PRODUCT)(Act.RESTORE, "with its old status, as another object", "dp-restored-status", COMES_BACK,
           vanish_and_restore(status=True), asks=False),
    a_cell(PRODUCT)(Act.REFUSE, "admission refuses the operator to change it, and its versioning is suspended", "dp-frozen", RESTORED,
           freeze_and_suspend, sees=sight_of_bucket),
    a_cell(REQUEST)(Act.ADD, "a label and an annotation", "rq-labelled", LEFT, then(d.add_label, d.add_annotation)),
    a_cell(REQUEST)(Act.EDIT, "spec.mode is another", "rq-mode", REFUSED, tried(patch({"spec": {"mode": "ReadWrite"}}))),
    a_cell(REQUEST)(Act.EDIT, "somebody of its team writes its status", "rq-status", REFUSED, tried(status_of_tenant)),
    a_cell(REQUEST)(Act.EDIT, "the status is lost", "rq-forgotten", KEPT_STATUS, lose_status),
    a_cell(REQUEST)(Act.HOLD, "ours is removed", "rq-unheld", REPAIRED, drop_finalizer),
    a_cell(REQUEST)(Act.HOLD, "one of one's own is added, and it is deleted", "rq-held-deleted", HELD_ENDS, then(d.hold, d.delete),
           whose="consumer"),
    a_cell(REQUEST)(Act.DELETE, "by hand", "rq-deleted", ENDS, d.delete, whose="consumer"),
    a_cell(REQUEST)(Act.REMAKE, "deleted; then applied again while its grant is there", "rq-remade", RETURNS, d.delete_and_wait,
           whose="consumer", undoes=d.apply(REQUEST), cause="it is applied again"),
    a_cell(REQUEST)(Act.RESTORE, "without status, as another object", "rq-restored", COMES_BACK, vanish_and_restore(), whose="consumer"),
    a_cell(REQUEST)(Act.RESTORE, "with its old status, as another object", "rq-restored-status", COMES_BACK,
           vanish_and_restore(status=True), whose="consumer"),
    a_cell(REQUEST)(Act.REFUSE, "admission refuses the operator to change it, and its user gets more rights", "rq-frozen", TAKEN_OFF,
           widen_frozen, sees=sight_of_user),
    a_cell(REQUEST)(Act.COPY, "under another name", "rq-copied", NOTHING, then(d.copy(), given_nothing)),
    a_cell(GRANT)(Act.ADD, "a label and an annotation", "gr-labelled", LEFT, then(d.add_label, d.add_annotation)),
    a_cell(GRANT)(Act.EDIT, "spec.mode is another", "gr-mode", REFUSED, tried(patch({"spec": {"mode": "ReadWrite"}}))),
    a_cell(GRANT)(Act.EDIT, "spec.decision becomes Deny", "gr-denied", ENDS, deny, whose="consumer"),
    a_cell(GRANT)(Act.REFUSE, "admission refuses the operator to change it, and spec.decision becomes Deny", "gr-frozen", ENDS,
           then(d.freeze, deny), whose="consumer"),
    a_cell(GRANT)(Act.EDIT, "the status is lost", "gr-forgotten", KEPT_STATUS, lose_status),
    a_cell(GRANT)(Act.HOLD, "ours is removed", "gr-unheld", REPAIRED, drop_finalizer),
    a_cell(GRANT)(Act.HOLD, "one of one's own is added, and it is deleted", "gr-held-deleted", HELD_ENDS, then(d.hold, d.delete),
           whose="consumer"),
    a_cell(GRANT)(Act.DELETE, "by hand", "gr-deleted", ENDS, d.delete, whose="consumer"),
    a_cell(GRANT)(Act.REMAKE, "deleted; then applied again", "gr-remade", RETURNS, d.delete_and_wait, whose="consumer",
           undoes=d.apply(GRANT), cause="it is applied again"),
    a_cell(GRANT)(Act.REMAKE, "made under another name, and the first one deleted", "gr-renamed", LEFT, rename_grant,
           sees=sight_of_request),
    a_cell(GRANT)(Act.COPY, "under another name", "gr-copied", LEFT, d.copy(), sees=sight_of_request),
    a_cell(GRANT)(Act.RESTORE, "without status, as another object", "gr-restored", GOES_ON, vanish_and_restore(), whose="consumer"),
    a_cell(INBOX)(Act.DELETE, "by hand", "in-deleted", REMADE, d.delete),
    a_cell(INBOX)(Act.HOLD, "one of one's own is added", "in-held", LEFT, d.hold_for_good),
    a_cell(INBOX)(Act.RELABEL, "every label is removed", "in-bare", LEFT, patch({"metadata": {"labels": None}})),
    a_cell(INBOX)(Act.ADD, "a label and an annotation", "in-labelled", LEFT, then(d.add_label, d.add_annotation)),
    a_cell(INBOX)(Act.EDIT, "the status is lost", "in-forgotten", RESTORED, lose_status),
)  # fmt: skip
