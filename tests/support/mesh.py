"""A whole mesh on the public fakes: apply manifests, let everything settle, kill it at any write, look at what is left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.memories import Doubts, Memory, Proofs
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.settings import Next, Settings
from clouddatamesh.ports import Ports
from clouddatamesh.reconcile.dispatch import RECONCILED, reconcile
from clouddatamesh.storage.memory import MemoryStores
from tests.support.manifests import CREDENTIALS

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 30


class Killed(BaseException):
    """The process died here. Not an Exception: nothing may catch it."""


@dataclass
class FixedClock:
    """A clock that stands until it is moved."""

    time: datetime = START
    trusted: bool = True

    def now(self) -> datetime:
        return self.time

    def is_trusted(self) -> bool:
        return self.trusted

    def forward(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@dataclass
class Trap:
    """Counts writes of every port and kills the process before or after the chosen one."""

    at: int = 0
    after: bool = False
    seen: list[str] = field(default_factory=list)

    def before_write(self, what: str) -> None:
        self.seen.append(what)
        if not self.after and len(self.seen) == self.at:
            raise Killed(what)

    def after_write(self, _what: str) -> None:
        if self.after and len(self.seen) == self.at:
            raise Killed(self.seen[-1])


class Mesh:
    """Fakes, clock and the reconcilers between them."""

    def __init__(
        self, mesh: str = "acme", *, namespace: str = "clouddatamesh-system", cluster: type[MemoryCluster] = MemoryCluster
    ) -> None:
        self.clock = FixedClock()
        self.settings = Settings(mesh=mesh, namespace=namespace, version="test")
        self.cluster = cluster(self.settings, now=self.clock.now)
        self.stores = MemoryStores(now=self.clock.now)
        self.trap = Trap()
        self.last: dict[Key, Next] = {}
        self.proofs, self.doubts = Proofs(), Doubts()
        self.expressions, self.memory = DirectExpressions(), Memory()
        self.cluster.before_write = lambda verb, key: self.trap.before_write(f"{verb} {key}")
        self.cluster.after_write = lambda verb, key: self.trap.after_write(f"{verb} {key}")
        self.stores.before_write = self.trap_before
        self.stores.after_write = self.trap_after
        self._give_credentials()

    def copy(self) -> "Mesh":
        """Another mesh that begins where this one stands."""
        twin = Mesh(self.settings.mesh, namespace=self.settings.namespace)
        twin.clock.time = self.clock.time
        twin.cluster.take_over(self.cluster)
        twin.stores.take_over(self.stores)
        return twin

    def trap_before(self, what: str) -> None:
        self.trap.before_write(what)

    def trap_after(self, what: str) -> None:
        self.trap.after_write(what)

    @property
    def ports(self) -> Ports:
        return Ports(self.cluster, self.stores, self.clock, self.settings, self.proofs, self.doubts, self.expressions, self.memory)

    def _give_credentials(self) -> None:
        store = self.stores.at("https://s3.test")
        self.cluster.put_own_secret(CREDENTIALS, {"access-key-id": store.root.id, "secret-access-key": store.root.secret})

    def apply(self, *manifests: Mapping[str, Any]) -> "Mesh":
        for manifest in manifests:
            self.cluster.user_apply(manifest)
        return self

    def delete(self, kind: str, name: str, namespace: str = "") -> "Mesh":
        self.cluster.user_delete(Key(kind, namespace, name))
        return self

    def settle(self) -> "Mesh":
        """Reconcile everything, again and again, until a whole round writes nothing."""
        for _ in range(ROUNDS):
            before = len(self.trap.seen)
            living = [key_of(manifest) for kind in RECONCILED for manifest in self.cluster.list(kind)]
            for key in (*living, *(key for key in self.last if key not in living)):
                self.last[key] = reconcile(key, self.ports)
            if len(self.trap.seen) == before:
                return self
        raise AssertionError(f"does not settle; the last writes were {self.trap.seen[-6:]}")

    def writes_of(self, act: Callable[["Mesh"], object]) -> list[str]:
        """Every write, of the cluster and of the stores, that an act and settling cause."""
        before = len(self.trap.seen)
        act(self)
        self.settle()
        return self.trap.seen[before:]

    def get(self, kind: str, name: str, namespace: str = "") -> Mapping[str, Any]:
        manifest = self.cluster.get(Key(kind, namespace, name))
        assert manifest is not None, f"{kind} {namespace}/{name} does not exist"
        return manifest

    def exists(self, kind: str, name: str, namespace: str = "") -> bool:
        return self.cluster.get(Key(kind, namespace, name)) is not None

    def condition(self, kind: str, name: str, namespace: str = "", type_: str = "Ready") -> Mapping[str, Any]:
        conditions = self.get(kind, name, namespace).get("status", {}).get("conditions", ())
        return next((found for found in conditions if found["type"] == type_), {})

    def product(self, name: str = "orders", namespace: str = "sales") -> Mapping[str, Any]:
        return self.get("DataProduct", name, namespace)

    def bucket_of(self, name: str = "orders", namespace: str = "sales") -> str:
        bucket: str = self.product(name, namespace)["status"]["storage"]["bucket"]
        return bucket
