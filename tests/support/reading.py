"""Reading objects as `kubectl get -o json` does, without a process for each: tests that wait ask often."""

from collections.abc import Iterator
from dataclasses import dataclass

import urllib3

from hack.tools.children import ToolError
from tests.support.rest import Api, ApiError, Manifest

_GONE, _FAILED = 404, 500


@dataclass(frozen=True)
class _Resource:
    """A resource and the path of its group and version."""

    path: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    def at(self, namespace: str, name: str = "") -> str:
        """The path of one object, or of all; without a namespace of all namespaces."""
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.path}{place}/{self.plural}{f'/{name}' if name else ''}"


class Reader:
    """What a cluster has, under every name that kubectl knows a resource by. Raises ToolError with what the API server said."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, list[_Resource]] = {}

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        """One object; empty where it does not exist."""
        try:
            return _shown(self._ask(self.path(kind, name, namespace)))
        except ApiError as error:
            if error.code == _GONE:
                return {}
            raise ToolError(str(error)) from None

    def path(self, kind: str, name: str, namespace: str = "") -> str:
        """Where the API server has one object."""
        (resource,) = self._find(kind)
        return resource.at(namespace or "default", name)

    def all(self, kinds: str, namespace: str = "") -> list[Manifest]:
        """All objects of some kinds, separated by commas, or of a category; in one namespace or in all."""
        return [found for kind in kinds.split(",") for resource in self._find(kind) for found in self._items(resource, namespace)]

    def _items(self, resource: _Resource, namespace: str) -> Iterator[Manifest]:
        try:
            found = self._ask(resource.at(namespace))
        except ApiError as error:
            raise ToolError(str(error)) from None
        for item in found["items"]:
            yield _shown({"apiVersion": resource.version, "kind": resource.kind, **item})

    def _find(self, kind: str) -> list[_Resource]:
        word = kind.lower()
        if word not in self._known:
            known: dict[str, list[_Resource]] = {}
            for resource, words in self._discover():
                for name in words:
                    known.setdefault(name, []).append(resource)
            self._known = known  # as a whole: several threads may look at the same time
        if word not in self._known:
            raise ToolError(f"the server doesn't have a resource type {word}")
        return self._known[word]

    def _discover(self) -> Iterator[tuple[_Resource, set[str]]]:
        """Of every group the preferred version; a name that two groups have means the first one's, as with kubectl."""
        taken: set[str] = set()
        groups = [found["preferredVersion"]["groupVersion"] for found in self._ask("/apis")["groups"]]
        for version in ("v1", *groups):
            path, group = (f"/apis/{version}", version.split("/")[0]) if "/" in version else (f"/api/{version}", "")
            for found in self._ask(path)["resources"]:
                if "/" in found["name"] or "get" not in found["verbs"]:
                    continue
                plain = {found["name"], found["singularName"], found["kind"].lower(), *found.get("shortNames", ())} - {""}
                words = {*(plain - taken), *found.get("categories", ()), f"{found['name']}.{group}"}
                taken |= plain
                yield _Resource(path, version, found["name"], found["kind"], found["namespaced"]), words

    def _ask(self, path: str) -> Manifest:
        try:
            return self._api.get(path)
        except ApiError as error:
            if error.code >= _FAILED:
                raise ToolError(str(error)) from None
            raise
        except urllib3.exceptions.HTTPError as error:
            raise ToolError(f"the server did not answer: {error}") from None


def _shown(found: Manifest) -> Manifest:
    """As kubectl shows it: without managedFields."""
    found["metadata"].pop("managedFields", None)
    return found
