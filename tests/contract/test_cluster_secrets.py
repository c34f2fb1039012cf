"""The contract of the Cluster port: Secrets, of which the operator reads metadata only. Held over the fake and a real API server."""

from collections.abc import Callable
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.operations import SecretPatch
from clouddatamesh.plan.secrets import holding
from tests.contract.test_cluster_sides import LABELS, NO_UID, SIDES, Side, fresh, metadata_of, open_side, uid_of
from tests.support.evidence import seen

KEY = {"access-key-id": "id-1", "secret-access-key": "planted-secret"}
FIELDS = {"f:access-key-id", "f:secret-access-key"}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return open_side(request, request.param)


def a_secret(side: Side, data: dict[str, str] | None = None, name: str = "orders-producer") -> dict[str, Any]:
    metadata = {"name": name, "namespace": side.namespace, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "servicebinding.io/s3", "stringData": data or KEY}


def made(side: Side) -> Key:
    side.cluster.create(a_secret(side))
    return key_of(a_secret(side))


def owned(side: Side, key: Key) -> dict[str, set[str]]:
    """Which manager wrote which data last."""
    found: dict[str, set[str]] = {}
    for entry in metadata_of(side, key)["managedFields"]:
        found.setdefault(entry["manager"], set()).update(name for name in entry["fieldsV1"].get("f:data", {}) if name != ".")
    return {manager: fields for manager, fields in found.items() if fields}


def test_a_secret_is_made_with_its_data_and_read_without(side: Side) -> None:
    key = made(side)
    assert side.secret_data(key) == KEY
    for _ in range(2):
        found = seen(side.cluster.read_metadata(key))
        assert set(found) == {"apiVersion", "kind", "metadata"}
        assert "planted-secret" not in repr(found)


def test_no_secret_is_in_the_cache(side: Side) -> None:
    key = made(side)
    side.watch()
    assert side.cluster.get(key) is None
    assert side.cluster.list("Secret") == ()


def test_metadata_tells_that_the_data_is_ours(side: Side) -> None:
    key = made(side)
    assert owned(side, key) == {"clouddatamesh": FIELDS}
    assert owned(side, key) == {"clouddatamesh": FIELDS}
    assert holding({"metadata": metadata_of(side, key)}).intact


def test_metadata_tells_who_changed_the_data(side: Side) -> None:
    key = made(side)
    metadata_of(side, key)
    side.user_apply(a_secret(side, {"secret-access-key": "theirs"}))
    assert owned(side, key) == {"clouddatamesh": {"f:access-key-id"}, "kubectl": {"f:secret-access-key"}}
    assert not holding({"metadata": metadata_of(side, key)}).intact
    assert side.secret_data(key) == {**KEY, "secret-access-key": "theirs"}


def test_a_foreign_secret_is_never_written_into(side: Side) -> None:
    side.user_apply(a_secret(side, {"a": "theirs"}))
    key = key_of(a_secret(side))
    with pytest.raises(Terminal) as caught:
        side.cluster.create(a_secret(side))
    assert caught.value.reason == reasons.NOT_OWNED
    assert "planted-secret" not in caught.value.message
    with pytest.raises(Transient):
        side.cluster.patch_secret(key, NO_UID, SecretPatch((("a", "ours"),)))
    assert side.secret_data(key) == {"a": "theirs"}
    assert owned(side, key) == {"kubectl": {"f:a"}}


def test_a_patch_adds_data_and_annotations_and_leaves_the_rest(side: Side) -> None:
    key = made(side)
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch((("region", "eu"),), (("clouddatamesh.dev/content", "1"),)))
    assert side.secret_data(key) == {**KEY, "region": "eu"}
    assert metadata_of(side, key)["annotations"] == {"clouddatamesh.dev/content": "1"}
    assert metadata_of(side, key)["labels"] == LABELS
    assert owned(side, key) == {"clouddatamesh": {*FIELDS, "f:region"}}


def test_what_is_gone_is_not_patched(side: Side) -> None:
    with pytest.raises(Transient) as caught:
        side.cluster.patch_secret(Key("Secret", side.namespace, "none"), NO_UID, SecretPatch((("a", "b"),)))
    assert caught.value.reason == reasons.CONFLICT
    assert side.raw(Key("Secret", side.namespace, "none")) is None


def test_a_deleted_secret_is_gone_even_if_it_was_made_a_moment_ago(side: Side) -> None:
    key = made(side)
    side.cluster.delete(key, str((side.raw(key) or {})["metadata"]["uid"]))
    assert side.cluster.read_metadata(key) == Absent()


def test_a_secret_made_again_is_another(side: Side) -> None:
    key = made(side)
    former = uid_of(side, key)
    side.user_delete(key)
    side.user_apply(a_secret(side, {"a": "theirs"}))
    side.cluster.delete(key, former)
    assert side.secret_data(key) == {"a": "theirs"}


def test_only_secrets_of_the_own_namespace_are_read(side: Side) -> None:
    name = fresh()
    assert side.cluster.get_own_secret(fresh()) is None
    side.put_own_secret(name, KEY)
    assert side.cluster.get_own_secret(name) == KEY


@pytest.mark.real
def test_a_refused_secret_is_not_echoed(request: pytest.FixtureRequest) -> None:
    side = open_side(request, "real")
    manifest = {**a_secret(side), "data": {"a": "!planted-secret"}}
    with pytest.raises(MeshError) as caught:
        side.cluster.create(manifest)
    assert (type(caught.value), caught.value.reason) == (Terminal, reasons.ADMISSION_REFUSED)
    assert "planted" not in caught.value.message


# Who holds which field.

CONTENT = {"region": "eu", "type": "s3"}
DIGEST = {"clouddatamesh.dev/content": "1"}


def test_whoever_writes_what_is_there_takes_nothing_and_a_claim_takes_all(side: Side) -> None:
    """Somebody changes a field and changes it back; a merge patch of the same value would leave it his for ever."""
    key = made(side)
    side.user_apply(a_secret(side, CONTENT))
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch(tuple(CONTENT.items())))
    assert owned(side, key) == {"clouddatamesh": FIELDS, "kubectl": {"f:region", "f:type"}}
    side.cluster.claim_secret(key, uid_of(side, key), data=CONTENT, annotations=DIGEST)
    assert owned(side, key)["clouddatamesh"] == {*FIELDS, "f:region", "f:type"}
    assert metadata_of(side, key)["annotations"] == DIGEST
    assert side.secret_data(key) == {**KEY, **CONTENT}


def test_a_claim_writes_over_what_somebody_says_and_leaves_what_it_does_not_name(side: Side) -> None:
    key = made(side)
    side.user_apply(a_secret(side, {"region": "theirs", "extra": "theirs"}))
    side.cluster.claim_secret(key, uid_of(side, key), data=CONTENT, annotations=DIGEST)
    assert side.secret_data(key) == {**KEY, **CONTENT, "extra": "theirs"}
    assert owned(side, key) == {"clouddatamesh": {*FIELDS, "f:region", "f:type"}, "kubectl": {"f:extra"}}
    side.cluster.claim_secret(key, uid_of(side, key), data={"region": "eu", "type": "s4"}, annotations=DIGEST)
    assert side.secret_data(key) == {**KEY, "region": "eu", "type": "s4", "extra": "theirs"}
    assert holding({"metadata": metadata_of(side, key)}).intact


def test_what_is_gone_is_not_claimed(side: Side) -> None:
    with pytest.raises(Transient):
        side.cluster.claim_secret(Key("Secret", side.namespace, "none"), NO_UID, data=CONTENT, annotations=DIGEST)
    assert side.raw(Key("Secret", side.namespace, "none")) is None
    key = made(side)
    with pytest.raises(Transient):
        side.cluster.claim_secret(key, NO_UID, data=CONTENT, annotations=DIGEST)
    assert side.secret_data(key) == KEY


def test_a_field_is_taken_out_whoever_holds_it(side: Side) -> None:
    key = made(side)
    side.cluster.claim_secret(key, uid_of(side, key), data=CONTENT, annotations=DIGEST)
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch((("region", None),)))
    assert side.secret_data(key) == {**KEY, "type": "s3"}
    assert owned(side, key) == {"clouddatamesh": {*FIELDS, "f:type"}}


def test_labels_and_owners_are_written_with_the_rest(side: Side) -> None:
    key = made(side)
    # One that lives: else the garbage collector of a real cluster takes the Secret.
    namespace = Key("Namespace", "", "kube-system")
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": namespace.name, "uid": metadata_of(side, namespace)["uid"]}
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch(labels=(("a", "b"),), owners=(owner,)))
    assert metadata_of(side, key)["labels"] == {**LABELS, "a": "b"}
    assert metadata_of(side, key)["ownerReferences"] == [owner]
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch(owners=()))
    assert not metadata_of(side, key).get("ownerReferences")
    assert side.secret_data(key) == KEY


def test_metadata_tells_whether_the_name_of_the_key_is_ours(side: Side) -> None:
    noted = {"clouddatamesh.dev/access-key-id": "id-1"}
    manifest = a_secret(side)
    side.cluster.create({**manifest, "metadata": {**manifest["metadata"], "annotations": noted}})
    key = key_of(manifest)
    assert holding({"metadata": metadata_of(side, key)}).named
    theirs = {**manifest, "metadata": {**manifest["metadata"], "annotations": {"clouddatamesh.dev/access-key-id": "theirs"}}}
    side.user_apply({name: value for name, value in theirs.items() if name != "stringData"})
    assert not holding({"metadata": metadata_of(side, key)}).named
    assert holding({"metadata": metadata_of(side, key)}).intact
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch(annotations=tuple(noted.items())))
    assert holding({"metadata": metadata_of(side, key)}).named


def test_an_immutable_secret_is_told_apart_and_keeps_what_it_says(side: Side) -> None:
    key = made(side)
    assert not holding({"metadata": metadata_of(side, key)}).locked
    side.user_apply({**{n: v for n, v in a_secret(side).items() if n != "stringData"}, "immutable": True})
    assert holding({"metadata": metadata_of(side, key)}).locked
    writes: tuple[Callable[[], None], ...] = (
        lambda: side.cluster.patch_secret(key, uid_of(side, key), SecretPatch((("access-key-id", "id-2"),))),
        lambda: side.cluster.claim_secret(key, uid_of(side, key), data=CONTENT, annotations=DIGEST),
    )
    for write in writes:
        with pytest.raises(Terminal) as caught:
            write()
        assert caught.value.reason == reasons.SECRET_IMMUTABLE
        assert "id-2" not in caught.value.message
    assert side.secret_data(key) == KEY
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch(annotations=(("a", "b"),)))
    assert metadata_of(side, key)["annotations"] == {"a": "b"}


def test_a_secret_of_another_type_takes_no_key(side: Side) -> None:
    side.user_apply({**a_secret(side), "type": "Opaque"})
    key = key_of(a_secret(side))
    with pytest.raises(Terminal) as caught:
        side.cluster.patch_secret(key, uid_of(side, key), SecretPatch((("a", "b"),), type="servicebinding.io/s3"))
    assert caught.value.reason == reasons.SECRET_IMMUTABLE
    assert side.secret_data(key) == KEY
    side.cluster.patch_secret(key, uid_of(side, key), SecretPatch((("a", "b"),), type="Opaque"))
    assert side.secret_data(key) == {**KEY, "a": "b"}
