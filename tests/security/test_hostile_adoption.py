"""tests/security/hostile_adoption.py on the fakes: what is in others' buckets stays, and nobody gets a key for what was not lent."""

import fnmatch

import pytest

from clouddatamesh.plan import marks
from tests.security.hostile_adoption import LENT, THEFTS, Theft, a_realm, lend, store_of
from tests.support.mesh import Mesh


def contents(mesh: Mesh) -> dict[str, int]:
    """How many versions are in each bucket that holds something."""
    return {name: held.versions for name, held in store_of(mesh).buckets.items() if held.versions}


def keys_for(mesh: Mesh, bucket: str) -> set[str]:
    """The users that may reach into a bucket."""
    wanted = f"arn:aws:s3:::{bucket}"
    users = store_of(mesh).users.values()
    return {user.name for user in users for one in user.policy or () if user.keys and any(r.startswith(wanted) for r in one.resources)}


@pytest.mark.parametrize("theft", THEFTS, ids=lambda theft: theft.what)
def test_nothing_of_others_is_lost_or_opened(theft: Theft) -> None:
    mesh = a_realm()
    if theft.lent:
        lend(mesh)
    theft.act(mesh)
    (bucket,) = fnmatch.filter(store_of(mesh).buckets, theft.bucket)
    before, open_to = contents(mesh), keys_for(mesh, bucket)
    mesh.settle()
    mesh.clock.forward(minutes=20)
    mesh.settle()
    assert contents(mesh) == before
    assert bucket in store_of(mesh).buckets
    assert keys_for(mesh, bucket) <= open_to
    if bucket != LENT:
        assert dict(store_of(mesh).buckets[bucket].bucket.tags).get(marks.NAME_TAG) != "orders"
