"""What others do to objects of the cluster: each is done by a function that answers how it is set right again."""

from collections.abc import Callable
from typing import Any, Final

from clouddatamesh.errors import Terminal
from clouddatamesh.model.objects import Key
from tests.support.mesh import Mesh

PRODUCER_SECRET: Final = Key("Secret", "sales", "orders-producer")
GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")
PRODUCT: Final = Key("DataProduct", "sales", "orders")
ACCESS_SECRET: Final = Key("Secret", "inventory", "orders-access")
SALES: Final = Key("Namespace", "", "sales")
Repair = Callable[[], object]


def nothing() -> None:
    """What the operator repairs by itself."""


# Secrets and other objects


def lose_object(key: Key) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key) if mesh.cluster.raw(key) else None
        mesh.cluster.user_delete(key)
        return nothing

    return cause


def write_into(key: Key, **data: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        found = dict(mesh.cluster.raw(key) or {})
        mesh.cluster.user_apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": found["metadata"], "type": found["type"], "stringData": data}
        )
        return nothing

    return cause


def hold(key: Key) -> Callable[[Mesh], Repair]:
    """Deleted, and held by a finalizer of somebody else."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key, "example.com/held")
        mesh.cluster.user_delete(key)
        return lambda: mesh.cluster.user_finalize(key) if mesh.cluster.raw(key) else None

    return cause


def usurp(key: Key) -> Callable[[Mesh], Repair]:
    """Somebody's own Secret takes the name."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_delete(key)
        metadata = {"name": key.name, "namespace": key.namespace}
        mesh.cluster.user_apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "theirs"}})
        return lambda: mesh.cluster.user_delete(key)

    return cause


def refuse_creates(kind: str, lost: Key, reason: str) -> Callable[[Mesh], Repair]:
    """An object is lost, and a quota or an admission policy refuses the new one."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_delete(lost)
        before = mesh.cluster.before_write
        going = [True]

        def hook(verb: str, key: Key) -> None:
            if going[0] and (verb, key.kind) == ("create", kind):
                raise Terminal(reason, f"Creating {key} failed: refused")
            before(verb, key)

        mesh.cluster.before_write = hook
        return lambda: going.__setitem__(0, False)

    return cause


def unhold(key: Key) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key)
        return nothing

    return cause


def binding() -> Key:
    return Key("RoleBinding", "sales", "clouddatamesh-owners")


def edit(key: Key, **parts: Any) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_apply({**dict(mesh.cluster.raw(key) or {}), **parts})
        return nothing

    return cause


def relabel(key: Key, label: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.strip(key, label=label)
        return nothing

    return cause


def mark(key: Key, **parts: dict[str, str]) -> Callable[[Mesh], Repair]:
    """Somebody writes over labels or annotations; an empty value takes one off."""

    def cause(mesh: Mesh) -> Repair:
        found = dict(mesh.cluster.raw(key) or {})
        written = {part: {**(found["metadata"].get(part) or {}), **values} for part, values in parts.items()}
        kept = {part: {name: value for name, value in values.items() if value} for part, values in written.items()}
        mesh.cluster.user_apply({**found, "metadata": {**found["metadata"], **kept}})
        return nothing

    return cause


def lose_status(key: Key) -> Callable[[Mesh], Repair]:
    """As a backup restores it."""

    def cause(mesh: Mesh) -> Repair:
        found = mesh.cluster.raw(key)
        mesh.cluster.write_status(key, str(found and found["metadata"]["uid"]), {"observedGeneration": -1})
        return nothing

    return cause


def distrust_clock(mesh: Mesh) -> Repair:
    mesh.clock.trusted = False
    return lambda: setattr(mesh.clock, "trusted", True)


def blind(*kinds: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.unreadable |= set(kinds)
        return mesh.cluster.unreadable.clear

    return cause
