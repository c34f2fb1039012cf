"""Reads of the API server within a time limit, a page at a time. What is refused names the right that is missing. Nothing is written."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final, Protocol, TypeAlias

from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.kube.access import Asked, Need, is_granted
from clouddatamesh.kube.errors import ApiError, is_absent, translate
from clouddatamesh.kube.served import is_served
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Manifest

_PAGE: Final = 500
_REFUSED: Final = 403


class Pages(Transport, Protocol):
    """What is asked of kube.client.Client."""

    def read(self, path: str) -> tuple[int, bytes]: ...


Page: TypeAlias = Callable[[str, Mapping[str, str]], Generator[Manifest, None, str]]
"""Reads a page by path and query: its objects, and then the token by which the list goes on. Raises ApiError."""


class NotAllowed(Exception):
    """The API server refuses a read; `need` is the permission that is missing."""

    def __init__(self, need: Need) -> None:
        super().__init__(f"the permission to {need}")
        self.need = need


class OutOfTime(Exception):
    """The time for all checks has passed."""


class Reader:
    """Reads until `seconds` have passed. A single request may end later by the client's own limit, half a minute."""

    def __init__(self, client: Pages, *, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client, self._monotonic, self._seconds = client, monotonic, seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left."""
        return max(self._end - self._monotonic(), 0.0)

    def check_time(self) -> None:
        """Raises OutOfTime once the time has passed."""
        if not self.left():
            raise OutOfTime(f"the {self._seconds:.0f} s of --timeout have passed; run it again with a longer --timeout")

    def get(self, path: str) -> Manifest | None:
        """One object, None where it or its kind does not exist."""
        return self._ask("get", path)

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Manifest]:
        """The objects of a collection, no more than a page in memory. A kind that does not exist has none."""
        return self.walk(self._page, path, {"limit": str(_PAGE), **(query or {})})

    def walk(self, page: Page, path: str, query: Mapping[str, str]) -> Iterator[Manifest]:
        """The objects of a collection, whose pages are read by `page`."""
        token = ""
        while True:
            self.check_time()
            former = token
            try:
                token = yield from page(path, {**query, **({"continue": token} if token else {})})
            except ApiError as error:
                if self._is_nothing(error, path):
                    return
                raise self._explain(error, "list", path) from error
            if not token:
                return
            if token == former:
                raise Transient("", f"The list of {path} does not end: the API server repeats a page; run the command again")

    def _page(self, path: str, query: Mapping[str, str]) -> Generator[Manifest, None, str]:
        found = self._client.request("GET", path, query=query)
        yield from found["items"]
        return str(found["metadata"].get("continue", ""))

    def some(self, path: str, most: int, query: Mapping[str, str] | None = None) -> tuple[Manifest, ...]:
        """The first objects of a collection."""
        page = self._ask("list", path, {**(query or {}), "limit": str(most)})
        return tuple(page["items"])[:most] if page else ()

    def page(self, path: str) -> tuple[int, str]:
        """HTTP status and text of a page behind the API server. Raises NotAllowed."""
        self.check_time()
        code, body = self._client.read(path)
        text = body.decode(errors="replace")
        if code == _REFUSED and '"Status"' in text:
            raise NotAllowed(right_of("get", path))
        return code, text

    def review(self, kind: str, group: str) -> Mapping[str, Any]:
        """The answer to a question that is asked by POST and creates nothing, such as SelfSubjectReview."""
        body = {"apiVersion": f"{group}/v1", "kind": kind}
        path = f"/apis/{group}/v1/{kind.lower()}s"
        try:
            return self._client.request("POST", path, body=body)
        except ApiError as error:
            raise self._explain(error, "create", path) from error

    def is_granted(self, need: Need, asked: Asked) -> bool:
        """Whether a permission is granted to the user that is asked for. Raises NotAllowed, and MeshError without an answer."""
        self.check_time()
        try:
            return is_granted(self._client, need, asked)
        except MeshError as error:
            cause = error.__cause__
            if isinstance(cause, ApiError) and cause.status == _REFUSED:
                raise NotAllowed(Need("create", "authorization.k8s.io", f"{asked.review.lower()}s")) from error
            raise

    def _ask(self, verb: str, path: str, query: Mapping[str, str] | None = None) -> Manifest | None:
        self.check_time()
        try:
            return self._client.request("GET", path, query=query)
        except ApiError as error:
            if self._is_nothing(error, path):
                return None
            raise self._explain(error, verb, path) from error

    def _is_nothing(self, error: ApiError, path: str) -> bool:
        """Whether there is no such object, or no such kind."""
        return is_absent(error) or (error.status == 404 and not is_served(self._client, path))

    def _explain(self, error: ApiError, verb: str, path: str) -> Exception:
        if error.status == _REFUSED:
            return NotAllowed(right_of(verb, path))
        return translate(error, f"Reading {path}")


def right_of(verb: str, path: str) -> Need:
    """The permission that a request needs, by its path."""
    words = path.strip("/").split("/")
    group, rest = ("", words[2:]) if words[0] == "api" else (words[1], words[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, *further = (*rest, "")
    return Need(verb, group, resource, further[0] if further else "", namespace, name.partition(":")[0])
