"""The registry of kinds: the one source of truth for names, scopes, columns and versions."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from clouddatamesh.api.base import Resource
from clouddatamesh.api.names import NAME_BY_KIND, Name
from clouddatamesh.api.texts import VERSION
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessinbox import AccessInbox
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.policy import DomainPolicy, GovernancePolicy
from clouddatamesh.api.v1alpha1.policywaiver import PolicyWaiver


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; priority 1 shows only with -o wide."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


_READY: Final = Column("Ready", ".status.conditions[?(@.type=='Ready')].status")
_TAIL: Final = (
    Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
    Column("Age", ".metadata.creationTimestamp", "date"),
    Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1),
)
_JUDGED: Final = (
    _READY,
    Column("Enforcement", ".spec.enforcement"),
    Column("Evaluated", ".status.evaluated", "integer"),
    Column("Violations", ".status.violations", "integer"),
    Column("Waived", ".status.waived", "integer"),
    Column("Category", ".spec.category", priority=1),
    *_TAIL,
)


_PENDING: Final = {
    "type": "Ready",
    "status": "Unknown",
    "reason": "Pending",
    "message": "No operator has looked at this object yet; check that one runs and serves this mesh",
    "lastTransitionTime": "1970-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Kind:
    """One kind: its model, how it is called, and what kubectl shows."""

    model: type[Resource]
    columns: tuple[Column, ...]
    description: str
    versions: tuple[str, ...] = (VERSION,)

    @property
    def name(self) -> Name:
        return NAME_BY_KIND[self.model.__name__]

    @property
    def kind(self) -> str:
        return self.name.kind

    @property
    def plural(self) -> str:
        return self.name.plural

    @property
    def scope(self) -> Literal["Cluster", "Namespaced"]:
        return self.name.scope

    @property
    def short_names(self) -> tuple[str, ...]:
        return self.name.short_names

    @property
    def singular(self) -> str:
        return self.name.singular

    @property
    def initial_status(self) -> dict[str, Any]:
        """The status of an object at which no operator has looked yet: it is not Ready, and never taken for a finished one."""
        return {"observedGeneration": -1, **({"conditions": [dict(_PENDING)]} if _READY in self.columns else {})}


KINDS: Final = (
    Kind(
        ObjectStore,
        (_READY, Column("Region", ".spec.region"), Column("Endpoint", ".spec.endpointUrl", priority=1), *_TAIL),
        "An S3 endpoint with its credentials, its defaults, and the capabilities that the operator found in it.",
    ),
    Kind(
        Domain,
        (
            _READY,
            Column("Products", ".status.dataProducts", "integer"),
            Column("Namespaces", ".status.namespaceCount", "integer"),
            Column("Cordoned", ".status.conditions[?(@.type=='Cordoned')].status"),
            *_TAIL,
        ),
        "A business area with its team, namespaces and limits.",
    ),
    Kind(
        DataProduct,
        (
            _READY,
            Column("Version", ".spec.version"),
            Column("Lifecycle", ".spec.lifecycle"),
            Column("Owner", ".spec.owner.name"),
            Column("Tags", ".spec.tags"),
            Column("Pending", ".status.pendingRequestCount", "integer"),
            Column("Bucket", ".status.storage.bucket", priority=1),
            *_TAIL,
        ),
        "A data product with its storage, ports, documentation and lifecycle.",
    ),
    Kind(
        AccessRequest,
        (
            _READY,
            Column("From", ".spec.dataProductRef.namespace"),
            Column("Product", ".spec.dataProductRef.name"),
            Column("Port", ".spec.outputPort.name"),
            Column("Mode", ".spec.mode"),
            Column("Until", ".status.validUntil"),
            Column("Purpose", ".spec.purpose", priority=1),
            *_TAIL,
        ),
        "A request by a consumer for access to an output port, with a purpose and a duration.",
    ),
    Kind(
        AccessGrant,
        (
            Column("In effect", ".status.conditions[?(@.type=='InEffect')].status"),
            Column("Decision", ".spec.decision"),
            Column("Product", ".spec.dataProductRef.name"),
            Column("Port", ".spec.outputPort.name"),
            Column("For", ".spec.requestRef.namespace"),
            Column("Request", ".spec.requestRef.name"),
            Column("Until", ".status.validUntil"),
            Column("Note", ".spec.note", priority=1),
            _READY,
            *_TAIL,
        ),
        "The owner's decision on an AccessRequest. Applying it approves or denies; deleting an approval revokes access.",
    ),
    Kind(
        AccessInbox,
        (
            Column("Pending", ".status.pendingCount", "integer"),
            Column("Consumers", ".status.consumerCount", "integer"),
            Column("Oldest", ".status.pending[0].name", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        "Pending requests and consumers of a product. Written by the operator, read by the product's team.",
    ),
    Kind(
        GovernancePolicy,
        _JUDGED,
        "Rules in CEL for the objects of every Domain, or of selected ones. Written by the governance group.",
    ),
    Kind(
        DomainPolicy,
        _JUDGED,
        "Further rules of one Domain, in its home namespace. They add to the GovernancePolicies, or tighten them.",
    ),
    Kind(
        DomainProfile,
        (
            _READY,
            Column("Team", ".spec.team.name"),
            Column("Overdue", ".status.training.overdue", "integer"),
            Column("Due", ".status.training.due", "integer"),
            *_TAIL,
        ),
        "Description, team and training of a Domain, written by its owners in its home namespace. It gives no rights.",
    ),
    Kind(
        PolicyWaiver,
        (
            _READY,
            Column("Policy", ".spec.policyRef.name"),
            Column("Rule", ".spec.rule"),
            Column("Namespace", ".spec.objectRef.namespace"),
            Column("Object", ".spec.objectRef.name"),
            Column("Until", ".spec.validUntil"),
            Column("Approver", ".spec.approver", priority=1),
            *_TAIL,
        ),
        "A dated exception from one rule for one object.",
    ),
)
KIND_BY_NAME: Final = {kind.kind: kind for kind in KINDS}
