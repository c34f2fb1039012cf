"""Step 5: each operation of a plan becomes calls of a port; a repair that takes several leaves at each moment something that works."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatchmethod
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import operations as o
from clouddatamesh.model import store_operations as s
from clouddatamesh.model.bucket import Capability
from clouddatamesh.model.evidence import require
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.plan import Operation
from clouddatamesh.plan.policy_faults import find_faults
from clouddatamesh.ports import BucketStore, Cluster, Identities
from clouddatamesh.reconcile import buckets
from clouddatamesh.reconcile.writes import create_or_recover, mark_grant, mark_namespace, put_key, with_key

_MOST_KEYS = 2


def _may_not(_empties: bool) -> None:
    raise Terminal(reasons.INTERNAL, "Nothing says that this may be destroyed")


@dataclass(frozen=True)
class Target:
    """The object for which a plan is carried out, and the ports that its operations may use.

    `check_destruction` reads live whether its bucket may still be emptied or deleted, and raises where not. `looks` is what the visit has
    seen in the store: a write makes it forget.
    """

    key: Key
    uid: str
    cluster: Cluster
    write_record: Callable[[o.Record], None]
    now: datetime
    buckets: BucketStore | None = None
    identities: Identities | None = None
    check_destruction: Callable[[bool], None] = _may_not
    looks: dict[tuple[str, str], Any] = field(default_factory=dict)
    explain: Callable[[MeshError], MeshError] = lambda error: error
    """What an error of the store means to this object."""


_ON_BUCKETS = (s.CreateBucket, s.MarkBucket, s.UpdateBucket, s.EmptyBucket, s.DeleteBucket)
_ON_PRINCIPALS = (
    s.CreatePrincipal,
    s.PutPolicy,
    s.DeletePolicy,
    s.DetachPolicy,
    s.LeaveGroup,
    s.ReplaceKey,
    s.RotateKey,
    s.DisableKey,
    s.DeleteKey,
    s.DeletePrincipal,
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

    def run(self, operation: Operation) -> None:
        """Carry one operation out; whatever comes of it, what was seen before is seen again."""
        try:
            self._run(operation)
        except MeshError as error:
            raise self._target.explain(error) from error
        finally:
            self._forget(operation)

    def _forget(self, operation: Operation) -> None:
        for subject, kinds in (("bucket", _ON_BUCKETS), ("principal", _ON_PRINCIPALS)):
            if isinstance(operation, kinds):
                for look in [look for look in self._target.looks if look[0] == subject]:
                    del self._target.looks[look]

    @singledispatchmethod
    def _run(self, operation: Operation) -> None:
        raise TypeError(f"no way to carry out {type(operation).__name__}")

    # In the cluster

    @_run.register
    def _(self, operation: o.Record) -> None:
        self._target.write_record(operation)

    @_run.register
    def _(self, _operation: o.HoldObject) -> None:
        self._target.cluster.write_finalizer(self._target.key, self._target.uid, True)

    @_run.register
    def _(self, operation: o.HoldGrant) -> None:
        """Nothing may be given on a grant that went, is going or says something else at this very moment: so it is held, and the answer
        to that shows it, or it is read live.
        """
        if not operation.held:
            self._target.cluster.write_finalizer(operation.key, operation.uid, True)
            found = self._target.cluster.get(operation.key)
        else:
            found = require(self._target.cluster.read(operation.key))
        if found is None or found["metadata"]["uid"] != operation.uid or found["metadata"].get("deletionTimestamp"):
            raise Transient(reasons.CONFLICT, f"{operation.key} went at the same time")
        if found["metadata"].get("generation", 0) != operation.generation or (found.get("spec") or {}).get("decision") != "Approve":
            raise Transient(reasons.CONFLICT, f"{operation.key} changed at the same time")
        asker = require(self._target.cluster.read(self._target.key))
        if asker is None or asker["metadata"]["uid"] != self._target.uid or asker["metadata"].get("deletionTimestamp"):
            raise Transient(reasons.CONFLICT, f"{self._target.key} went at the same time")
        consumer = require(self._target.cluster.read(operation.consumer)) if operation.consumer else asker
        if consumer is None or (consumer["metadata"].get("deletionTimestamp") and not operation.stays):
            raise Transient(reasons.CONFLICT, f"{operation.consumer} went at the same time")

    @_run.register
    def _(self, operation: o.MarkGrant) -> None:
        mark_grant(self._target.cluster, operation, self._target.now)

    @_run.register
    def _(self, _operation: o.ReleaseObject) -> None:
        self._target.cluster.write_finalizer(self._target.key, self._target.uid, False)

    @_run.register
    def _(self, operation: o.CreateChild) -> None:
        create_or_recover(self._target.cluster, operation.manifest)

    @_run.register
    def _(self, operation: o.ApplyChild) -> None:
        self._target.cluster.apply(operation.manifest)

    @_run.register
    def _(self, operation: o.ReplaceChild) -> None:
        self._target.cluster.delete(key_of(operation.manifest), operation.uid)
        create_or_recover(self._target.cluster, operation.manifest)

    @_run.register
    def _(self, operation: o.WriteInbox) -> None:
        self._target.cluster.write_status(operation.key, operation.uid, operation.status)

    @_run.register
    def _(self, operation: o.DeleteChild) -> None:
        self._target.cluster.delete(operation.key, operation.uid)

    @_run.register
    def _(self, operation: o.LabelNamespace) -> None:
        mark_namespace(self._target.cluster, operation, dict(operation.labels), self._target.key.name)

    @_run.register
    def _(self, operation: o.MarkNamespace) -> None:
        mark_namespace(self._target.cluster, operation, {}, self._target.key.name)

    @_run.register
    def _(self, operation: o.PatchSecret) -> None:
        self._target.cluster.patch_secret(operation.key, operation.uid, operation.patch)

    @_run.register
    def _(self, operation: o.ClaimSecret) -> None:
        self._target.cluster.claim_secret(operation.key, operation.uid, data=dict(operation.data), annotations=dict(operation.annotations))

    @_run.register
    def _(self, operation: o.Announce) -> None:
        self._target.cluster.emit(self._target.key, self._target.uid, operation.event)

    # Buckets

    @_run.register
    def _(self, operation: s.CreateBucket) -> None:
        self._buckets.create(operation.want)

    @_run.register
    def _(self, operation: s.MarkBucket) -> None:
        buckets.mark(self._buckets, operation.want)

    @_run.register
    def _(self, operation: s.UpdateBucket) -> None:
        if operation.seen is not None:
            buckets.rewrite_tags(self._buckets, operation.want, operation.seen)
        else:
            self._buckets.update(operation.want, (operation.path,))

    @_run.register
    def _(self, operation: s.CheckDestruction) -> None:
        self._target.check_destruction(operation.empties)

    @_run.register
    def _(self, operation: s.EmptyBucket) -> None:
        buckets.empty(self._buckets, operation.name, lambda: self._target.check_destruction(True))

    @_run.register
    def _(self, operation: s.DeleteBucket) -> None:
        self._target.check_destruction(False)
        buckets.delete(self._buckets, operation)

    @_run.register
    def _(self, operation: s.ProbeStore) -> None:
        self.probed = self._buckets.probe(operation.scratch)

    # Principals

    @_run.register
    def _(self, operation: s.CreatePrincipal) -> None:
        self._identities.create(operation.want)

    @_run.register
    def _(self, operation: s.PutPolicy) -> None:
        bounds = {name: getattr(operation, name) for name in ("bucket", "prefix", "mode", "account", "partition")}
        faults = find_faults(operation.want.policy or (), **bounds)
        if faults:
            raise Terminal(reasons.INTERNAL, f"A policy was not sent: {faults[0]}")
        self._identities.put_policy(operation.want)

    @_run.register
    def _(self, operation: s.DeletePolicy) -> None:
        self._identities.delete_policy(operation.principal, operation.policy)

    @_run.register
    def _(self, operation: s.DetachPolicy) -> None:
        self._identities.detach_policy(operation.principal, operation.arn)

    @_run.register
    def _(self, operation: s.LeaveGroup) -> None:
        self._identities.leave_group(operation.principal, operation.group)

    @_run.register
    def _(self, operation: s.ReplaceKey) -> None:
        """Room for one key, the key, the Secret with it, and only then the end of the former ones."""
        former, room = list(operation.surplus), _MOST_KEYS - 1 - bool(operation.keeps)
        while len(former) > room or (former and not operation.uid):
            self._identities.delete_key(operation.principal, former.pop(0))
        self._issue(operation.principal, operation.secret, operation.uid)
        for surplus in former:
            self._identities.delete_key(operation.principal, surplus)

    @_run.register
    def _(self, operation: s.RotateKey) -> None:
        self._issue(operation.principal, operation.secret, operation.uid)

    def _issue(self, principal: str, secret: Manifest, uid: str) -> None:
        key = self._identities.create_key(principal)
        with self._dropping(principal, key.id):
            put_key(self._target.cluster, with_key(secret, key.id, key.secret, self._target.now), uid, self._target.key)

    @contextmanager
    def _dropping(self, principal: str, key_id: str) -> Iterator[None]:
        """A key that no Secret took goes at once. Where no answer came, the Secret may hold it: the next look knows whether it does."""
        try:
            yield
        except Transient:
            raise
        except MeshError:
            self._identities.delete_key(principal, key_id)
            raise

    @_run.register
    def _(self, operation: s.DisableKey) -> None:
        self._identities.disable_key(operation.principal, operation.key_id)

    @_run.register
    def _(self, operation: s.DeleteKey) -> None:
        self._identities.delete_key(operation.principal, operation.key_id)

    @_run.register
    def _(self, operation: s.DeletePrincipal) -> None:
        self._identities.delete(operation.name)
