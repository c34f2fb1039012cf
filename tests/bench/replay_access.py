"""The ceiling of access: the calls of one grant and of one revocation, in the operator's order, by plain clients."""

import base64
import time
from dataclasses import dataclass
from typing import Any

from clouddatamesh.model import bucket as b
from clouddatamesh.plan import policies
from clouddatamesh.storage.policy import build_document
from hack.tools.store import Store
from tests.bench.api import API, MERGE, Raw
from tests.bench.replay import APPLY, FINALIZER, TAGS, absent, client
from tests.support.manifests import a_grant, a_request

JSON_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Ask:
    """One request: who asks, for which product of sales."""

    name: str
    namespace: str
    product: str

    @property
    def path(self) -> str:
        """Of the request."""
        return f"{API}/namespaces/{self.namespace}/accessrequests/{self.name}"

    @property
    def grant_path(self) -> str:
        """Of the grant that answers it."""
        return f"{API}/namespaces/sales/accessgrants/{self.name}"

    @property
    def secret_path(self) -> str:
        """Of the Secret that it gets."""
        return f"/api/v1/namespaces/{self.namespace}/secrets/{self.name}"

    def ask(self, raw: Raw) -> None:
        """What a consumer does."""
        manifest = a_request(self.name, self.namespace, dataProductRef={"namespace": "sales", "name": self.product}, secretName=self.name)
        raw.send("POST", _collection(self.path), manifest)

    def grant(self, raw: Raw, **spec: Any) -> None:
        """What an owner does."""
        named = {"namespace": self.namespace, "name": self.name}
        manifest = a_grant(self.name, dataProductRef={"name": self.product}, requestRef=named, **spec)
        raw.send("POST", _collection(self.grant_path), manifest)

    def revoke(self, raw: Raw) -> None:
        """What an owner does, too."""
        raw.send("DELETE", self.grant_path)


class AccessReplay:
    """Gives and takes away by hand what a request asks for. The operator must be off."""

    def __init__(self, raw: Raw, store: Store, buckets: dict[str, str]) -> None:
        self._raw, self._buckets, self._iam = raw, buckets, client(store, "iam")
        self._keys: dict[str, str] = {}

    def give(self, ask: Ask) -> None:
        """From the owner's POST until both statuses tell of it."""
        ask.grant(self._raw)
        self.provide(ask)
        self.finish(ask)

    def provide(self, ask: Ask) -> dict[str, Any]:
        """What the operator calls until the Secret is there; the Secret."""
        self._observe(ask)
        self._hold(ask.path, "AccessRequest", ask)
        self._status(ask.path, {"principal": ask.name, "place": {"store": "main", "bucket": self._buckets[ask.product], "path": "daily/"}})
        self._hold(ask.grant_path, "AccessGrant", ask)
        self._raw.find(ask.grant_path)
        self._raw.find(ask.path)
        self._iam.create_user(UserName=ask.name, Path="/clouddatamesh/replay/", Tags=TAGS)
        document = build_document(policies.consumer(self._buckets[ask.product], "daily/", "ReadOnly"))
        self._iam.put_user_policy(UserName=ask.name, PolicyName=b.PREFIX, PolicyDocument=document)
        self._observe(ask, has_policy=True)
        self._look_for_secret(ask)
        key = self._iam.create_access_key(UserName=ask.name)["AccessKey"]
        self._keys[ask.name] = key["AccessKeyId"]
        data = {"access-key-id": key["AccessKeyId"], "secret-access-key": key["SecretAccessKey"]}
        encoded = {field: base64.b64encode(value.encode()).decode() for field, value in data.items()}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": ask.name}, "data": encoded}
        return self._raw.send("POST", _collection(ask.secret_path), secret)

    def finish(self, ask: Ask) -> None:
        """Read back, and say so; the grant says first that access is being made."""
        self._status(ask.grant_path, _SAID)
        self._observe(ask, has_policy=True)
        self._status(ask.path, {**_SAID, "principal": ask.name})
        self._status(ask.grant_path, {**_SAID, "validUntil": "2099-01-01T00:00:00Z"})

    def take(self, ask: Ask) -> None:
        """From the owner's DELETE until the grant is gone."""
        ask.revoke(self._raw)
        self.cut(ask)
        self.clear(ask)

    def cut(self, ask: Ask) -> None:
        """What the operator calls until the next read is refused."""
        self._observe(ask, has_policy=True)
        self._look_for_secret(ask)
        self._iam.delete_user_policy(UserName=ask.name, PolicyName=b.PREFIX)

    def clear(self, ask: Ask) -> None:
        """The rest: the grant says why it is still there; read back as gone, key, user, Secret, both objects."""
        self._status(ask.grant_path, _SAID)
        self._tell(ask.grant_path, "AccessGrant", ask)
        self._observe(ask)
        self._look_for_secret(ask)
        self._iam.delete_access_key(UserName=ask.name, AccessKeyId=self._keys.pop(ask.name))
        self._iam.delete_user(UserName=ask.name)
        self._raw.send("DELETE", ask.secret_path)
        self._observe(ask)
        self._look_for_secret(ask)
        self._status(ask.path, {"digest": "replayed"})
        self._tell(ask.path, "AccessRequest", ask)
        self._send_patch(ask.grant_path, [{"op": "remove", "path": "/metadata/finalizers/0"}])

    def forget(self, ask: Ask) -> None:
        """Take the request away again; untimed."""
        self._raw.send("PATCH", ask.path, {"metadata": {"finalizers": None}}, content=MERGE)
        self._raw.send("DELETE", ask.path)

    def _observe(self, ask: Ask, *, has_policy: bool = False) -> None:
        with absent():
            self._iam.get_user(UserName=ask.name)
            self._iam.list_user_policies(UserName=ask.name)
            self._iam.list_access_keys(UserName=ask.name)
            self._iam.list_attached_user_policies(UserName=ask.name)
            self._iam.list_groups_for_user(UserName=ask.name)
            if has_policy:
                self._iam.get_user_policy(UserName=ask.name, PolicyName=b.PREFIX)

    def _look_for_secret(self, ask: Ask) -> None:
        self._raw.find(ask.secret_path)

    def _hold(self, path: str, kind: str, ask: Ask) -> None:
        body = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": kind, "metadata": {"name": ask.name, "finalizers": [FINALIZER]}}
        self._raw.send("PATCH", f"{path}?fieldManager=replay&force=true", body, content=APPLY)

    def _status(self, path: str, status: dict[str, Any]) -> None:
        self._send_patch(f"{path}/status", [{"op": "add", "path": "/status", "value": status}])

    def _send_patch(self, path: str, operations: list[dict[str, Any]]) -> None:
        self._raw.send("PATCH", path, operations, content=JSON_PATCH)

    def _tell(self, path: str, kind: str, ask: Ask) -> None:
        namespace = path.split("/")[5]
        event = {
            "metadata": {"name": f"{ask.name}.{time.time_ns():x}", "namespace": namespace},
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "reportingController": "replay",
            "reportingInstance": "replay",
            "action": "Reconcile",
            "reason": "Replayed",
            "type": "Normal",
            "regarding": {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": kind, "name": ask.name, "namespace": namespace},
        }
        self._raw.send("POST", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", event)


_SAID: dict[str, Any] = {
    "conditions": [{"type": "Ready", "status": "True", "reason": "Replayed", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    "observedGeneration": 1,
}


def _collection(path: str) -> str:
    return path.rpartition("/")[0]
