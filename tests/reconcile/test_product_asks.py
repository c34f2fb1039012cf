"""What a product's look asks a store and the API server for, besides the bucket and its user: only where that decides something."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model.bucket import Contents, Openings
from clouddatamesh.model.evidence import Absent, Present, Seen
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from tests.reconcile.access_flows import a_port
from tests.reconcile.flows import ENDPOINT
from tests.reconcile.test_product_around import a_mesh, around, recorded, tell
from tests.support.manifests import a_product
from tests.support.mesh import Mesh

NONE: Final = ()
TOOLS: Final = (("cost", "1"),)
LENT: Final = ((marks.ADOPT_TAG, "acme/sales/orders"),)


def looked(phase: str | None, tags: Any, *, foreign: bool = False) -> tuple[Mesh, ProductWorld]:
    """A bucket with an object and these tags, under a record of this phase; None: none was recorded."""
    mesh = a_mesh()
    bucket = mesh.bucket_of()
    store = mesh.stores.at(ENDPOINT)
    held = store.buckets[bucket]
    held.bucket, held.versions, held.location = replace(held.bucket, tags=tags), 1, "zone-b"
    held.openings = Openings(website=True)
    if phase is None:
        tell(mesh, storage=None)
    else:
        recorded(mesh, phase=phase, regionFrom=None)
    if foreign:
        del store.buckets[bucket]
        store.foreign_buckets.add(bucket)
    return mesh, around(mesh)


def calls(mesh: Mesh, verb: str) -> int:
    return sum(found == verb for found, _ in mesh.stores.at(ENDPOINT).calls)


@pytest.mark.parametrize(
    ("phase", "tags", "counted"),
    [
        ("Creating", NONE, True),
        ("Creating", TOOLS, False),
        ("Owned", NONE, False),
        ("Adopted", NONE, False),
        (None, NONE, False),
    ],
    ids=["begun and unmarked", "begun and tagged", "owned", "adopted", "not recorded"],
)
def test_a_bucket_is_counted_where_only_that_tells_whether_the_mesh_made_it(phase: str | None, tags: Any, counted: bool) -> None:
    mesh, world = looked(phase, tags)
    assert world.contents == (Present(Contents(versions=1)) if counted else Absent())
    assert calls(mesh, "count") == int(counted)


@pytest.mark.parametrize(
    ("phase", "tags", "asked"),
    [
        ("Creating", LENT, True),
        (None, LENT, True),
        ("Creating", NONE, False),
        (None, TOOLS, False),
        ("Owned", LENT, False),
        ("Adopted", LENT, False),
    ],
    ids=["begun and lent", "new and lent", "begun", "new", "owned", "adopted"],
)
def test_how_others_reach_a_bucket_is_asked_where_it_may_be_adopted(phase: str | None, tags: Any, asked: bool) -> None:
    mesh, world = looked(phase, tags)
    assert world.openings == Openings(website=asked)
    assert calls(mesh, "find openings") == int(asked)


@pytest.mark.parametrize(
    ("phase", "tags", "asked"),
    [(None, NONE, True), ("Adopted", NONE, True), ("Owned", LENT, True), ("Owned", NONE, False), ("Creating", NONE, False)],
    ids=["not recorded", "adopted", "lent", "made here", "begun here"],
)
def test_where_a_bucket_is_is_asked_of_what_others_made(phase: str | None, tags: Any, asked: bool) -> None:
    mesh, world = looked(phase, tags)
    assert world.region == (("zone-b", "Bucket") if asked else None)
    assert (calls(mesh, "locate") > 0) is asked


@pytest.mark.parametrize("phase", ["Creating", "Adopted", None])
def test_of_a_bucket_of_another_account_nothing_more_is_asked(phase: str | None) -> None:
    mesh, world = looked(phase, NONE, foreign=True)
    assert isinstance(world.bucket, Present) and world.bucket.value.is_of_other_account
    assert (world.contents, world.openings, world.region) == (Absent(), Openings(), None)
    assert [calls(mesh, verb) for verb in ("count", "find openings", "locate")] == [0, 0, 0]


# Secrets.


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("orders-producer", "orders-producer", ["orders-producer"]),
        ("other", "orders-producer", ["other", "orders-producer"]),
        ("orders-producer", None, ["orders-producer"]),
        (None, "orders-producer", ["orders-producer"]),
        (None, None, []),
    ],
    ids=["as told", "another name", "not told yet", "wanted no more", "none"],
)
def test_secrets_are_read_by_the_name_that_is_wanted_and_a_former_one_that_is_told(
    wanted: str | None, told: str | None, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh, read = a_mesh(), list[str]()
    mesh.apply(a_product(outputPorts=[a_port()], producer={"secretName": wanted} if wanted else None))
    tell(mesh, binding={"name": told} if told else None)
    real = mesh.cluster.read_metadata

    def read_metadata(key: Key) -> Seen[Any]:
        read.append(key.name)
        return real(key)

    monkeypatch.setattr(mesh.cluster, "read_metadata", read_metadata)
    around(mesh)
    assert read == expected
