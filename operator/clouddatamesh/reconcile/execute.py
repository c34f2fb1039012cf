"""Step 5: each operation of a plan becomes one call of a port, in order; the first error ends it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Transient
from clouddatamesh.model import plan as ops
from clouddatamesh.model.bucket import Capability
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks
from clouddatamesh.plan.binding import secret_is_foreign
from clouddatamesh.plan.diff import with_uid
from clouddatamesh.plan.policy_faults import find_faults
from clouddatamesh.ports import BucketStore, Cluster, Identities

STORAGE, CREDENTIALS, PROVISIONED = "StorageReady", "CredentialsReady", "Provisioned"


@dataclass(frozen=True)
class Target:
    """The object for which a plan is carried out, and the ports that its operations may use."""

    key: Key
    uid: str
    cluster: Cluster
    write_record: Callable[[ops.Record], None]
    buckets: BucketStore | None = None
    identities: Identities | None = None


_STORAGE_STEPS: Final = (ops.CreateBucket, ops.UpdateBucket, ops.EmptyBucket, ops.DeleteBucket)
_CREDENTIALS_STEPS: Final = (
    ops.CreatePrincipal,
    ops.PutPolicy,
    ops.DeletePolicy,
    ops.IssueKey,
    ops.RotateKey,
    ops.DisableKey,
    ops.DeleteKey,
    ops.DeletePrincipal,
    ops.PatchSecret,
)


class Executor:
    """Carries operations out on one target. Holds nothing but the ports and the last probe's answer."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.probed: tuple[Capability, ...] = ()

    @property
    def _buckets(self) -> BucketStore:
        assert self._target.buckets is not None  # noqa: S101 - a plan with bucket operations comes with a store
        return self._target.buckets

    @property
    def _identities(self) -> Identities:
        assert self._target.identities is not None  # noqa: S101 - likewise
        return self._target.identities

    def step_of(self, operation: ops.Operation) -> str:
        """The condition type of the step to which an operation belongs, empty where there is none."""
        if isinstance(operation, _STORAGE_STEPS):
            return STORAGE
        if isinstance(operation, _CREDENTIALS_STEPS):
            return PROVISIONED if self._target.key.kind == "AccessRequest" else CREDENTIALS
        return ""

    @singledispatchmethod
    def run(self, operation: ops.Operation) -> None:
        """Carry one operation out."""
        raise TypeError(f"no way to carry out {type(operation).__name__}")

    @run.register
    def _(self, operation: ops.Record) -> None:
        self._target.write_record(operation)

    @run.register
    def _(self, _operation: ops.HoldObject) -> None:
        self._target.cluster.write_finalizer(self._target.key, self._target.uid, True)

    @run.register
    def _(self, operation: ops.HoldGrant) -> None:
        """A grant that went at this very moment is not held, and nothing may be given on it."""
        self._target.cluster.write_finalizer(operation.key, operation.uid, True)
        held = self._target.cluster.get(operation.key)
        if held is None or held["metadata"]["uid"] != operation.uid or held["metadata"].get("deletionTimestamp"):
            raise Transient(reasons.CONFLICT, f"{operation.key} went at the same time")

    @run.register
    def _(self, _operation: ops.ReleaseObject) -> None:
        self._target.cluster.write_finalizer(self._target.key, self._target.uid, False)

    @run.register
    def _(self, operation: ops.CreateChild) -> None:
        create_or_recover(self._target.cluster, operation.manifest)

    @run.register
    def _(self, operation: ops.ApplyChild) -> None:
        self._target.cluster.apply(operation.manifest)

    @run.register
    def _(self, operation: ops.DeleteChild) -> None:
        self._target.cluster.delete(operation.key, operation.uid)

    @run.register
    def _(self, operation: ops.LabelNamespace) -> None:
        self._target.cluster.label_namespace(operation.name, operation.uid, dict(operation.labels))

    @run.register
    def _(self, operation: ops.CreateBucket) -> None:
        self._buckets.create(operation.want)

    @run.register
    def _(self, operation: ops.UpdateBucket) -> None:
        self._buckets.update(operation.want, (operation.path,))

    @run.register
    def _(self, operation: ops.EmptyBucket) -> None:
        self._buckets.empty(operation.name)

    @run.register
    def _(self, operation: ops.DeleteBucket) -> None:
        self._buckets.delete(operation.name)

    @run.register
    def _(self, operation: ops.ProbeStore) -> None:
        self.probed = self._buckets.probe(operation.scratch)

    @run.register
    def _(self, operation: ops.CreatePrincipal) -> None:
        self._identities.create(operation.want)

    @run.register
    def _(self, operation: ops.PutPolicy) -> None:
        faults = find_faults(operation.want.policy or (), bucket=operation.bucket, prefix=operation.prefix, mode=operation.mode)
        if faults:
            raise Terminal(reasons.INTERNAL, f"A policy was not sent: {faults[0]}")
        self._identities.put_policy(operation.want)

    @run.register
    def _(self, operation: ops.DeletePolicy) -> None:
        self._identities.delete_policy(operation.principal, operation.policy)

    @run.register
    def _(self, operation: ops.IssueKey) -> None:
        key = self._identities.create_key(operation.principal)
        try:
            self._target.cluster.create(_with_key(operation.secret, key.id, key.secret))
        except Terminal as error:
            self._identities.delete_key(operation.principal, key.id)
            foreign = secret_is_foreign(key_of(operation.secret), self._target.key)
            raise foreign if error.reason == reasons.NOT_OWNED else error from error

    @run.register
    def _(self, operation: ops.RotateKey) -> None:
        key = self._identities.create_key(operation.principal)
        data = {"access-key-id": key.id, "secret-access-key": key.secret}
        self._target.cluster.patch_secret(operation.secret, operation.uid, data=data, annotations={marks.KEY_ID_ANNOTATION: key.id})

    @run.register
    def _(self, operation: ops.DisableKey) -> None:
        self._identities.disable_key(operation.principal, operation.key_id)

    @run.register
    def _(self, operation: ops.DeleteKey) -> None:
        self._identities.delete_key(operation.principal, operation.key_id)

    @run.register
    def _(self, operation: ops.DeletePrincipal) -> None:
        self._identities.delete(operation.name)

    @run.register
    def _(self, operation: ops.PatchSecret) -> None:
        self._target.cluster.patch_secret(operation.key, operation.uid, data=dict(operation.data), annotations=dict(operation.annotations))

    @run.register
    def _(self, operation: ops.Announce) -> None:
        self._target.cluster.emit(self._target.key, self._target.uid, operation.event)


def _with_key(secret: Manifest, key_id: str, secret_key: str) -> Manifest:
    annotations = {**secret["metadata"]["annotations"], marks.KEY_ID_ANNOTATION: key_id}
    content = {**secret["stringData"], "access-key-id": key_id, "secret-access-key": secret_key}
    return {**secret, "metadata": {**secret["metadata"], "annotations": annotations}, "stringData": content}


def create_or_recover(cluster: Cluster, manifest: Manifest) -> None:
    """POST. Where the name is taken by what we made ourselves and somebody took the label off, mend that; anything foreign stays."""
    try:
        cluster.create(manifest)
    except Terminal as error:
        existing = cluster.get_metadata(key_of(manifest)) if error.reason == reasons.NOT_OWNED else None
        mark = (manifest["metadata"].get("annotations") or {}).get(marks.OWNER_ANNOTATION)
        found = ((existing or {}).get("metadata") or {}).get("annotations") or {}
        if existing is None or mark is None or found.get(marks.OWNER_ANNOTATION) != mark:
            raise
        cluster.apply(with_uid(manifest, existing["metadata"]["uid"]))
