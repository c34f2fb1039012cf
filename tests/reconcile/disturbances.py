"""How the world may fool the operator while a flow goes on: late reads, lost answers, a cache that is behind, another store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tests.reconcile.causes_in_stores import swap_store
from tests.reconcile.flows import ENDPOINT
from tests.support.mesh import Mesh

Calm = Callable[[], object]


@dataclass(frozen=True)
class Disturbance:
    """`begin` before the act; what it answers ends it. `hides`: what others did, or the store itself, may not be seen meanwhile.

    `needs_store`: only where the store was known before, else what answers is the store.
    """

    name: str
    begin: Callable[[Mesh], Calm]
    hides: bool = False
    needs_store: bool = False

    def fits(self, mesh: Mesh) -> bool:
        return not self.needs_store or mesh.exists("ObjectStore", "main")


def _late(*, users: int | timedelta = 0, buckets: int | timedelta = 0) -> Callable[[Mesh], Calm]:
    def begin(mesh: Mesh) -> Calm:
        store = mesh.stores.at(ENDPOINT)
        store.lag_users(users)
        store.lag_buckets(buckets)

        def end() -> None:
            store.lag_users(0)
            store.lag_buckets(0)

        return end

    return begin


def _lose_store_answers(mesh: Mesh) -> Calm:
    mesh.stores.at(ENDPOINT).lose_answers(3)
    return lambda: mesh.stores.at(ENDPOINT).lose_answers(0)


def _lose_cluster_answers(mesh: Mesh) -> Calm:
    mesh.cluster.lose_answers(3)
    return lambda: mesh.cluster.lose_answers(0)


def _behind(*kinds: str) -> Callable[[Mesh], Calm]:
    def begin(mesh: Mesh) -> Calm:
        mesh.cluster.hold_back(*kinds)
        return lambda: mesh.cluster.catch_up(*kinds)

    return begin


def _other_account(mesh: Mesh) -> Calm:
    store = mesh.stores.at(ENDPOINT)
    before = store.account
    store.switch_account("other")
    return lambda: store.switch_account(before)


def _uncounted(mesh: Mesh) -> Calm:
    mesh.cluster.stop_counting("*")
    return mesh.cluster.start_counting


_SECONDS: Final = timedelta(seconds=8)
LATE: Final = (
    *(Disturbance(f"reads of IAM are {n} calls late", _late(users=n)) for n in (1, 2, 3)),
    *(Disturbance(f"reads of buckets are {n} calls late", _late(buckets=n)) for n in (1, 2, 3)),
    Disturbance("reads of IAM are 8 s late", _late(users=_SECONDS)),
    Disturbance("reads of buckets are 8 s late", _late(buckets=_SECONDS)),
    Disturbance("all reads are late", _late(users=_SECONDS, buckets=2)),
)
BRIEF: Final = tuple(one for one in LATE if one.name != "reads of IAM are 3 calls late")
"""Lags that are over within the time for which a new key is waited for: three calls may take longer than that."""
DISTURBANCES: Final = (
    *LATE,
    Disturbance("the store's answers are lost", _lose_store_answers),
    Disturbance("the API server's answers are lost", _lose_cluster_answers),
    *(
        Disturbance(f"the cache of {kind} is behind", _behind(kind), hides=True)
        for kind in ("AccessGrant", "AccessRequest", "DataProduct", "Namespace", "ObjectStore")
    ),
    Disturbance(
        "the cache of all kinds is behind", _behind("AccessGrant", "AccessRequest", "DataProduct", "Namespace", "Domain"), hides=True
    ),
    Disturbance("another account answers", _other_account, hides=True, needs_store=True),
    Disturbance("an empty store answers", swap_store, hides=True, needs_store=True),
    Disturbance("nobody counts quotas", _uncounted),
)
