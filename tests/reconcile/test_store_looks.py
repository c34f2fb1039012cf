"""What one look at an ObjectStore asks, finds and tells: only of the store that it is, and no more than what there is to know."""

from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks, names
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory_buckets import MemoryBuckets
from tests.reconcile.flows import ENDPOINT, Act, ready
from tests.support.manifests import a_product, a_store, annotated
from tests.support.mesh import Mesh

STORE: Final = Key("ObjectStore", "", "main")
HOME: Final = names.mesh_bucket_name("acme", "acme")


@cache
def _settled() -> Mesh:
    return ready(Mesh()).settle()


def a_mesh() -> Mesh:
    return _settled().copy()


def status(mesh: Mesh) -> dict[str, Any]:
    return dict(mesh.get("ObjectStore", "main")["status"])


def asked(mesh: Mesh) -> set[str]:
    """What one look asks of the store."""
    calls = mesh.stores.at(ENDPOINT).calls
    before = len(calls)
    reconcile(STORE, mesh.ports)
    return {verb for verb, _ in calls[before:]}


def down(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).down = True


@pytest.mark.parametrize("act", [lambda _: None, down], ids=["ready", "away"])
def test_a_store_is_looked_at_every_half_minute(act: Act) -> None:
    mesh = a_mesh()
    act(mesh)
    after = reconcile(STORE, mesh.ports).after
    assert after is not None and 20 <= after <= 30


def test_a_store_that_is_being_deleted_is_looked_at_as_often() -> None:
    mesh = a_mesh().delete("ObjectStore", "main")
    after = reconcile(STORE, mesh.ports).after
    assert after is not None and 0 < after <= 33


STRANGE: Final[dict[str, Act]] = {
    "its account is another": lambda mesh: mesh.stores.at(ENDPOINT).switch_account("other"),
    "it does not say whose the credentials are": lambda mesh: mesh.stores.at(ENDPOINT).refuse("account"),
    "spec cannot be read": lambda mesh: mesh.apply(a_store(baseline={"encryption": 5})),
    "it is of another mesh": lambda mesh: tell(mesh, bucket="other-mesh-bucket", bucketPhase="Owned"),
}


def tell(mesh: Mesh, **facts: Any) -> None:
    mesh.cluster.write_status(STORE, mesh.get("ObjectStore", "main")["metadata"]["uid"], {**status(mesh), **facts})


@pytest.mark.parametrize("what", STRANGE)
def test_nothing_is_asked_of_a_store_that_is_not_known_to_be_this_one_but_whose_it_is(what: str) -> None:
    mesh = a_mesh()
    STRANGE[what](mesh)
    assert asked(mesh) == {"account"}


def test_users_are_asked_for_where_the_store_has_any() -> None:
    mesh = a_mesh()
    assert asked(mesh) == {"account", "observe", "observe user", "list users"}
    tell(mesh, capabilities=[{**one, "supported": one["name"] != b.IDENTITIES} for one in status(mesh)["capabilities"]])
    assert asked(mesh) == {"account", "observe"}


def test_no_user_is_asked_for_without_a_name() -> None:
    mesh = a_mesh()
    reconcile(STORE, mesh.ports)
    assert all(name for verb, name in mesh.stores.at(ENDPOINT).calls if verb == "observe user")


def test_ids_that_users_recorded_are_looked_up_only_where_the_bucket_names_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, looked = a_mesh(), list[str]()
    real = mesh.cluster.named

    def named(kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        looked.append(kind)
        return real(kind, namespace)

    monkeypatch.setattr(mesh.cluster, "named", named)
    reconcile(STORE, mesh.ports)
    retag(mesh, {})
    reconcile(STORE, mesh.ports)
    assert looked == []
    retag(mesh, {marks.STORE_TAG: "other"})
    reconcile(STORE, mesh.ports)
    assert set(looked) == {"StoreId"}


def retag(mesh: Mesh, more: dict[str, str]) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[HOME]
    kept = {tag: value for tag, value in held.bucket.tags if tag != marks.STORE_TAG}
    held.bucket = replace(held.bucket, tags=tuple(sorted({**kept, **more}.items())))


# The probe.


def probing(monkeypatch: pytest.MonkeyPatch, **verdicts: tuple[b.Verdict, str]) -> None:
    """Of these capabilities a probe finds this."""
    real = MemoryBuckets.probe

    def probe(self: MemoryBuckets, scratch: str) -> tuple[b.Capability, ...]:
        return tuple(b.Capability(one.name, *verdicts.get(one.name, (one.verdict, one.message))) for one in real(self, scratch))

    monkeypatch.setattr(MemoryBuckets, "probe", probe)


def test_why_a_probe_could_not_tell_is_told_as_far_as_status_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    probing(monkeypatch, Versioning=("Unclear", "x" * 3000), Encryption=("No", "not supported"))
    mesh = Mesh().apply(a_store()).settle()
    assert status(mesh)["probeUnclear"] == "x" * 1024


def test_a_probe_that_could_tell_of_everything_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    probing(monkeypatch, Encryption=("No", "not supported"))
    mesh = Mesh().apply(a_store()).settle()
    told = {one["name"]: (one["supported"], one.get("message")) for one in status(mesh)["capabilities"]}
    assert "probeUnclear" not in status(mesh)
    assert told["Encryption"] == (False, "not supported") and told["Versioning"][0] is True
    assert (status(mesh)["probedGeneration"], status(mesh)["probedVersion"]) == (1, "test")


def test_the_next_probe_tells_when_it_was_made() -> None:
    mesh = a_mesh()
    mesh.clock.forward(hours=25)
    reconcile(STORE, mesh.ports)
    assert status(mesh)["probedAt"] == "2026-01-02T01:00:00Z"


# Users in the store.


def orphaned(mesh: Mesh) -> str:
    """A user of this cluster that nobody owns."""
    path = names.principal_path("acme", mesh.get("Namespace", "kube-system")["metadata"]["uid"])
    mesh.stores.at(ENDPOINT).users["orphan"] = Principal("orphan", path)
    return "orphan"


def test_users_that_nobody_owns_are_told_and_the_marker_is_none() -> None:
    mesh = a_mesh()
    reconcile(STORE, mesh.ports)
    assert "orphans" not in status(mesh)
    name = orphaned(mesh)
    reconcile(STORE, mesh.ports)
    assert [one["name"] for one in status(mesh)["orphans"]] == [name]


@pytest.mark.parametrize("path", ["own", "mesh"])
def test_a_lost_marker_is_made_again_where_a_recorded_user_proves_the_store(path: str) -> None:
    """Also one of before users had a path of their cluster."""
    mesh = a_mesh()
    users = mesh.stores.at(ENDPOINT).users
    (marker,) = (name for name in users if names.is_marker_name(name))
    del users[marker]
    if path == "mesh":
        mesh.stores.at(ENDPOINT).users = {name: replace(user, path="/clouddatamesh/acme/") for name, user in users.items()}
    reconcile(STORE, mesh.ports)
    assert marker in mesh.stores.at(ENDPOINT).users


def test_a_lost_marker_is_missed_where_no_recorded_user_proves_the_store() -> None:
    mesh = a_mesh()
    mesh.stores.at(ENDPOINT).users = {}
    reconcile(STORE, mesh.ports)
    assert mesh.condition("ObjectStore", "main")["reason"] == "NotTheSameStore"
    assert mesh.stores.at(ENDPOINT).users == {}


@pytest.mark.parametrize(
    ("marker", "same"),
    [("there", True), ("gone", False), ("another's", False)],
    ids=["its marker is there", "its marker is gone", "another's"],
)
def test_a_store_whose_bucket_was_lost_with_consent_is_the_same_where_its_marker_is_there(marker: str, same: bool) -> None:
    mesh = a_mesh()
    users, before = mesh.stores.at(ENDPOINT).users, status(mesh)["storeId"]
    (name,) = (name for name in users if names.is_marker_name(name))
    del mesh.stores.at(ENDPOINT).buckets[HOME]
    if marker == "gone":
        mesh.stores.at(ENDPOINT).users = {}
    elif marker == "another's":
        users[name] = replace(users[name], path="/somebody/")
    mesh.apply(annotated(a_store(), recreate=HOME))
    for _ in range(3):
        reconcile(STORE, mesh.ports)
    assert (dict(mesh.stores.at(ENDPOINT).buckets[HOME].bucket.tags)[marks.STORE_TAG] == before) is same


def test_a_marker_that_cannot_be_read_leaves_open_which_store_it_is() -> None:
    mesh = a_mesh()
    del mesh.stores.at(ENDPOINT).buckets[HOME]
    mesh.stores.at(ENDPOINT).refuse("observe user")
    mesh.apply(annotated(a_store(), recreate=HOME))
    reconcile(STORE, mesh.ports)
    assert HOME not in mesh.stores.at(ENDPOINT).buckets


LOST: Final = ("8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c0", "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1")
HERE: Final = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c2"


@cache
def _rebuilt() -> Mesh:
    """A cluster that takes over from two lost ones, and by mistake from itself; each left a user that nobody here owns."""
    mesh = Mesh()
    mesh.cluster.be_cluster(HERE)
    mesh.apply(a_store(takeOverFrom=[*LOST, HERE])).settle()
    for number, cluster in enumerate(LOST):
        mesh.stores.at(ENDPOINT).users[f"user-{number}"] = Principal(f"user-{number}", names.principal_path("acme", cluster))
    return mesh


def test_what_lost_clusters_left_is_counted_and_nothing_of_this_one() -> None:
    mesh = _rebuilt().copy()
    reconcile(STORE, mesh.ports)
    assert status(mesh)["takenOver"] == [{"cluster": cluster, "principals": 1, "unclaimed": 1} for cluster in LOST]


def test_only_users_of_the_cluster_that_is_named_are_ended() -> None:
    mesh = _rebuilt().copy()
    mesh.apply(annotated(a_store(takeOverFrom=[*LOST, HERE]), end_taken_over=LOST[1])).settle()
    assert {name for name in mesh.stores.at(ENDPOINT).users if name.startswith("user-")} == {"user-0"}


# Deletion.


def test_a_store_that_waits_for_its_users_keeps_what_is_known_of_it() -> None:
    mesh = a_mesh()
    before = status(mesh)
    mesh.delete("ObjectStore", "main")
    reconcile(STORE, mesh.ports)
    after = status(mesh)
    assert {name: after[name] for name in ("storeId", "marker", "bucket", "account", "capabilities")} == {
        name: before[name] for name in ("storeId", "marker", "bucket", "account", "capabilities")
    }
    assert after["observedGeneration"] == before["observedGeneration"] + 1
    assert conditions(mesh) >= {("CredentialsValid", "True"), ("DeletionBlocked", "True")}


def conditions(mesh: Mesh) -> set[tuple[str, str]]:
    return {(one["type"], one["status"]) for one in status(mesh)["conditions"]}


def test_a_store_that_does_not_answer_while_it_is_deleted_says_so() -> None:
    mesh = a_mesh().delete("ObjectStore", "main")
    mesh.stores.at(ENDPOINT).fail_next(*[Transient("StoreUnavailable", "It does not answer")] * 2)
    for _ in range(2):
        reconcile(STORE, mesh.ports)
        mesh.clock.forward(minutes=1)
    assert ("CredentialsValid", "True") not in conditions(mesh)


def test_a_product_that_came_after_the_deletion_began_is_not_waited_for() -> None:
    mesh = a_mesh()
    mesh.clock.forward(minutes=1)
    mesh.delete("ObjectStore", "main")
    mesh.clock.forward(minutes=1)
    mesh.apply(a_product("late"))
    reconcile(STORE, mesh.ports)
    waits = mesh.condition("ObjectStore", "main", type_="DeletionBlocked")["message"]
    assert "sales/orders" in waits and "sales/late" not in waits
