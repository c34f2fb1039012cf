"""The Cluster port over a real API server. Reads of our kinds come from the cache; every write is one request, and shows there at once."""

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.errors import ApiError, is_absent, is_failed_test, is_immutable, is_other_uid, translate
from clouddatamesh.kube.resources import RESOURCES, collection, path
from clouddatamesh.kube.secrets import claim_of, merge_of
from clouddatamesh.kube.transport import APPLY, JSON_PATCH, MERGE, METADATA_ONLY, Transport
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from clouddatamesh.model.operations import SecretPatch
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan import marks

_log = logging.getLogger(__name__)
_CONTROLLER: Final = f"{marks.GROUP}/operator"
_OURS: Final = {"fieldManager": marks.MANAGER}
_OWN_SECRET_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 5.0


class KubeCluster:
    """One cluster, as one replica of the operator sees it."""

    def __init__(self, client: Transport, cache: Cache, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client, self._cache, self._settings, self._monotonic = client, cache, settings, monotonic
        self._own_secrets: dict[str, tuple[float, Mapping[str, str] | None]] = {}
        self._written: dict[Key, tuple[float, Seen[Manifest]]] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Manifest | None:
        return self._cache.get(key)

    def list(self, kind: str) -> tuple[Manifest, ...]:
        return self._cache.list(kind)

    def keys(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return self._cache.keys(kind, namespace)

    def referring(self, key: Key, kind: str) -> tuple[Manifest, ...]:
        return self._cache.referring(key, kind)

    def naming(self, key: Key, kind: str) -> tuple[Key, ...]:
        return self._cache.naming(key, kind)

    def named(self, kind: str, namespace: str | None = None) -> tuple[Key, ...]:
        return self._cache.named(kind, namespace)

    def departed(self, key: Key) -> Manifest | None:
        return self._cache.departed(key)

    def read(self, key: Key) -> Seen[Manifest]:
        """Of a Secret only the metadata: its data is never asked for."""
        return self.read_metadata(key) if key.kind == "Secret" else self._look(key, {})

    def read_metadata(self, key: Key) -> Seen[Manifest]:
        """The answer to a write of ours a moment ago is as good as a read, once."""
        written, answer = self._written.pop(key, (0.0, None))
        if answer is not None and self._monotonic() - written < _ANSWER_SECONDS:
            return answer
        return self._look(key, {"Accept": METADATA_ONLY})

    def is_there(self, key: Key) -> bool:
        """Whether an object is there and not being deleted, as the API server's cache has it; where there is no answer, it may be."""
        try:
            found = self._client.request("GET", path(key), query={"resourceVersion": "0"}, headers={"Accept": METADATA_ONLY})
        except ApiError as error:
            return not is_absent(error)
        except MeshError:
            return True
        return not found["metadata"].get("deletionTimestamp")

    def _look(self, key: Key, headers: Mapping[str, str]) -> Seen[Manifest]:
        try:
            return Present(self._client.request("GET", path(key), headers=headers))
        except ApiError as error:
            gone = is_absent(error) or self._went_with_namespace(key, error)
            return Absent() if gone else Unknown(translate(error, f"Reading {key}"))
        except MeshError as error:
            return Unknown(error)

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        """At most 30 s old, so that a thousand products do not read it a thousand times."""
        now = self._monotonic()
        with self._lock:
            read, data = self._own_secrets.get(name, (-_OWN_SECRET_SECONDS, None))
            if now - read >= _OWN_SECRET_SECONDS:
                data = self._read_own_secret(name)
                self._own_secrets[name] = (now, data)
            return data

    def _read_own_secret(self, name: str) -> Mapping[str, str] | None:
        key = Key("Secret", self._settings.namespace, name)
        try:
            found = self._client.request("GET", path(key))
        except ApiError as error:
            if is_absent(error):
                return None
            raise translate(error, f"Reading {key}") from error
        return {field: base64.b64decode(value).decode(errors="replace") for field, value in (found.get("data") or {}).items()}

    def create(self, manifest: Manifest) -> None:
        key = key_of(manifest)
        self._send("POST", collection(key.kind, key.namespace), key, manifest, query=_OURS)

    def apply(self, manifest: Manifest) -> None:
        """A merge patch: what we POSTed belongs to an Update, so a server-side apply would never take a field of it away again."""
        key = key_of(manifest)
        body = {**replacing(manifest, self._cache.get(key) or {}), "metadata": manifest["metadata"]}
        self._send("PATCH", path(key), key, body, query=_OURS, content=MERGE)

    def patch_secret(self, key: Key, uid: str, patch: SecretPatch) -> None:
        self._send("PATCH", path(key), key, merge_of(uid, patch), query=_OURS, content=MERGE)

    def claim_secret(self, key: Key, uid: str, *, data: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """By server-side apply: a merge patch gives nobody a field whose value it does not change."""
        self._send("PATCH", path(key), key, claim_of(key, uid, data, annotations), query={**_OURS, "force": "true"}, content=APPLY)

    def delete(self, key: Key, uid: str) -> None:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        answer: Manifest = {}
        try:
            answer = self._client.request("DELETE", path(key), body=body, headers={"Accept": METADATA_ONLY})
        except ApiError as error:
            if not is_other_uid(error) and not self._went_with_namespace(key, error):
                raise translate(error, f"Deleting {key}") from error
        self._written.pop(key, None)
        if key.kind == "Secret" and answer.get("kind") == "Status" and answer.get("status") == "Success":
            self._written[key] = (self._monotonic(), Absent())
        self._forget(key, uid, answer.get("metadata") or {})

    def _forget(self, key: Key, uid: str, left: Mapping[str, Any]) -> None:
        """Gone at once, or held by somebody's finalizer: then it stays in the cache as what is being deleted."""
        known = self._cache.get(key)
        if known is None or known["metadata"].get("uid") != uid:
            return
        if left.get("uid") == uid and left.get("finalizers"):
            self._cache.put({**known, "metadata": left})
            return
        version = left.get("resourceVersion", known["metadata"].get("resourceVersion"))
        self._cache.remove({**known, "metadata": {**known["metadata"], "resourceVersion": version}})

    def _went_with_namespace(self, key: Key, error: ApiError) -> bool:
        """A namespace that goes takes our RoleBinding first; a Secret that we may no longer see there goes with it."""
        if key.kind != "Secret" or error.status != 403:
            return False
        found = self._cache.get(Key("Namespace", "", key.namespace))
        return found is None or bool(found["metadata"].get("deletionTimestamp"))

    def write_status(self, key: Key, uid: str, status: Mapping[str, Any], *, version: str = "") -> bool:
        """A JSON patch that tests the uid: an apply to /status ignores metadata.uid and would write to a namesake."""
        tests = [_test("/metadata/uid", uid), *([_test("/metadata/resourceVersion", version)] if version else [])]
        body = [*tests, {"op": "add", "path": "/status", "value": dict(status)}]
        try:
            answer = self._patch(f"{path(key)}/status", body, manager=f"{marks.MANAGER}-status", content=JSON_PATCH)
        except ApiError as error:
            if not is_other_uid(error) and not is_failed_test(error):
                raise translate(error, f"Writing the status of {key}") from error
            if version and self._is_there(key, uid):
                raise Transient(reasons.CONFLICT, f"{key} changed at the same time") from error
            return False
        self._keep(key, answer)
        return True

    def _is_there(self, key: Key, uid: str) -> bool:
        """A failed test does not say which one it was. What cannot be read counts as there: nothing was written."""
        match self.read_metadata(key):
            case Present(found):
                return bool(found["metadata"].get("uid") == uid)
            case Absent():
                return False
            case Unknown():
                return True

    def write_finalizer(self, key: Key, uid: str, present: bool) -> None:
        if not present:
            self._cache.release(uid)
        try:
            answer = self._hold(key, uid) if present else self._release(key, uid)
        except ApiError as error:
            if is_other_uid(error) and not present:
                return
            if is_other_uid(error) or is_failed_test(error) or "metadata.finalizers" in error.fields:
                raise Transient(reasons.CONFLICT, f"{key} was deleted, replaced or changed at the same time") from error
            raise translate(error, f"Updating {key}") from error
        if answer is None:
            return
        if answer["metadata"].get("deletionTimestamp") and not answer["metadata"].get("finalizers"):
            self._forget(key, uid, answer["metadata"])
        else:
            self._keep(key, answer)

    def _hold(self, key: Key, uid: str) -> Manifest:
        metadata = {
            "name": key.name,
            "uid": uid,
            "finalizers": [marks.FINALIZER],
            **({"namespace": key.namespace} if key.namespace else {}),
        }
        body = {"apiVersion": RESOURCES[key.kind].api_version, "kind": key.kind, "metadata": metadata}
        return self._patch(path(key), body, manager=f"{marks.MANAGER}-finalizer", content=APPLY)

    def _release(self, key: Key, uid: str) -> Manifest | None:
        """By its place in the list, which is read where the cache does not know it any more: an apply would leave a finalizer that another
        manager wrote too, as every restored backup does.
        """
        try:
            return self._remove(key, uid, (self._cache.get(key) or {}).get("metadata") or {})
        except ApiError as error:
            if not is_failed_test(error):
                raise
            return self._remove(key, uid, self._client.request("GET", path(key), headers={"Accept": METADATA_ONLY})["metadata"])

    def _remove(self, key: Key, uid: str, metadata: Mapping[str, Any]) -> Manifest | None:
        finalizers = metadata.get("finalizers") or []
        if metadata.get("uid") != uid or marks.FINALIZER not in finalizers:
            return None
        place = f"/metadata/finalizers/{finalizers.index(marks.FINALIZER)}"
        body = [_test("/metadata/uid", uid), _test(place, marks.FINALIZER), {"op": "remove", "path": place}]
        return self._patch(path(key), body, manager=f"{marks.MANAGER}-finalizer", content=JSON_PATCH)

    def _patch(self, place: str, body: Mapping[str, Any] | Sequence[Any], *, manager: str, content: str) -> Manifest:
        query = {"fieldManager": manager, **({"force": "true"} if content == APPLY else {})}
        return self._client.request("PATCH", place, body=body, query=query, headers={"Content-Type": content})

    def mark_namespace(self, name: str, uid: str, *, labels: Mapping[str, str | None], annotations: Mapping[str, str | None]) -> None:
        key = Key("Namespace", "", name)
        body = {"metadata": {"uid": uid, "labels": dict(labels), "annotations": dict(annotations)}}
        self._send("PATCH", path(key), key, body, query=_OURS, content=MERGE)

    def emit(self, key: Key, uid: str, event: Event) -> None:
        namespace = key.namespace or "default"
        now = datetime.now(UTC)
        regarding = {"apiVersion": RESOURCES[key.kind].api_version, "kind": key.kind, "name": key.name, "uid": uid}
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{key.name[:200]}.{time.time_ns():x}", "namespace": namespace},
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": _CONTROLLER,
            "reportingInstance": self._settings.service_account,
            "action": event.action,
            "reason": event.reason,
            "note": event.note[:1024],
            "type": event.type,
            "regarding": regarding | ({"namespace": key.namespace} if key.namespace else {}),
        }
        try:
            self._client.request("POST", collection("Event", namespace), body=body)
        except (ApiError, MeshError) as error:
            _log.debug("An event on %s was not written: %s", key, error)

    def _send(
        self, method: str, place: str, key: Key, body: Manifest, *, query: Mapping[str, str], content: str = "application/json"
    ) -> None:
        secret = key.kind == "Secret"
        headers = {"Content-Type": content, **({"Accept": METADATA_ONLY} if secret else {})}
        try:
            answer = self._client.request(method, place, body=body, query=query, headers=headers)
        except ApiError as error:
            if method == "PATCH" and is_other_uid(error):
                raise Transient(reasons.CONFLICT, f"{key} was replaced at the same time") from error
            if secret and is_immutable(error):
                raise Terminal(reasons.SECRET_IMMUTABLE, f"{key} is immutable; delete it, and the operator recreates it") from error
            raise translate(error, f"{'Creating' if method == 'POST' else 'Updating'} {key}", quiet=secret) from error
        self._keep(key, answer)

    def _keep(self, key: Key, answer: Manifest) -> None:
        """Our own write shows at once. Of Secrets there is only metadata, kept for the read-back that follows."""
        if key.kind == "Secret":
            self._written[key] = (self._monotonic(), Present(answer))
        else:
            self._cache.put({"apiVersion": RESOURCES[key.kind].api_version, "kind": key.kind, **answer})


def replacing(want: Manifest, observed: Manifest) -> dict[str, Any]:
    """The merge patch after which each map of ours holds what is wanted and nothing else; metadata and status are not touched."""
    parts = (name for name in want if name not in ("metadata", "status"))
    return {name: _replacing(want[name], observed.get(name)) for name in parts}


def _replacing(want: Any, observed: Any) -> Any:
    if not isinstance(want, Mapping) or not isinstance(observed, Mapping):
        return want
    surplus = dict.fromkeys(name for name in observed if name not in want)
    return {**surplus, **{name: _replacing(value, observed.get(name)) for name, value in want.items()}}


def _test(place: str, value: str) -> dict[str, str]:
    return {"op": "test", "path": place, "value": value}
