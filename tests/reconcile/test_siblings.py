"""What is asked of other products: who names the same bucket, whose a uid is, who took a bucket over, and which bucket counts as lost."""

from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.owners import stores_elsewhere
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.siblings import count_losses, find_rival, is_handed_over, lives_elsewhere, loss_of
from tests.reconcile.flows import ready
from tests.support.manifests import a_product, a_store
from tests.support.mesh import Mesh

SHARED: Final = {"bucketName": "acme-shared"}


def made(mesh: Mesh, name: str) -> DataProduct:
    return parse(DataProduct, mesh.product(name))


def two(**second: Any) -> Mesh:
    """Two products, the first a day older; `second` says how the other one's storage differs."""
    mesh = ready(Mesh()).settle().apply(a_product("first", storage=SHARED))
    mesh.clock.forward(days=1)
    return mesh.apply(a_store("other", endpointUrl="https://other.test"), a_product("second", storage={**SHARED, **second}))


def test_the_older_product_that_names_a_bucket_goes_first() -> None:
    mesh = two()
    assert find_rival(made(mesh, "second"), mesh.cluster) == Key("DataProduct", "sales", "first")
    assert find_rival(made(mesh, "first"), mesh.cluster) is None


@pytest.mark.parametrize("differs", [{"bucketName": "another"}, {"bucketName": None}, {"storeRef": {"name": "other"}}])
def test_another_bucket_or_endpoint_is_no_rivals(differs: dict[str, Any]) -> None:
    mesh = two(**differs)
    assert find_rival(made(mesh, "second"), mesh.cluster) is None


def test_a_product_without_storage_has_no_rival() -> None:
    found = a_product("plain")
    mesh = two().apply({**found, "spec": {name: value for name, value in found["spec"].items() if name != "storage"}})
    assert find_rival(made(mesh, "plain"), mesh.cluster) is None


def test_a_uid_is_anothers_where_that_one_lives() -> None:
    mesh = two()
    first, second = made(mesh, "first"), made(mesh, "second")
    assert lives_elsewhere(first.metadata.uid, second, mesh.cluster)
    assert not any(lives_elsewhere(uid, first, mesh.cluster) for uid in (None, "", first.metadata.uid, "of-nobody"))


def tell(mesh: Mesh, name: str, *, reason: str = "Ready", status: str = "True", **storage: Any) -> None:
    """The product's status says this of its bucket."""
    conditions = [{"type": "StorageReady", "status": status, "reason": reason, "lastTransitionTime": "2026-01-01T00:00:30Z"}]
    told = {"bucket": "acme-shared", "phase": "Owned", "ownershipVerified": True, "lossSeenAt": "2026-01-01T00:01:30Z", **storage}
    mesh.cluster.write_status(Key("DataProduct", "sales", name), made(mesh, name).metadata.uid, {"storage": told, "conditions": conditions})


@pytest.mark.parametrize(
    ("storage", "store", "expected"),
    [
        ({}, "main", True),
        ({"uid": "copied"}, "main", False),
        ({"ownershipVerified": False}, "main", False),
        ({"bucket": "x"}, "main", False),
        ({}, "other", False),
    ],
)
def test_a_bucket_is_handed_over_where_another_product_of_its_store_has_it(storage: dict[str, Any], store: str, expected: bool) -> None:
    mesh = two()
    tell(mesh, "second", **storage)
    uid = made(mesh, "first").metadata.uid
    assert is_handed_over("acme-shared", store, uid, mesh.cluster) == expected
    assert not is_handed_over("acme-shared", store, made(mesh, "second").metadata.uid, mesh.cluster)
    assert not is_handed_over("", store, uid, mesh.cluster)


@pytest.mark.parametrize(
    ("status", "reason", "storage", "when"),
    [
        ("False", "NotOwned", {}, "lost at 2026-01-01T00:01"),
        ("False", "NotOwned", {"phase": "Adopted"}, "lost at 2026-01-01T00:01"),
        ("False", "NotOwned", {"phase": "Creating"}, ""),
        ("True", "NotOwned", {}, ""),
        ("False", "AccessDenied", {}, ""),
        ("Unknown", "StoreNotReady", {}, ""),
        ("False", "NotOwned", {"bucket": ""}, ""),
        ("True", "Ready", {}, ""),
    ],
)
def test_a_bucket_counts_as_lost_where_it_became_anothers(status: str, reason: str, storage: dict[str, Any], when: str) -> None:
    mesh = two()
    tell(mesh, "first", status=status, reason=reason, **storage)
    assert loss_of(mesh.product("first")) == (Key("Loss", when, "main") if when else None)


@pytest.mark.parametrize(
    ("status", "listed", "found"),
    [
        ({"marker": "mesh.marker-b", "conditions": [{"type": "Identified", "status": "True"}]}, set(), ["other"]),
        ({"marker": "mesh.marker-b", "conditions": [{"type": "Identified", "status": "True"}]}, {"mesh.marker-b"}, []),
        ({"marker": "mesh.marker-b", "conditions": [{"type": "Identified", "status": "Unknown"}]}, set(), []),
        ({"conditions": [{"type": "Identified", "status": "True"}]}, set(), []),
    ],
    ids=["elsewhere", "here", "not identified", "without marker"],
)
def test_a_store_has_users_of_its_own_where_its_marker_is_not_among_those_here(
    status: dict[str, Any], listed: set[str], found: list[str]
) -> None:
    mesh = two()
    for name in ("main", "other"):
        key = Key("ObjectStore", "", name)
        mesh.cluster.write_status(key, mesh.get(key.kind, key.name)["metadata"]["uid"], status)
    assert list(stores_elsewhere("main", listed, mesh.ports)) == found


def fallen(*stores: str, sound: int = 10, **told: Any) -> Mesh:
    """A product `mine` in main, `sound` others there whose buckets are well, and for each of these stores one that lost its bucket."""
    mesh = ready(Mesh())
    for store in dict.fromkeys(stores):
        mesh.apply(a_store(store, endpointUrl=f"https://{store}.test"))
    names = {"mine": "main", **{f"sound-{number}": "main" for number in range(sound)}}
    names |= {f"lost-{number}": store for number, store in enumerate(stores)}
    for name, store in names.items():
        mesh.apply(a_product(name, storage={"storeRef": {"name": store}}))
        lost = {"status": "False", "reason": "NotOwned", **told} if name.startswith("lost") else {}
        tell(mesh, name, **{"bucket": name, **lost})
    mesh.clock.time = parse_time("2026-01-01T00:05:00Z")
    return mesh


def counted(mesh: Mesh, *, name: str = "mine") -> int:
    return count_losses(made(mesh, name), mesh.cluster, mesh.clock)


@pytest.mark.parametrize(
    ("stores", "count"),
    [
        ([], 0),
        (["main"], 1),
        (["main", "main"], 2),
        (["a"], 0),
        (["a", "a"], 0),
        (["a", "b"], 1),
        (["a", "b", "c"], 2),
        (["main", "a", "b"], 1),
    ],
    ids=str,
)
def test_losses_are_counted_in_the_store_and_by_other_stores(stores: list[str], count: int) -> None:
    assert counted(fallen(*stores)) == count


def test_ones_own_loss_is_not_another_one() -> None:
    assert counted(fallen("main", "main"), name="lost-0") == 1


@pytest.mark.parametrize(("sound", "count"), [(0, 1), (1, 1), (2, 1), (3, 0)])
def test_where_half_of_all_products_lost_theirs_each_counts(sound: int, count: int) -> None:
    """One in another store, which alone counts for nothing, the product that asks, and these."""
    assert counted(fallen("a", sound=sound)) == count


@pytest.mark.parametrize(
    ("told", "at", "count"),
    [
        ({}, "2026-01-01T01:01:00Z", 1),
        ({}, "2026-01-01T01:02:00Z", 0),
        ({}, "2026-01-01T00:00:59Z", 1),
        ({}, "2025-12-31T23:59:59Z", 0),
        ({"reason": "MarksMissing"}, "2026-01-01T00:15:00Z", 1),
        ({"reason": "MarksMissing"}, "2026-01-01T00:16:00Z", 0),
        ({"reason": "LossUnconfirmed"}, "2026-01-05T00:00:00Z", 1),
    ],
    ids=["an hour", "longer", "a minute ahead", "more ahead", "in doubt for 15 minutes", "in doubt for longer", "undecided"],
)
def test_a_loss_counts_for_an_hour_and_a_doubt_for_a_quarter(told: dict[str, Any], at: str, count: int) -> None:
    """The loss was seen at 00:01:30, the doubt began at 00:00:30."""
    mesh = fallen("main", **told)
    mesh.clock.time = parse_time(at)
    assert counted(mesh) == count


def test_by_a_clock_that_is_not_trusted_every_loss_is_of_now() -> None:
    mesh = fallen("main")
    mesh.clock.forward(days=3)
    assert counted(mesh) == 0
    mesh.clock.trusted = False
    assert counted(mesh) == 1


def test_of_very_many_losses_no_more_are_read_than_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    stores, asked = [f"store-{number:02}" for number in range(12)], set[Key]()
    mesh = fallen(*stores)
    naming = mesh.cluster.naming

    def note(key: Key, kind: str) -> tuple[Key, ...]:
        asked.add(key)
        return naming(key, kind)

    monkeypatch.setattr(mesh.cluster, "naming", note)
    assert counted(mesh) > 1
    assert len([key for key in asked if key.kind == "Loss"]) < len(stores)
