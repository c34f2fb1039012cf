"""A public fake of the cluster: the Cluster port over a small API server in memory, and what users do. It reaches nothing."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import Away, Terminal, Transient, Waiting
from clouddatamesh.kube.memory_objects import Objects, copied
from clouddatamesh.kube.memory_rights import is_readable
from clouddatamesh.kube.memory_secrets import own
from clouddatamesh.kube.memory_shown import Shown, is_watched
from clouddatamesh.kube.memory_view import View
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from clouddatamesh.model.operations import SecretPatch
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan import marks

_USER: Final = "kubectl"
_MERGED: Final = ("labels", "annotations")
_SYSTEMS: Final = ("uid", "generation", "creationTimestamp", "deletionTimestamp", "managedFields", "finalizers", "resourceVersion")


class MemoryCluster:
    """The Cluster port, and what users and the control plane do. `writes` lists what the operator wrote.

    As from the real cache, what is read is shared and must not be changed.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.before_write: Callable[[str, Key], None] = lambda _verb, _key: None
        self.after_write: Callable[[str, Key], None] = lambda _verb, _key: None
        self.writes: list[tuple[str, Key]] = []
        self.events: list[tuple[Key, Event]] = []
        self._settings = settings
        self._objects = Objects(now)
        self._view = View(self._objects)
        self._shown = Shown(self._view)
        self.unreadable: set[str] = set()
        """Kinds that cannot be read live: the answer is Unknown."""
        self._to_lose = 0
        self._own: dict[str, dict[str, str]] = {}
        for name in ("default", "kube-system", settings.namespace):
            self.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def take_over(self, other: "MemoryCluster") -> None:
        """Begin as another fake is: its objects, its own Secrets and its events."""
        self._objects.take_over(other._objects)
        self._own, self.events = dict(other._own), list(other.events)

    # What users and the control plane do

    def user_apply(self, manifest: Manifest) -> None:
        """Create, or replace what a user writes: labels, annotations and everything but status. A Secret's other data stays."""
        key = key_of(manifest)
        with self._objects.lock:
            old = self._objects.get(key)
            if old is None:
                self._objects.insert(key, manifest, manager=_USER)
                return
            kept = {name: old["metadata"][name] for name in _SYSTEMS if name in old["metadata"]}
            new = {**copied(dict(manifest)), "metadata": {**copied(dict(manifest["metadata"])), **kept}}
            if key.kind == "Secret":
                own(old, new, manager=_USER)
            self._objects.put(key, {**new, **({"status": old["status"]} if "status" in old else {})})

    def user_delete(self, key: Key) -> None:
        """DELETE: gone at once, or marked where finalizers or a namespace's content hold it."""
        self._objects.delete(key)

    def be_cluster(self, uid: str) -> None:
        """Be the cluster of this UID, which is kube-system's."""
        key = Key("Namespace", "", "kube-system")
        with self._objects.lock:
            found = self._objects[key]
            self._objects.put(key, {**found, "metadata": {**found["metadata"], "uid": uid}})

    def user_finalize(self, key: Key, *finalizers: str) -> None:
        """Somebody sets the list of finalizers."""
        with self._objects.lock:
            found = self._objects[key]
            self._objects.put(key, {**found, "metadata": {**found["metadata"], "finalizers": list(finalizers)}})

    def strip(self, key: Key, *, label: str) -> None:
        """Somebody takes a label off."""
        with self._objects.lock:
            found = self._objects[key]
            labels = {name: value for name, value in (found["metadata"].get("labels") or {}).items() if name != label}
            self._objects.put(key, {**found, "metadata": {**found["metadata"], "labels": labels}})

    def hold_back(self, *kinds: str) -> None:
        """The cache of these kinds falls behind: what others do to them does not show; live reads and our own writes do."""
        for kind in kinds:
            self._view.hold_back(kind)

    def catch_up(self, *kinds: str) -> None:
        """The cache of these kinds, or of all, is as the cluster is."""
        self._view.catch_up(*kinds)

    def restart(self) -> None:
        """The process begins again: its cache is listed again, and what departed is not known any more."""
        self.catch_up()
        self._objects.departed.clear()

    def lose_answers(self, count: int = 1) -> None:
        """The next writes are done, and their answers lost."""
        self._to_lose = count

    def stop_counting(self, *names: str) -> None:
        """No ResourceQuota counts these any more, `*`: nor anything else."""
        self._objects.uncounted |= set(names)

    def start_counting(self) -> None:
        """All names are counted again, and what there is of ResourceQuotas at once."""
        self._objects.uncounted.clear()
        for key in self.all_keys():
            if key.kind == "ResourceQuota":
                self._objects.put(key, self._objects[key])

    def put_own_secret(self, name: str, data: Mapping[str, str]) -> None:
        """A Secret in the operator's own namespace."""
        self._own[name] = dict(data)

    def secret_data(self, key: Key) -> dict[str, str]:
        """The decoded data of any Secret, for assertions."""
        return {name: base64.b64decode(value).decode() for name, value in self._objects[key].get("data", {}).items()}

    def raw(self, key: Key) -> Mapping[str, Any] | None:
        """An object whether or not the operator would see it."""
        return self._objects.get(key)

    def all_keys(self) -> tuple[Key, ...]:
        """Every object there is."""
        return self._objects.all_keys()

    # The port

    def get(self, key: Key) -> Manifest | None:
        found = self._view.get(key)
        return found if found is not None and is_watched(found) else None

    def list(self, kind: str) -> tuple[Manifest, ...]:
        return self._shown.list(kind)

    def keys(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return tuple(key for key in map(key_of, self.list(kind)) if namespace in (None, key.namespace))

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        return self._shown.referring(key, kind)

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        return tuple(map(key_of, self.referring(key, kind)))

    def named(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return tuple(target for target in self._shown.targets(kind) if namespace in (None, target.namespace))

    def departed(self, key: Key) -> Manifest | None:
        shown, gone = self._view.get(key), self._objects.departed.get(key)
        is_seen = shown is None or gone is None or shown["metadata"]["uid"] != gone["metadata"]["uid"]
        return gone if is_seen else None

    def read(self, key: Key) -> Seen[Manifest]:
        return self.read_metadata(key) if key.kind == "Secret" else self._look(key)

    def read_metadata(self, key: Key) -> Seen[Manifest]:
        match self._look(key):
            case Present(found):
                made = {"manager": self._objects.makers.get(found["metadata"]["uid"], ""), "operation": "Update"}
                metadata = {"managedFields": [made], **copied(found["metadata"])}
                return Present({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata})
            case unseen:
                return unseen

    def _look(self, key: Key) -> Seen[Manifest]:
        if not is_readable(key.kind):
            return Unknown(Transient(reasons.ACCESS_DENIED, f"Reading {key} failed: the operator's role does not let it"))
        if key.kind in self.unreadable:
            return Unknown(Away(reasons.CLUSTER_UNAVAILABLE, f"Reading {key} failed: the API server does not answer"))
        found = self._objects.get(key)
        return Absent() if found is None else Present(found)

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        return self._own.get(name)

    def create(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        self._check_namespace(key)
        if self._objects.get(key) is not None:
            raise Terminal(reasons.NOT_OWNED, f"{key} exists already and was not made by this operator")
        self._write("create", key, lambda: self._objects.insert(key, manifest, manager=marks.MANAGER))

    def apply(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        found = self._bound(key, manifest["metadata"]["uid"])
        merged = {part: {**(found["metadata"].get(part) or {}), **(manifest["metadata"].get(part) or {})} for part in _MERGED}
        metadata = {**found["metadata"], **{part: value for part, value in merged.items() if value}}
        body = {name: copied(value) for name, value in manifest.items() if name not in ("metadata", "status")}
        self._write("apply", key, lambda: self._objects.put(key, {**found, **body, "metadata": metadata}))

    def patch_secret(self, key: Key, uid: str, patch: SecretPatch) -> None:
        found = self._bound(key, uid)
        merged: dict[str, Any] = {
            "annotations": {**(found["metadata"].get("annotations") or {}), **dict(patch.annotations)},
            "labels": {**(found["metadata"].get("labels") or {}), **dict(patch.labels)},
            **({"ownerReferences": [dict(owner) for owner in patch.owners]} if patch.owners is not None else {}),
        }
        metadata = {name: value for name, value in {**copied(found["metadata"]), **merged}.items() if value or name not in merged}
        self._merge(key, found, {**copied(found), "metadata": metadata, "stringData": dict(patch.data)}, kind=patch.type)

    def claim_secret(self, key: Key, uid: str, *, data: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        found = self._bound(key, uid)
        metadata = {**copied(found["metadata"]), "annotations": {**(found["metadata"].get("annotations") or {}), **annotations}}
        self._merge(key, found, {**copied(found), "metadata": metadata, "stringData": dict(data)}, claims=frozenset(data))

    def _merge(self, key: Key, found: dict[str, Any], new: dict[str, Any], *, kind: str = "", claims: frozenset[str] = frozenset()) -> None:
        own(found, new, manager=marks.MANAGER, claims=claims)
        if (found.get("immutable") and new["data"] != found.get("data")) or kind not in ("", found.get("type", "Opaque")):
            raise Terminal(reasons.SECRET_IMMUTABLE, f"{key} is immutable; delete it, and the operator recreates it")
        self._write("patch", key, lambda: self._objects.put(key, new))

    def delete(self, key: Key, uid: str) -> None:
        if self._living(key, uid) is not None:
            self._write("delete", key, lambda: self._objects.delete(key))

    def write_status(self, key: Key, uid: str, status: Mapping[str, Any], *, version: str = "") -> bool:
        found = self._living(key, uid)
        if found is None:
            return False
        if version not in ("", found["metadata"]["resourceVersion"]):
            raise Transient(reasons.CONFLICT, f"{key} changed at the same time")
        self._write("status", key, lambda: self._objects.put(key, {**found, "status": copied(dict(status))}))
        return True

    def write_finalizer(self, key: Key, uid: str, present: bool) -> None:
        found = self._living(key, uid)
        held = tuple(found["metadata"].get("finalizers") or ()) if found else ()
        if present and (found is None or (marks.FINALIZER not in held and found["metadata"].get("deletionTimestamp"))):
            raise Transient(reasons.CONFLICT, f"{key} was deleted, replaced or changed at the same time")
        if found is None:
            return
        if not present:
            self._objects.departed.release(uid)
        others = [name for name in held if name != marks.FINALIZER]
        metadata = {**found["metadata"], "finalizers": [*others, *([marks.FINALIZER] if present else [])]}
        self._write("finalizer", key, lambda: self._objects.put(key, {**found, "metadata": metadata}))

    def mark_namespace(self, name: str, uid: str, *, labels: Mapping[str, str | None], annotations: Mapping[str, str | None]) -> None:
        key = Key("Namespace", "", name)
        found = self._bound(key, uid)
        metadata = dict(found["metadata"])
        for part, changes in (("labels", labels), ("annotations", annotations)):
            merged = {**(metadata.get(part) or {}), **changes}
            metadata[part] = {name: value for name, value in merged.items() if value is not None}
        self._write("label", key, lambda: self._objects.put(key, {**found, "metadata": metadata}))

    def emit(self, key: Key, uid: str, event: Event) -> None:  # noqa: ARG002 - the port's
        self.events.append((key, event))

    # How it works

    def _write(self, verb: str, key: Key, change: Callable[[], object]) -> None:
        self.before_write(verb, key)
        with self._objects.lock:
            change()
            self.writes.append((verb, key))
        self.after_write(verb, key)
        if self._to_lose:
            self._to_lose -= 1
            raise Away(reasons.CLUSTER_UNAVAILABLE, f"{verb} {key}: the API server did not answer")
        self._view.keep(key)

    def _check_namespace(self, key: Key) -> None:
        if not key.namespace:
            return
        namespace = self._objects.get(Key("Namespace", "", key.namespace))
        if namespace is None:
            raise Transient(reasons.CONFLICT, f"Creating {key} failed: its namespace does not exist")
        if namespace["metadata"].get("deletionTimestamp"):
            raise Waiting(reasons.NAMESPACE_TERMINATING, f"Creating {key} waits for the end of its namespace")

    def _living(self, key: Key, uid: str) -> dict[str, Any] | None:
        found = self._objects.get(key)
        return found if found is not None and found["metadata"]["uid"] == uid else None

    def _bound(self, key: Key, uid: str) -> dict[str, Any]:
        found = self._living(key, uid)
        if found is None:
            raise Transient(reasons.CONFLICT, f"{key} was replaced at the same time")
        return found
