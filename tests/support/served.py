"""An API server in memory for the command line: what is there, who may read it, and what was written."""

import base64
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.kube.resources import path as path_of
from clouddatamesh.kube.transport import MERGE
from clouddatamesh.model.objects import Key, Manifest, key_of
from tests.support.mesh import Mesh


@dataclass
class Served:
    """Stands where `Kubectl` does, over a mesh on the fakes, which settles after each write.

    `refused` are kinds that may not be read at all (`Domain`), in one namespace (`Secret inventory`), or in all at once (`DataProduct *`).
    """

    mesh: Mesh
    refused: frozenset[str] = frozenset()
    home: str = "inventory"
    user: str = "kim@example.com"
    """Who asks."""
    written: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What a write to a path is answered with instead: HTTP status and message."""

    @property
    def objects(self) -> dict[Key, Manifest]:
        return {key: self._shown(key) for key in self.mesh.cluster.all_keys()}

    def _shown(self, key: Key) -> Manifest:
        found = self.mesh.cluster.raw(key) or {}
        if key.kind != "Secret":
            return found
        coded = {name: base64.b64encode(said.encode()).decode() for name, said in self.mesh.cluster.secret_data(key).items()}
        return {**found, "data": coded}

    def __call__(self, flags: Sequence[str]) -> Self:
        self.flags = tuple(flags)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ask_kubectl(self, *_: str) -> str:
        return self.home

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One object, one page of a collection, or a write, after which everything settles."""
        if method == "GET":
            return self._read(path, dict(query or {}))
        if path.endswith("/selfsubjectreviews"):
            return {"status": {"userInfo": {"username": self.user}}}
        self.written.append((method, path, body))
        if path in self.answers:
            status, message = self.answers[path]
            raise _error(status, message)
        assert isinstance(body, Mapping)
        if method == "PATCH":
            body = self._patched(path, body, (headers or {}).get("Content-Type", ""))
        if "dryRun" not in (query or {}):
            self._write(method, path, body)
        return dict(body)

    def _patched(self, path: str, body: Manifest, content: str) -> Manifest:
        """A merge patch changes what is there; an apply does not change the renewal that somebody else wrote."""
        found = next((one for key, one in self.objects.items() if path == path_of(key)), {})
        if content == MERGE:
            merged: Manifest = _merged(found, body)
            return merged
        theirs, ours = (one.get("spec", {}).get("renewal") for one in (found, body))
        if theirs and theirs != ours:
            raise _error(409, 'Apply failed with 1 conflict: conflict with "kubectl-patch": .spec.renewal.requestedAt')
        return body

    def _write(self, method: str, path: str, body: Manifest) -> None:
        if method == "DELETE":
            self.mesh.delete(*next((key.kind, key.name, key.namespace) for key in self.objects if path == path_of(key)))
        elif method == "POST" and key_of(body) in self.objects:
            raise _error(409, f"{body['metadata']['name']} already exists")
        else:
            self.mesh.apply(body)
        self.mesh.settle()

    def page(self, path: str, query: Mapping[str, str]) -> Generator[Manifest, None, str]:
        """The objects of a page, and then the token of the next one."""
        found = self.request("GET", path, query=query)
        yield from found["items"]
        return str(found["metadata"].get("continue", ""))

    def read(self, path: str) -> tuple[int, bytes]:
        raise NotImplementedError(path)

    def _read(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        objects = self.objects
        for kind, resource in RESOURCES.items():
            for namespace in ("", *sorted({key.namespace for key in objects if key.kind == kind})):
                if path == collection(kind, namespace if resource.namespaced else ""):
                    return self._page(kind, namespace, query)
        for key, found in objects.items():
            if path == path_of(key):
                self._check(key.kind, key.namespace)
                return dict(found)
        kind = next(kind for kind, resource in RESOURCES.items() if f"/{resource.plural}" in path)
        namespace = path.split("/namespaces/")[1].split("/", maxsplit=1)[0] if "/namespaces/" in path else ""
        self._check(kind, namespace)
        if path == collection(kind, namespace):
            return {"items": [], "metadata": {}}
        raise _error(404, "not found", name=path.rpartition("/")[2])

    def _check(self, kind: str, namespace: str) -> None:
        if {kind, f"{kind} {namespace}"} & self.refused:
            raise _error(403, f'{kind} is forbidden: User "kim" cannot get resource')

    def _page(self, kind: str, namespace: str, query: dict[str, str]) -> dict[str, Any]:
        """Two objects a page, without their kind, as the API server lists them."""
        self._check(kind, namespace)
        if not namespace and f"{kind} *" in self.refused:
            raise _error(403, f'{kind} is forbidden: User "kim" cannot list resource at the cluster scope')
        objects = self.objects
        found = [objects[key] for key in sorted(objects) if key.kind == kind and namespace in ("", key.namespace)]
        start = int(query.get("continue") or 0)
        items = [{name: value for name, value in one.items() if name not in ("kind", "apiVersion")} for one in found[start : start + 2]]
        more = {"continue": str(start + 2)} if start + 2 < len(found) else {}
        return {"items": items, "metadata": more}


def _merged(found: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    inner = {name: _merged(found.get(name) if isinstance(found, Mapping) else None, said) for name, said in patch.items()}
    return {name: said for name, said in {**(found if isinstance(found, Mapping) else {}), **inner}.items() if said is not None}


def _error(status: int, message: str, *, name: str = "") -> ApiError:
    reason = {403: "Forbidden", 404: "NotFound", 409: "AlreadyExists", 422: "Invalid"}[status]
    body = {"kind": "Status", "reason": reason, "message": message, "details": {"name": name}}
    return ApiError(status, json.dumps(body).encode())
