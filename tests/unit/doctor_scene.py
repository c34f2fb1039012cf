"""An API server of a few paths, and a subject that reads it, for the tests of `clouddatamesh doctor`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clouddatamesh.doctor.findings import Finding, Result
from clouddatamesh.doctor.reading import Reader
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.shell.access import needs

NAMESPACE = "mesh-system"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPERATOR = f"system:serviceaccount:{NAMESPACE}:clouddatamesh"


@dataclass
class Server:
    """Objects, lists and error codes by path. Lists are served in pages of `page`. `denied` are needs, as text, that no review grants."""

    objects: dict[str, Any] = field(default_factory=dict)
    page: int = 2
    denied: frozenset[str] = frozenset()
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    repeats: bool = False

    def request(self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None, **_: Any) -> dict[str, Any]:
        self.asked.append(f"{method} {path}")
        found = self.objects.get(path, 404)
        if isinstance(found, int) and (found != 404 or method == "GET"):
            about = {"name": path.rpartition("/")[2]}
            raise ApiError(found, json.dumps({"kind": "Status", "message": "as planned", "details": about}).encode())
        if method == "POST":
            return {"status": {"allowed": self._allows(body["spec"]["resourceAttributes"])}}
        return self._list(found, query or {}) if isinstance(found, list) else dict(found)

    def _allows(self, asked: Mapping[str, str]) -> bool:
        return not {"*", f"{asked['verb']} {asked['resource']}"} & self.denied

    def _list(self, found: list[Any], query: Mapping[str, str]) -> dict[str, Any]:
        size, first = min(self.page, int(query["limit"])), 0 if self.repeats else int(query.get("continue") or 0)
        more = str(first + size) if first + size < len(found) else ""
        return {"items": found[first : first + size], "metadata": {"continue": more} if more else {}}

    def read(self, path: str) -> tuple[int, bytes]:
        code, text = self.pages[path]
        return code, text.encode()


class Clock:
    """Seconds that pass only by waiting."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def a_subject(server: Server | None = None, *, user: str = "admin", leads: bool | None = None, clock: Clock | None = None) -> Subject:
    """Whoever checks the installation in NAMESPACE at NOW, with 100 s to do so."""
    reader = Reader(server or Server(), seconds=100.0, monotonic=(clock or Clock()).now)
    own = frozenset(needs(NAMESPACE))
    return Subject(reader, NAMESPACE, user, "0.1.0", lambda: NOW, own=own, leads=leads, deployed=True, release="clouddatamesh", mesh="acme")


def said(results: Iterable[Result]) -> list[str]:
    """Object and fault of every finding."""
    return [f"{one.object}: {one.what}" for one in results if isinstance(one, Finding)]


def the_only(results: Iterable[Result]) -> Finding:
    """The one finding."""
    (found,) = (one for one in results if isinstance(one, Finding))
    return found
