"""Ports that refuse each write once this replica no longer leads. Reads go on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities, Ports, Stores

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

P = TypeVar("P")


def fence(ports: Ports, leads: Callable[[], bool]) -> Ports:
    """The same ports, every write of which asks `leads` first."""
    return replace(ports, cluster=_fenced(ports.cluster, leads), stores=_FencedStores(ports.stores, leads))


class _Fenced:
    """Not typed as a port itself, so that a method added to a port is fenced until it is named harmless."""

    def __init__(self, port: object, leads: Callable[[], bool]) -> None:
        self._port, self._leads = port, leads

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return found if name in _HARMLESS else self._guard(found)

    def _guard(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **named: Any) -> Any:
            if not self._leads():
                raise Transient(reasons.CONFLICT, "Another replica leads; writing is left to it")
            return write(*args, **named)

        return guarded


def _fenced(port: P, leads: Callable[[], bool]) -> P:
    return cast(P, _Fenced(port, leads))


class _FencedStores:
    def __init__(self, stores: Stores, leads: Callable[[], bool]) -> None:
        self._stores, self._leads = stores, leads

    def buckets(self, connection: Connection) -> BucketStore:
        return _fenced(self._stores.buckets(connection), self._leads)

    def identities(self, connection: Connection) -> Identities:
        return _fenced(self._stores.identities(connection), self._leads)
