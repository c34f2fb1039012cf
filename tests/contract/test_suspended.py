"""The fake counts as Ceph RGW counts where versions were kept once and are not any more; moto forgets there what it kept."""

from collections.abc import Iterator

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from hack.tools.store import Store
from tests.contract.stores import BotoHand, Hand, MemoryHand
from tests.contract.worlds import World, fresh, in_memory, over_boto

STEPS = (
    "put",
    "delete",
    "Enabled",
    "put",
    "put",
    "Suspended",
    "put",
    "put",
    "delete",
    "delete",
    "put",
    "delete",
    "Enabled",
    "put",
    "delete",
)
COUNTED = [
    b.Contents(versions, markers)
    for versions, markers in (
        (1, 0), (0, 0), (0, 0), (1, 0), (2, 0), (2, 0), (3, 0), (3, 0), (2, 1), (2, 1), (3, 0), (2, 1), (2, 1), (3, 1), (3, 2),
    )
]  # fmt: skip


@pytest.fixture(params=["memory", pytest.param("rgw", marks=pytest.mark.real)])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[World, Hand]]:
    """A world, and somebody who writes objects there."""
    if request.param == "memory":
        world = in_memory()
        yield world, MemoryHand(world.stores.at(world.connection.endpoint))  # type: ignore[attr-defined]
        return
    store: Store = request.getfixturevalue(request.param)
    hand = BotoHand(store, store.client("s3"))
    yield over_boto(store), hand
    hand.s3.close()


def test_what_was_kept_stays_and_a_deletion_leaves_a_marker(place: tuple[World, Hand]) -> None:
    world, hand = place
    name = fresh()
    world.buckets.create(b.Bucket(name))
    counted = []
    for step in STEPS:
        match step:
            case "put":
                hand.put_object(name, "a")
            case "delete":
                hand.delete_object(name, "a")
            case "Enabled" | "Suspended":
                world.buckets.update(b.Bucket(name, versioning=step), ("versioning",))
        counted.append(world.buckets.count(name))
    assert counted == COUNTED
    with pytest.raises(Terminal) as caught:
        world.buckets.delete(name)
    assert caught.value.reason == reasons.BUCKET_NOT_EMPTY
    assert world.buckets.empty(name)
    world.buckets.delete(name)
