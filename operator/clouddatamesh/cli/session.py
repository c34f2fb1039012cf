"""One command's view of the cluster: reads with the user's own rights, and remembers what was refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.kubectl import Kubectl
from clouddatamesh.cli.output import note
from clouddatamesh.doctor.reading import NotAllowed, OutOfTime, Reader
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.resources import collection, path
from clouddatamesh.kube.transport import APPLY, MERGE
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.applied import foreign
from clouddatamesh.view.mesh import Mesh

_SECONDS: Final = 120.0
_MANAGER: Final = "kubectl-mesh"
_PAGE: Final = "20000"
"""Objects at most that the API server is asked for at once: it has a first page at hand, and reads further ones from etcd."""


@dataclass
class Session:
    """Reads and writes of one command."""

    api: Kubectl
    namespace: str = ""
    """Given by `-n`; empty if it was not given."""
    mesh: Mesh = field(default_factory=Mesh)
    """All that was read so far."""

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.api, seconds=_SECONDS)

    @cached_property
    def home(self) -> str:
        """The namespace that a name without one is in: of `-n`, else of the kubeconfig's context."""
        return self.namespace or self.api.ask_kubectl("config", "view", "--minify", "-o", "jsonpath={..namespace}").strip() or "default"

    def stream(self, kind: str, namespace: str = "", *, selector: str = "") -> Iterator[Manifest]:
        """The objects of a collection as pages arrive; with a label selector only those. Raises NotAllowed."""
        for found in self._pages(kind, namespace, {"labelSelector": selector} if selector else {}):
            yield {"kind": kind, **found}

    def visible(self, kind: str) -> Iterator[Manifest]:
        """The objects of the namespace that was given, else of all namespaces, else, where that is refused, of the user's own."""
        yield from self.stream(kind, self.namespace) if self.namespace else self.everywhere(kind)

    def everywhere(self, kind: str) -> Iterator[Manifest]:
        """The objects of all namespaces, else, where that is refused, of the user's own."""
        try:
            yield from self.stream(kind)
        except NotAllowed:
            note(f"You may not list these in all namespaces; they are of namespace {self.home}, and -n names another one")
            yield from self.stream(kind, self.home)

    def _pages(self, kind: str, namespace: str, query: Mapping[str, str]) -> Iterator[Manifest]:
        try:
            yield from self._reader.walk(self.api.page, collection(kind, namespace), {"limit": _PAGE, **query})
        except (MeshError, OutOfTime) as error:
            raise Failed(str(error)) from error

    def read(self, kind: str, namespace: str = "", *, selector: str = "") -> None:
        """Add a collection to the mesh, or that it is refused; with a label selector only those objects."""
        try:
            self.mesh |= Mesh.of(self.stream(kind, namespace, selector=selector))
        except NotAllowed:
            self.mesh |= Mesh(refused=frozenset({(kind, namespace)}))

    def fetch(self, key: Key) -> Manifest | None:
        """One object; None where it does not exist or is refused, which the mesh then knows."""
        if key in self.mesh.objects:
            return self.mesh.objects[key]
        try:
            found = self._reader.get(path(key))
        except NotAllowed:
            self.mesh |= Mesh(refused=frozenset({(key.kind, key.namespace)}))
            return None
        except (MeshError, OutOfTime) as error:
            raise Failed(str(error)) from error
        if found is None:
            self.mesh |= Mesh(absent=frozenset({key}))
            return None
        self.mesh |= Mesh.of([{"kind": key.kind, **found}])
        return self.mesh.objects[key]

    def forget(self, key: Key) -> None:
        """Read an object again when it is asked for next. Whoever waits has a time limit of his own."""
        self.__dict__.pop("_reader", None)
        self.mesh = replace(self.mesh, objects={known: found for known, found in self.mesh.objects.items() if known != key})

    def demand(self, key: Key) -> Manifest:
        """One object. Raises Failed where it is not there or not to be read."""
        found = self.fetch(key)
        if found is None and key in self.mesh.absent:
            raise Failed(f"{key} does not exist; `kubectl mesh list` shows the products that you can see")
        if found is None:
            raise Failed(f"You may not read {key}; ask the platform team for the role that reads it (docs/roles.md)")
        return found

    def user(self) -> str:
        """The user's own name, as the API server knows it."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = self.api.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
        except ApiError as error:
            raise Failed(f"The API server does not say who you are: {error.message}") from error
        return str(answer["status"]["userInfo"]["username"])

    def apply(self, manifest: Manifest, *, dry_run: bool = False) -> None:
        """Server-side apply. Raises Failed with the API server's sentence."""
        self._write("PATCH", key_of(manifest), manifest, _query(dry_run=dry_run), {"Content-Type": APPLY})

    def change(self, manifest: Manifest, *, dry_run: bool = False) -> None:
        """The spec of the object of this uid becomes this one, whoever wrote its fields before: an apply refuses to take them over."""
        key = key_of(manifest)
        spec = _in_place_of(self.demand(key)["spec"], manifest["spec"])
        self._write("PATCH", key, {**manifest, "spec": spec}, _query(dry_run=dry_run), {"Content-Type": MERGE})

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> None:
        """POST: what exists already is left alone."""
        self._write("POST", key_of(manifest), manifest, _query(dry_run=dry_run), {})

    def delete(self, key: Key, uid: str, *, dry_run: bool = False) -> None:
        """Delete exactly the object that was read."""
        self._write("DELETE", key, {"preconditions": {"uid": uid}}, {"dryRun": "All"} if dry_run else {}, {})

    def rehearse(self, manifest: Manifest, live: Manifest | None) -> Manifest:
        """What the API server would store in place of an object, or as a new one. Raises Failed with its sentence."""
        if live is None:
            return self._write("POST", key_of(manifest), manifest, _query(dry_run=True), {})
        kept = {name: part for name, part in live["metadata"].items() if name not in ("labels", "annotations", "managedFields")}
        words = {part: {**foreign(live, part), **(manifest["metadata"].get(part) or {})} for part in ("labels", "annotations")}
        metadata = {**kept, **manifest["metadata"], **{part: found for part, found in words.items() if found}}
        body = {**live, **manifest, "metadata": metadata}
        return self._write("PUT", key_of(manifest), body, _query(dry_run=True), {})

    def _write(self, method: str, key: Key, body: Manifest, query: dict[str, str], headers: dict[str, str]) -> Manifest:
        place = collection(key.kind, key.namespace) if method == "POST" else path(key)
        try:
            return self.api.request(method, place, body=body, query=query, headers=headers)
        except ApiError as error:
            raise Failed(_sentence(error, method, key)) from error


def _in_place_of(live: Manifest, wanted: Manifest) -> Manifest:
    """The merge patch that makes one of the other: what is not wanted any more is null."""
    both = {name: (live.get(name), said) for name, said in wanted.items()}
    kept = {
        name: _in_place_of(one, said) if isinstance(one, dict) and isinstance(said, dict) else said for name, (one, said) in both.items()
    }
    return {**dict.fromkeys(name for name in live if name not in wanted), **kept}


def _query(*, dry_run: bool) -> dict[str, str]:
    return {"fieldManager": _MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}


def _sentence(error: ApiError, method: str, key: Key) -> str:
    if error.status == 403 and not error.causes and "cannot" in error.message:
        verb = {"POST": "create", "DELETE": "delete"}.get(method, "change")
        return f"You may not {verb} {key}; docs/roles.md says which role may"
    if error.status == 409 and method == "POST":
        return f"{key} exists already; choose another name, or look at it: kubectl mesh why {key.kind.lower()}/{key.namespace}/{key.name}"
    return error.message or f"The API server refused {key} with HTTP {error.status}"
