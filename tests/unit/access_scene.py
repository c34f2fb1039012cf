"""A plain world in which one request is granted, and what may differ from it; read from manifests into the arguments of `decide`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Terminal
from clouddatamesh.model.access import Answer, Ask, Decision, Home, Offer
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.facts import read_grant, read_product, read_request
from clouddatamesh.reconcile.parse import is_readable
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.support.worlds import CLUSTER, SETTINGS

NOW: Final = "2026-03-01T00:00:00Z"
MADE: Final = "2026-02-01T00:00:00Z"
END: Final = "2026-04-01T00:00:00Z"
OWNED: Final[Mapping[str, Any]] = {"bucket": "acme-orders", "phase": "Owned", "ownershipVerified": True}
TOO_LONG: Final = "x" * 5000
"""Longer than any text of a spec may be: an object with it cannot be read as a whole."""


def approve(name: str = "yes", *, made: str = MADE, **spec: Any) -> Manifest:
    """An approval until END, made at MADE; `permanent=True` takes the end out."""
    base: dict[str, Any] = {"validUntil": None if spec.get("permanent") else END}
    return _grant(a_grant(name, **{**base, **spec}), made)


def deny(name: str = "no", *, made: str = MADE, **spec: Any) -> Manifest:
    """A refusal of the request."""
    return _grant(a_grant(name, **{"decision": "Deny", "validUntil": None, **spec}), made)


def deny_all(name: str = "none-of-you", **spec: Any) -> Manifest:
    """A refusal of every request from inventory, at every port unless one is named."""
    whole: dict[str, Any] = {"consumerNamespace": "inventory", "requestRef": None, "outputPort": None, "consumer": None, "mode": None}
    return deny(name, **{**whole, **spec})


def elsewhere(grant: Manifest, namespace: str) -> Manifest:
    """The same grant in another namespace than the product's."""
    return _with_metadata(grant, namespace=namespace)


def going(grant: Manifest) -> Manifest:
    """The same grant, being deleted, and held by our finalizer."""
    return _with_metadata(grant, deletionTimestamp=NOW, finalizers=["clouddatamesh.dev/finalizer"])


def superseded(grant: Manifest) -> Manifest:
    """The same grant, once a newer one came into effect."""
    return {**grant, "status": {"conditions": [_condition("Superseded", "True", "Superseded")]}}


def capped(grant: Manifest, duration: str) -> Manifest:
    """The same grant, with the cap that was recorded when it gave."""
    return {**grant, "status": {"maxDuration": duration}}


def denied(grant: Manifest) -> Manifest:
    """The same grant, where it violates a policy that denies."""
    return {**grant, "status": {"compliance": {"denied": True}}}


def unasked(grant: Manifest) -> Manifest:
    """The same grant, where it could not be asked just now whether it violates a policy that denies."""
    return {**grant, "unasked": True}


def together(grant: Manifest, number: int = 2) -> Manifest:
    """The same grant, once access rested on so many approvals, of which it is one."""
    return {**grant, "status": {"approvals": number}}


def noted(grant: Manifest, number: int = 2) -> Manifest:
    """The same grant, of which it is recorded that the port asked for so many approvals when it was first seen."""
    return {**grant, "status": {**grant.get("status", {}), "requiredApprovals": number}}


def read(grant: Manifest) -> Answer:
    """A grant's facts, as the decision gets them."""
    found = replace(read_grant(grant), readable=is_readable(AccessGrant, {name: part for name, part in grant.items() if name != "unasked"}))
    return replace(found, denied=True, undecided=True) if grant.get("unasked") else found


def _with_metadata(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def _grant(manifest: Manifest, made: str) -> Manifest:
    return _with_metadata(manifest, uid=f"uid-{manifest['metadata']['name']}", creationTimestamp=made)


@dataclass(frozen=True)
class Scene:
    """The plain world; each field is one way to differ from it."""

    product: Mapping[str, Any] | None = None
    """Fields of the product's spec."""
    exists: bool = True
    port: Mapping[str, Any] | None = None
    """Fields of its port; empty: it has none."""
    further: Mapping[str, Any] | None = None
    """Another port of the product."""
    access: Mapping[str, Any] | None = None
    """The terms of its port."""
    seen: Mapping[str, Any] | None = None
    """The port as the product's status has it."""
    deleting: bool = False
    marked: Mapping[str, str] | None = None
    """Annotations of the product."""
    storage: Mapping[str, Any] | None = field(default_factory=lambda: OWNED)
    storage_ready: tuple[str, str] = ("True", "Ready")
    product_home: Home | None = field(default_factory=lambda: Home("sales"))
    consumer_home: Home | None = field(default_factory=lambda: Home("inventory"))
    consumer_exists: bool = True
    asks: Mapping[str, Any] | None = None
    """Fields of the request's spec."""
    runs_on: str = ""
    """Name of the grant on which what is in the store rests."""
    counted: tuple[str, ...] = ()
    """Names of the grants on which it rests together."""
    gave: bool = False
    """Status tells since when access is given."""
    placed: str = ""
    """The path that was recorded when access was given."""
    handed_on: bool = False
    """The record says that another port got that path."""
    keyless: bool = False
    """That grant was recorded, and no key was issued yet."""
    ended_before: bool = False
    """Status says that an earlier grant ended by time."""
    decided_at: str = ""
    """When the grant that gave last was made, by the request's status."""
    told_until: str = ""
    """The end that the request's status tells."""
    grants: tuple[Manifest, ...] = field(default_factory=lambda: (approve(),))
    product_denied: bool = False
    """The product's status says that it violates a policy that denies."""
    product_unasked: bool = False
    """Whether it does could not be asked just now."""
    refused: bool = False
    """A policy that denies refuses the request, or the grant that its port would make."""
    trusted: bool = True
    """Whether the clocks of operator and API server agree."""
    now: str = NOW

    def request(self) -> Manifest:
        """The AccessRequest."""
        manifest, status = a_request(**(self.asks or {})), dict[str, Any]()
        if self.runs_on:
            status["grantRef"] = {"namespace": "sales", "name": self.runs_on, "uid": f"uid-{self.runs_on}"}
            status |= {} if self.keyless else {"accessKeyId": "KEY1"}
        if self.counted:
            counted = [{"namespace": "sales", "name": name, "uid": f"uid-{name}", "approver": name} for name in self.counted]
            status["countedGrants"] = counted
        if self.gave:
            status["validFrom"] = MADE
        if self.placed:
            status["place"] = {"store": "main", "bucket": "acme-orders", "path": self.placed, "handedOn": self.handed_on}
        if self.ended_before:
            status["conditions"] = [_condition("Expired", "True", "Expired")]
        told = {"validUntil": self.told_until, "decidedAt": self.decided_at}
        status |= {name: moment for name, moment in told.items() if moment}
        return {**_with_metadata(manifest, uid="uid-request"), "status": status}

    def ask(self) -> Ask:
        """The request's facts."""
        return replace(read_request(self.request()), readable=is_readable(AccessRequest, self.request()))

    def world(self) -> AccessWorld:
        """Everything else on which the decision rests."""
        return AccessWorld(
            now=parse_time(self.now),
            settings=SETTINGS,
            is_time_trusted=self.trusted,
            cluster=CLUSTER,
            offer=self.offer() if self.exists else None,
            product_home=self.product_home,
            consumer_exists=self.consumer_exists,
            consumer_home=self.consumer_home,
            namespace_uid="uid-inventory",
            answers=tuple(map(read, self.grants)),
            refusal=Terminal(reasons.POLICY_VIOLATION, "Say what it is for") if self.refused else None,
        )

    def decide(self) -> Decision:
        """The decision."""
        return decide(self.ask(), self.world())

    def offer(self) -> Offer:
        """The product's facts."""
        product = self._product()
        return replace(read_product(product), readable=is_readable(DataProduct, product), undecided=self.product_unasked)

    def _product(self) -> Manifest:
        port = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": self.access or {}, **(self.port or {})}
        ports = [*([] if self.port == {} else [port]), *([self.further] if self.further else [])]
        manifest = a_product(outputPorts=ports, **(self.product or {}))
        marked = annotated(manifest, **self.marked) if self.marked else manifest
        status: dict[str, Any] = {"conditions": [_condition("StorageReady", *self.storage_ready)]}
        if self.storage is not None:
            status["storage"] = self.storage
        if self.product_denied:
            status["compliance"] = {"denied": True}
        if self.seen is not None:
            status["outputPorts"] = [self.seen]
        gone = {"deletionTimestamp": NOW} if self.deleting else {}
        return {**_with_metadata(marked, uid="uid-orders", **gone), "status": status}


def _condition(type_: str, status: str, reason: str) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": f"{reason}, it says", "lastTransitionTime": NOW}
