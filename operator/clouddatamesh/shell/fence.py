"""Ports that refuse each write once this replica no longer leads. Reads go on. What was refused, and what ended late, is counted.

A write of a port may be several requests, between which this process may have stood still for minutes. So each request is asked about
once more by the clients that send it: after the Lease is lost, no more arrives than what was on its way, one request of each worker.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities, Ports, Stores
from clouddatamesh.shell.meters import FenceMeter, NoMeter

_READS: Final = (
    "get",
    "list",
    "keys",
    "referring",
    "naming",
    "named",
    "departed",
    "read",
    "read_metadata",
    "get_own_secret",
    "observe",
    "count",
    "account",
)
_HARMLESS: Final = frozenset({*_READS, "emit", "is_trusted"})
"""Reads, and events, which never fail."""

_NO_METER: Final = NoMeter()
P = TypeVar("P")


def fence(ports: Ports, gate: "Gate") -> Ports:
    """The same ports, every write of which passes the gate first."""
    return replace(ports, cluster=_fenced(ports.cluster, gate, "cluster"), stores=_FencedStores(ports.stores, gate))


class Gate:
    """What every write passes through: it asks `leads` at that moment."""

    def __init__(self, leads: Callable[[], bool], meter: FenceMeter = _NO_METER) -> None:
        self._leads, self._meter = leads, meter

    def check(self, port: str) -> None:
        """Raises Transient where this replica does not lead."""
        if not self._leads():
            self._meter.fenced(port)
            raise Transient(reasons.CONFLICT, "Another replica leads; writing is left to it")

    def check_call(self, service: str) -> None:
        """Of a store's client, before a request."""
        self.check("identities" if service == "iam" else "buckets")

    def run(self, port: str, write: Callable[[], Any]) -> Any:
        """A write of a port, counted where it ends too late."""
        self.check(port)
        try:
            return write()
        finally:
            if not self._leads():
                self._meter.late(port)


class _Fenced:
    """Not typed as a port itself, so that a method added to a port is fenced until it is named harmless."""

    def __init__(self, port: object, gate: Gate, name: str) -> None:
        self._port, self._gate, self._name = port, gate, name

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return found if name in _HARMLESS else self._guard(found)

    def _guard(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **named: Any) -> Any:
            return self._gate.run(self._name, lambda: write(*args, **named))

        return guarded


def _fenced(port: P, gate: Gate, name: str) -> P:
    return cast(P, _Fenced(port, gate, name))


class _FencedStores:
    def __init__(self, stores: Stores, gate: Gate) -> None:
        self._stores, self._gate = stores, gate

    def buckets(self, connection: Connection) -> BucketStore:
        return _fenced(self._stores.buckets(connection), self._gate, "buckets")

    def identities(self, connection: Connection) -> Identities:
        return _fenced(self._stores.identities(connection), self._gate, "identities")
