"""A public fake of the cluster: a small API server in memory, with uids, generations, finalizers and field managers. It reaches nothing."""

import base64
import itertools
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan import marks

_CREATED = "2026-01-01T00:00:00Z"


class MemoryCluster:
    """The Cluster port, and beside it what users and the control plane do. `writes` lists what the operator wrote."""

    def __init__(self, settings: Settings) -> None:
        self.before_write: Callable[[str, Key], None] = lambda _verb, _key: None
        self.after_write: Callable[[str, Key], None] = lambda _verb, _key: None
        self.writes: list[tuple[str, Key]] = []
        self.events: list[tuple[Key, Event]] = []
        self._settings = settings
        self._objects: dict[Key, dict[str, Any]] = {}
        self._own: dict[str, dict[str, str]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        for name in ("default", "kube-system", settings.namespace):
            self.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    # What users and the control plane do

    def user_apply(self, manifest: Manifest) -> None:
        """Create, or replace what a user writes: labels, annotations and everything but status."""
        key = key_of(manifest)
        with self._lock:
            old = self._objects.get(key)
            new = deepcopy(dict(manifest))
            if old is None:
                self._insert(key, new, "kubectl")
                return
            kept = {"finalizers", "uid", "generation", "creationTimestamp", "deletionTimestamp", "managedFields"}
            metadata = {**new["metadata"], **{name: value for name, value in old["metadata"].items() if name in kept}}
            status = {"status": old["status"]} if "status" in old else {}
            changed = {**new, "metadata": metadata, **status}
            if changed.get("spec") != old.get("spec"):
                metadata["generation"] += 1
            self._objects[key] = changed
            self._own_fields(changed, new, "kubectl")

    def user_delete(self, key: Key) -> None:
        """DELETE: gone at once, or marked where finalizers hold it."""
        with self._lock:
            found = self._objects.get(key)
            if found is None:
                return
            found["metadata"].setdefault("deletionTimestamp", _CREATED)
            self._objects[key] = {**found, "metadata": {**found["metadata"], "generation": found["metadata"].get("generation", 0) + 1}}
            self._collect(key)

    def strip(self, key: Key, *, label: str) -> None:
        """Somebody takes a label off."""
        with self._lock:
            labels = self._objects[key]["metadata"].setdefault("labels", {})
            labels.pop(label, None)

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
        return tuple(sorted(self._objects))

    # The port

    def get(self, key: Key) -> Manifest | None:
        found = self._objects.get(key)
        return deepcopy(found) if found is not None and self._is_watched(found) else None

    def list(self, kind: str) -> tuple[Manifest, ...]:
        with self._lock:
            return tuple(
                deepcopy(self._objects[key]) for key in sorted(self._objects) if key.kind == kind and self._is_watched(self._objects[key])
            )

    def get_metadata(self, key: Key) -> Manifest | None:
        found = self._objects.get(key)
        return None if found is None else deepcopy({name: found[name] for name in ("apiVersion", "kind", "metadata")})

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        return self._own.get(name)

    def create(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        if key in self._objects:
            raise Terminal(reasons.NOT_OWNED, f"{key} exists already and was not made by this operator")
        self._write("create", key, lambda: self._insert(key, deepcopy(dict(manifest)), marks.MANAGER))

    def apply(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        found = self._owned_by(key, manifest["metadata"]["uid"])
        if found is None:
            raise Transient(reasons.CONFLICT, f"{key} changed at the same time")

        def change() -> None:
            kept = {**found["metadata"], **{k: v for k, v in manifest["metadata"].items() if k not in ("labels", "annotations")}}
            for part in ("labels", "annotations"):
                kept[part] = {**(found["metadata"].get(part) or {}), **(manifest["metadata"].get(part) or {})}
            self._objects[key] = {**found, **deepcopy(dict(manifest)), "metadata": kept}
            if key.kind == "ResourceQuota":
                self._objects[key]["status"] = {"used": dict.fromkeys(manifest["spec"]["hard"], "0")}

        self._write("apply", key, change)

    def patch_secret(self, key: Key, uid: str, *, data: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        found = self._owned_by(key, uid)
        if found is None:
            raise Transient(reasons.CONFLICT, f"{key} changed at the same time")

        def change() -> None:
            found["data"] = {**found.get("data", {}), **{name: _encode(value) for name, value in data.items()}}
            found["metadata"]["annotations"] = {**(found["metadata"].get("annotations") or {}), **annotations}

        self._write("patch", key, change)

    def delete(self, key: Key, uid: str) -> None:
        if self._owned_by(key, uid) is not None:
            self._write("delete", key, lambda: self._objects.pop(key, None) and None)

    def write_status(self, key: Key, uid: str, status: Mapping[str, Any]) -> None:
        found = self._owned_by(key, uid)
        if found is not None:
            self._write("status", key, lambda: found.update(status=deepcopy(dict(status))))

    def write_finalizer(self, key: Key, uid: str, present: bool) -> None:
        found = self._owned_by(key, uid)
        if found is None:
            return

        def change() -> None:
            others = [name for name in found["metadata"].get("finalizers", ()) if name != marks.FINALIZER]
            found["metadata"]["finalizers"] = [*others, *([marks.FINALIZER] if present else [])]
            self._collect(key)

        self._write("finalizer", key, change)

    def label_namespace(self, name: str, uid: str, labels: Mapping[str, str | None]) -> None:
        key = Key("Namespace", "", name)
        found = self._owned_by(key, uid)
        if found is None:
            raise Transient(reasons.CONFLICT, f"{key} changed at the same time")

        def change() -> None:
            merged = {**(found["metadata"].get("labels") or {}), **labels}
            found["metadata"]["labels"] = {label: value for label, value in merged.items() if value is not None}

        self._write("label", key, change)

    def emit(self, key: Key, uid: str, event: Event) -> None:  # noqa: ARG002 - the port's
        self.events.append((key, event))

    # How it works

    def _write(self, verb: str, key: Key, change: Callable[[], object]) -> None:
        self.before_write(verb, key)
        with self._lock:
            change()
            self.writes.append((verb, key))
        self.after_write(verb, key)

    def _insert(self, key: Key, manifest: dict[str, Any], manager: str) -> None:
        number = next(self._numbers)
        self._own_fields(manifest, deepcopy(manifest), manager)
        for name, value in manifest.pop("stringData", {}).items():
            manifest.setdefault("data", {})[name] = _encode(value)
        created = {"uid": f"uid-{number}", "generation": 1, "creationTimestamp": _CREATED, "resourceVersion": str(number)}
        manifest["metadata"] = {**manifest["metadata"], **created}
        if key.kind == "ResourceQuota":
            manifest["status"] = {"used": dict.fromkeys(manifest["spec"]["hard"], "0")}
        if key.kind in ("ObjectStore", "Domain", "DataProduct"):
            manifest["status"] = {"observedGeneration": -1}
        self._objects[key] = manifest

    def _own_fields(self, manifest: dict[str, Any], written: Mapping[str, Any], manager: str) -> None:
        """Who wrote which key of a Secret's data last."""
        names = {f"f:{name}" for part in ("data", "stringData") for name in written.get(part, ())}
        others = [
            {**entry, "fieldsV1": {"f:data": {name: {} for name in entry["fieldsV1"]["f:data"] if name not in names}}}
            for entry in manifest["metadata"].get("managedFields", ())
            if entry["manager"] != manager
        ]
        if manifest["kind"] == "Secret":
            manifest["metadata"]["managedFields"] = [
                *others,
                {"manager": manager, "fieldsV1": {"f:data": {name: {} for name in sorted(names)}}},
            ]

    def _collect(self, key: Key) -> None:
        metadata = self._objects[key]["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            del self._objects[key]

    def _owned_by(self, key: Key, uid: str) -> dict[str, Any] | None:
        found = self._objects.get(key)
        return found if found is not None and found["metadata"]["uid"] == uid else None

    @staticmethod
    def _is_watched(manifest: Mapping[str, Any]) -> bool:
        if manifest["kind"] in ("ObjectStore", "Domain", "DataProduct", "Namespace"):
            return True
        return bool((manifest["metadata"].get("labels") or {}).get(marks.MANAGED_LABEL) == marks.MANAGER) and manifest["kind"] != "Secret"


def _encode(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
