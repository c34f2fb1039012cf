"""Applies, patches and rehearsals as kubectl makes them, without a process for each. What is asked of kubectl itself, kubectl is asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import urllib3

from hack.tools.children import ToolError
from tests.support.rest import Api, ApiError, Manifest, message_of

_QUERY = "fieldManager=kubectl&force=true&fieldValidation=Strict"


class Writer:
    """Writes objects under the name of kubectl. Raises ToolError with what the API server said."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[tuple[str, str], tuple[str, bool]] = {}

    def apply(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        """`kubectl apply --server-side --force-conflicts`: after one that is refused it goes on with the others."""
        if refusals := list(self._apply_all(manifests)):
            raise ToolError("\n".join(refusals))

    def patch(self, path: str, change: Mapping[str, Any]) -> None:
        """`kubectl patch --type=merge` of the object at a path."""
        self._must("PATCH", f"{path}?fieldManager=kubectl-patch", change, kind="application/merge-patch+json")

    def rehearse(self, manifest: Mapping[str, Any], *, user: str) -> None:
        """`kubectl create --dry-run=server --as`: nothing is written."""
        collection, _ = self._path(manifest).rsplit("/", 1)
        headers = {"Impersonate-User": user} if user else {}
        self._must("POST", f"{collection}?dryRun=All&fieldManager=kubectl-create&fieldValidation=Strict", manifest, headers=headers)

    def _must(self, method: str, path: str, body: Mapping[str, Any], **sent: Any) -> None:
        try:
            self._api.ask(method, path, dict(body), **sent)
        except ApiError as error:
            raise ToolError(message_of(error)) from None
        except urllib3.exceptions.HTTPError as error:
            raise ToolError(f"the server did not answer: {error}") from None

    def _apply_all(self, manifests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        for manifest in manifests:
            what = f"{manifest['kind']} {manifest['metadata']['name']}"
            try:
                self._must("PATCH", f"{self._path(manifest)}?{_QUERY}", manifest, kind="application/apply-patch+yaml")
            except ToolError as error:
                yield f"{what}: {error}"

    def _path(self, manifest: Mapping[str, Any]) -> str:
        version, metadata = str(manifest["apiVersion"]), manifest["metadata"]
        plural, namespaced = self._resource(version, str(manifest["kind"]))
        place = f"/namespaces/{metadata.get('namespace') or 'default'}" if namespaced else ""
        return f"{_root(version)}{place}/{plural}/{metadata['name']}"

    def _resource(self, version: str, kind: str) -> tuple[str, bool]:
        """Plural and whether it has a namespace; of a kind that is not known yet the API server is asked again."""
        if (version, kind) not in self._known:
            found: list[Manifest] = self._api.get(_root(version))["resources"]
            self._known |= {(version, r["kind"]): (r["name"], r["namespaced"]) for r in found if "/" not in r["name"]}
        if (version, kind) not in self._known:
            raise ToolError(f'no matches for kind "{kind}" in version "{version}"')
        return self._known[version, kind]


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
