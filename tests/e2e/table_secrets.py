"""Secrets with the keys of a producer and of a consumer: what editors, sync tools, backups and the cluster's rules do to them."""

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e import table_deeds as d
from tests.e2e.table_acts import then
from tests.e2e.table_deeds import backup, patch, patch_json
from tests.e2e.table_eye import GROUP, Manifest, Picture, picture_secret
from tests.e2e.table_mesh import Table, secret_of
from tests.e2e.table_words import (
    BACK,
    GRACED,
    LEFT,
    RESTORED,
    STOPS,
    STOPS_BACK,
    WAITS,
    WAITS_BACK,
    Act,
    Cell,
    Deed,
    Outcome,
    Scene,
)

WHO = ("producer", "consumer")
X = "eA=="
"""A value of somebody's own, as a Secret has it."""
FORMER = "00000000-0000-0000-0000-000000000000"
"""The uid of an owner that lives no more."""


def sight(table: Table, cell: Cell) -> Picture:
    return picture_secret(table.eye.get("secret", *secret_of(cell.scene, cell.whose)))


def secret(act: Act, what: str, name: str, comes: Outcome, does: Deed, **more: Any) -> Iterator[Cell]:
    """The same on the Secret of a producer and on that of a consumer, or on one of them."""
    scene, only = Scene(name, place=more.pop("place", "makers")), more.pop("only", "")
    for who in WHO:
        if only in ("", who):
            teller = {"producer": "dataproduct", "consumer": "accessrequest"}[who]
            yield Cell("Secret", act, f"{what} ({who})", scene, comes, does, sight, whose=who, teller=teller, **more)


def drop(field: str) -> Deed:
    return patch_json({"op": "remove", "path": f"/data/{field}"})


def keeping_owner(found: Manifest) -> Manifest:
    return backup(found)


def of_former_owner(found: Manifest) -> Manifest:
    """As it was before its owner was made again: the mark names a uid that lives no more."""
    annotations = found["metadata"]["annotations"]
    kind, place, name, _ = annotations[f"{GROUP}/owner"].split("/")
    return backup(found, annotations={**annotations, f"{GROUP}/owner": f"{kind}/{place}/{name}/{FORMER}"})


def bare(found: Manifest) -> Manifest:
    """Somebody's own, of the same name."""
    metadata = {"name": found["metadata"]["name"], "namespace": found["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"theirs": X}}


def of_another(table: Table, cell: Cell) -> None:
    """The mark names another living product of the namespace."""
    found = table.read("secret", *secret_of(cell.scene, cell.whose))
    table.kept[cell.id] = found["metadata"]["annotations"][f"{GROUP}/owner"]
    other = table.read("dataproduct", "secret-copied", "makers")["metadata"]["uid"]
    patch({"metadata": {"annotations": {f"{GROUP}/owner": f"DataProduct/makers/secret-copied/{other}"}}})(table, cell)


def mark_again(table: Table, cell: Cell) -> None:
    patch({"metadata": {"annotations": {f"{GROUP}/owner": table.kept[cell.id]}}})(table, cell)


def force_apply(table: Table, cell: Cell) -> None:
    """Another manager takes every field over, without changing any: a migration, or a backup tool."""
    made = backup(table.read("secret", *secret_of(cell.scene, cell.whose)))
    words = ("apply", "--server-side", "--force-conflicts", "--field-manager=migration", "-f", "-")
    table.kubectl(*words, stdin=json.dumps(made))


def replace_alike(table: Table, cell: Cell) -> None:
    found = table.read("secret", *secret_of(cell.scene, cell.whose))
    table.kubectl(
        "replace", "-f", "-", stdin=json.dumps({**found, "metadata": {k: v for k, v in found["metadata"].items() if k != "managedFields"}})
    )


def delete_theirs(table: Table, cell: Cell) -> None:
    name, place = secret_of(cell.scene, cell.whose)
    assert set(table.read("secret", name, place)["data"]) == {"theirs"}, "it is still theirs"
    table.kubectl("delete", "secret", name, "-n", place)


SECRETS = (
    *secret(Act.EDIT, "the secret key is another", "secret-key-edited", GRACED, patch({"data": {"secret-access-key": X}})),
    *secret(Act.EDIT, "the id of the key is removed", "secret-key-removed", GRACED, drop("access-key-id")),
    *secret(Act.EDIT, "the endpoint is another", "secret-field-edited", RESTORED, patch({"data": {"endpoint": X}})),
    *secret(Act.EDIT, "the bucket is removed", "secret-field-removed", RESTORED, drop("bucket")),
    *secret(Act.ADD, "a field of one's own", "secret-field-added", LEFT, d.leave("data", "theirs", value=X)),
    *secret(Act.ADD, "a label and an annotation", "secret-labelled", LEFT, then(d.add_label, d.add_annotation)),
    *secret(Act.IMMUTABLE, "as it is", "secret-immutable", LEFT, d.leave("immutable", value=True)),
    *secret(Act.IMMUTABLE, "with another secret key", "secret-immutable-edited", GRACED,
            then(patch({"data": {"secret-access-key": X}}), patch({"immutable": True}))),
    *secret(Act.HOLD, "one more is added", "secret-held", LEFT, d.leave("metadata", "finalizers", value=[d.MINE])),
    *secret(Act.HOLD, "and it is deleted", "secret-held-deleted", WAITS_BACK, then(d.hold, d.delete), undoes=d.let_go,
            cause="the finalizer is removed", reason="SecretTerminating"),
    *secret(Act.RELABEL, "the mark of its owner is removed", "secret-unmarked", RESTORED, d.unmark),
    *secret(Act.RELABEL, "every label is removed", "secret-unlabelled", RESTORED, patch({"metadata": {"labels": None}})),
    *secret(Act.HAND, "the mark names another product", "secret-anothers", STOPS, of_another, undoes=mark_again,
            cause="the mark is put back", reason="NotOwned"),
    *secret(Act.COPY, "under another name", "secret-copied", LEFT, d.copy()),
    *secret(Act.DELETE, "by hand", "secret-deleted", BACK, d.delete),
    *secret(Act.REMAKE, "with something else in it", "secret-foreign", STOPS_BACK, d.remake(bare), undoes=delete_theirs,
            cause="it is removed", reason="NotOwned"),
    *secret(Act.RESTORE, "without its owner", "secret-restored", GRACED, d.remake(keeping_owner)),
    *secret(Act.RESTORE, "with the mark of an owner that lives no more", "secret-restored-former", GRACED, d.remake(of_former_owner)),
    *secret(Act.RESTORE, "another manager applies it with force, unchanged", "secret-forced", LEFT, force_apply),
    *secret(Act.RESTORE, "it is replaced with itself", "secret-replaced", LEFT, replace_alike),
    *secret(Act.REFUSE, "admission refuses changes, and the endpoint is another", "secret-frozen", WAITS,
            then(patch({"data": {"endpoint": X}}), d.freeze), undoes=d.thaw, cause="the rule is removed", reason="AdmissionRefused"),
    *secret(Act.REFUSE, "admission refuses new ones, and it is deleted", "secret-closed", WAITS_BACK, then(d.close_namespace, d.delete),
            undoes=d.open_namespace, cause="the rule is removed", reason="AdmissionRefused", place="t-closed", only="producer"),
    *secret(Act.LIMIT, "the namespace may have no more, and it is deleted", "secret-counted", WAITS_BACK,
            then(d.no_more("secrets"), d.delete), undoes=d.more("secrets"),
            cause="the quota is lifted", reason="LimitExceeded", place="s-counted", only="producer"),
)  # fmt: skip
