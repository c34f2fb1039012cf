"""A plain world in which one request is granted, and what may differ from it; made into the arguments of `decide`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.access import Decision, decide
from tests.support.manifests import a_domain, a_grant, a_product, a_request, annotated
from tests.support.worlds import SETTINGS

NOW: Final = "2026-03-01T00:00:00Z"
MADE: Final = "2026-02-01T00:00:00Z"
END: Final = "2026-04-01T00:00:00Z"
OWNED: Final[Mapping[str, Any]] = {"bucket": "acme-orders", "phase": "Owned", "ownershipVerified": True}


def approve(name: str = "yes", *, made: str = MADE, **spec: Any) -> AccessGrant:
    """An approval until END, made at MADE; `permanent=True` takes the end out."""
    base: dict[str, Any] = {"validUntil": None if spec.get("permanent") else END}
    return _grant(a_grant(name, **{**base, **spec}), made)


def deny(name: str = "no", *, made: str = MADE, **spec: Any) -> AccessGrant:
    """A refusal of the request."""
    return _grant(a_grant(name, **{"decision": "Deny", "validUntil": None, **spec}), made)


def deny_all(name: str = "none-of-you", **spec: Any) -> AccessGrant:
    """A refusal of every request from inventory, at every port unless one is named."""
    whole: dict[str, Any] = {"consumerNamespace": "inventory", "requestRef": None, "outputPort": None, "consumer": None, "mode": None}
    return deny(name, **{**whole, **spec})


def elsewhere(grant: AccessGrant, namespace: str) -> AccessGrant:
    """The same grant in another namespace than the product's."""
    return grant.model_copy(update={"metadata": grant.metadata.model_copy(update={"namespace": namespace})})


def _grant(manifest: dict[str, Any], made: str) -> AccessGrant:
    metadata = {**manifest["metadata"], "uid": f"uid-{manifest['metadata']['name']}", "creationTimestamp": made}
    return AccessGrant.model_validate({**manifest, "metadata": metadata})


@dataclass(frozen=True)
class Scene:
    """The plain world; each field is one way to differ from it."""

    product: Mapping[str, Any] | None = None
    """Fields of the product's spec."""
    exists: bool = True
    port: Mapping[str, Any] | None = None
    """Fields of its port; empty: it has none."""
    access: Mapping[str, Any] | None = None
    """The terms of its port."""
    seen: Mapping[str, Any] | None = None
    """The port as the product's status has it."""
    deleting: bool = False
    forced: bool = False
    storage: Mapping[str, Any] | None = field(default_factory=lambda: OWNED)
    storage_ready: tuple[str, str] = ("True", "Ready")
    product_domain: Mapping[str, Any] | None = None
    """Fields of the spec of the product's domain."""
    product_domain_exists: bool = True
    consumer_exists: bool = True
    consumer_domain_exists: bool = True
    asks: Mapping[str, Any] | None = None
    """Fields of the request's spec."""
    runs_on: str = ""
    """Name of the grant on which what stands in the store rests."""
    ended_before: bool = False
    """Status says that an earlier grant ended by time."""
    told_until: str = ""
    """The end that the request's status tells."""
    grants: tuple[AccessGrant, ...] = (approve(),)
    now: str = NOW

    def request(self) -> AccessRequest:
        manifest, status = a_request(**(self.asks or {})), dict[str, Any]()
        if self.runs_on:
            status["grantRef"] = {"namespace": "sales", "name": self.runs_on, "uid": f"uid-{self.runs_on}"}
        if self.ended_before:
            status["conditions"] = [_condition("Expired", "True", "Expired")]
        if self.told_until:
            status["validUntil"] = self.told_until
        metadata = {**manifest["metadata"], "uid": "uid-request"}
        return AccessRequest.model_validate({**manifest, "metadata": metadata, "status": status})

    def world(self) -> AccessWorld:
        return AccessWorld(
            now=parse_time(self.now),
            settings=SETTINGS,
            product=self._product() if self.exists else None,
            product_domain=_domain(**(self.product_domain or {})) if self.product_domain_exists else None,
            consumer_exists=self.consumer_exists,
            consumer_domain=_domain() if self.consumer_domain_exists else None,
            grants=self.grants,
        )

    def decide(self) -> Decision:
        return decide(self.request(), self.world())

    def _product(self) -> DataProduct:
        port = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": self.access or {}, **(self.port or {})}
        manifest = a_product(outputPorts=[] if self.port == {} else [port], **(self.product or {}))
        if self.forced:
            manifest = annotated(manifest, **{marks.FORCE_ANNOTATION.split("/")[1]: "orders"})
        gone = {"deletionTimestamp": NOW} if self.deleting else {}
        status: dict[str, Any] = {"conditions": [_condition("StorageReady", *self.storage_ready)]}
        if self.storage is not None:
            status["storage"] = self.storage
        if self.seen is not None:
            status["outputPorts"] = [self.seen]
        metadata = {**manifest["metadata"], "uid": "uid-orders", **gone}
        return DataProduct.model_validate({**manifest, "metadata": metadata, "status": status})


def _domain(**spec: Any) -> Domain:
    return Domain.model_validate(a_domain(**spec))


def _condition(type_: str, status: str, reason: str) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "lastTransitionTime": NOW}
