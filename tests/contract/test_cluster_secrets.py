"""The contract of the Cluster port: Secrets, of which the operator reads metadata only. Held over the fake and a real API server."""

from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.binding import holding
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
        side.cluster.patch_secret(key, NO_UID, data={"a": "ours"}, annotations={})
    assert side.secret_data(key) == {"a": "theirs"}
    assert owned(side, key) == {"kubectl": {"f:a"}}


def test_a_patch_adds_data_and_annotations_and_leaves_the_rest(side: Side) -> None:
    key = made(side)
    side.cluster.patch_secret(key, uid_of(side, key), data={"region": "eu"}, annotations={"clouddatamesh.dev/content": "1"})
    assert side.secret_data(key) == {**KEY, "region": "eu"}
    assert metadata_of(side, key)["annotations"] == {"clouddatamesh.dev/content": "1"}
    assert metadata_of(side, key)["labels"] == LABELS
    assert owned(side, key) == {"clouddatamesh": {*FIELDS, "f:region"}}


def test_what_is_gone_is_not_patched(side: Side) -> None:
    with pytest.raises(Transient) as caught:
        side.cluster.patch_secret(Key("Secret", side.namespace, "none"), NO_UID, data={"a": "b"}, annotations={})
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
