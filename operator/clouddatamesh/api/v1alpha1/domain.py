"""Domain: a business area with its team, its namespaces and its limits."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import (
    Description,
    Email,
    LabelName,
    LabelSelector,
    ObjectReference,
    PlainName,
    Quantity,
    ShortText,
    Text,
    Url,
    Word,
)
from clouddatamesh.api.v1alpha1.compliance import Compliance
from clouddatamesh.api.v1alpha1.domainaccess import DomainAccess
from clouddatamesh.api.v1alpha1.team import Team

_HOME = "(size(self.spec.namespaces) > 0 ? self.spec.namespaces[0].name : self.metadata.name)"


class Stakeholder(Model):
    """A person with an interest in the domain."""

    name: PlainName = Field(description="Name of the person. Example: Kim Roe.")
    role: ShortText | None = Field(default=None, description="Role of the person. Example: Head of Sales.")
    email: Email | None = Field(default=None, description="E-mail address. Example: kim@example.com.")


class DataSource(Model):
    """A source system of the domain's data."""

    name: PlainName = Field(description="Name of the source. Example: pos.")
    type: ShortText | None = Field(default=None, description="Type of the system. Example: postgres.")
    description: Text | None = Field(default=None, description="Content of the source. Example: Receipts of all shops.")
    owner: ShortText | None = Field(default=None, description="Owner of the system. Example: Shop IT.")


class DataModel(Model):
    """A model that the domain's data follows."""

    name: PlainName = Field(description="Name of the model. Example: order.")
    url: Url | None = Field(default=None, description="URL of the model. Example: https://models.example.com/order.")
    version: ShortText | None = Field(default=None, description="Version of the model. Example: 3.")


class Processing(Model):
    """A processing step of the domain."""

    name: PlainName = Field(description="Name of the process. Example: nightly-load.")
    type: ShortText | None = Field(default=None, description="Type of processing. Example: batch.")
    description: Text | None = Field(default=None, description="Description of the step. Example: Loads receipts.")


class DomainNamespace(Model):
    """One namespace of the domain."""

    name: LabelName = Field(description="Name of the namespace. Example: sales.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.name != 'default' && !self.name.startsWith('kube-')",
            "The namespaces default and kube-* are reserved for the cluster; choose another one",
        ),
    )


class LimitRange(Model):
    """Default limits of containers."""

    default: dict[ShortText, Quantity] = Field(default={}, max_length=16, description="Default limits by resource. Example: {cpu: 500m}.")
    default_request: dict[ShortText, Quantity] = Field(
        default={}, max_length=16, description="Default requests by resource. Example: {cpu: 100m}."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.default) || !has(self.defaultRequest) || self.defaultRequest.all(key, !(key in self.default)"
            " || quantity(self.defaultRequest[key]).compareTo(quantity(self.default[key])) <= 0)",
            "A limitRange.defaultRequest is greater than the limitRange.default of its resource; lower the request or raise the limit",
        ),
    )


class NetworkIsolation(Model):
    """Network isolation of the domain's Pods."""

    mode: Literal["None", "Domain"] = Field(
        default="None",
        description="None: no isolation. Domain: only Pods in the domain's own namespaces, and in those that allowFrom selects, can"
        " connect. Example: Domain.",
    )
    allow_from: tuple[LabelSelector, ...] = Field(
        default=(), max_length=16, description="Selects other namespaces whose Pods can connect, by label."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode == 'Domain' || !has(self.allowFrom) || size(self.allowFrom) == 0",
            "networkIsolation.allowFrom has an effect only with mode Domain; set the mode or remove allowFrom",
        ),
    )


class DomainResources(Model):
    """Limits of each namespace of the domain."""

    quota: dict[ShortText, Quantity] = Field(
        default={},
        max_length=64,
        description="Hard limits for each namespace, as in a ResourceQuota. A limit that the cluster does not count has no effect, and"
        " the Domain "
        'reports it. Example: {requests.cpu: "20"}.',
    )
    limit_range: LimitRange | None = Field(default=None, description="Default limits and requests of containers.")
    max_data_products: int | None = Field(
        default=None, ge=0, le=100000, description="Maximum number of products in each namespace. Example: 50."
    )
    max_access_requests: int | None = Field(
        default=None, ge=0, le=100000, description="Maximum number of access requests in each namespace. Example: 200."
    )
    max_access_grants: int | None = Field(
        default=None, ge=0, le=100000, description="Maximum number of access grants in each namespace. Example: 400."
    )
    allowed_regions: tuple[Word, ...] = Field(
        default=(),
        max_length=64,
        description="Regions in which data of the domain may be; absent: all. The operator does not act on it: rules of policies do, such"
        " as residency of the starter pack. Example: [eu-central-1].",
        json_schema_extra={"x-list-set": True},
    )
    network_isolation: NetworkIsolation | None = Field(default=None, description="Network isolation of the domain's Pods.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.quota) || self.quota.all(key, key.matches('^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$'))",
            "A key of resources.quota is not a resource; use the names of a ResourceQuota, such as requests.cpu or count/pods",
        ),
    )


class DomainSpec(Model):
    """Description, team, namespaces and limits of a business area."""

    display_name: ShortText | None = Field(default=None, description="Display name. Example: Sales.")
    description: Description | None = Field(default=None, description="Purpose, limitations and usage of the domain's data.")
    type: Literal["sourceAligned", "aggregate", "consumerAligned"] | None = Field(
        default=None, description="Position of the domain in the flow of data. Example: sourceAligned."
    )
    parent_ref: ObjectReference | None = Field(
        default=None,
        description="Parent Domain, for documentation. Nothing is inherited. A Domain is not deleted while other Domains name it as their"
        " parent.",
    )
    stakeholders: tuple[Stakeholder, ...] = Field(default=(), max_length=64, description="Persons with an interest in the domain.")
    data_sources: tuple[DataSource, ...] = Field(
        default=(), max_length=64, description="Source systems of the data.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    data_models: tuple[DataModel, ...] = Field(default=(), max_length=64, description="Data models of the domain.")
    processing: tuple[Processing, ...] = Field(
        default=(), max_length=64, description="Processing steps of the domain.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    team: Team | None = Field(default=None, description="The team of the domain.")
    access: DomainAccess = Field(default=DomainAccess(), description="Roles in the domain's namespaces.")
    namespaces: tuple[DomainNamespace, ...] = Field(
        default=(),
        max_length=32,
        description="Namespaces of the domain; absent: one namespace with the name of the domain. The first entry is the home namespace,"
        " which "
        "identifies the domain and is immutable. Others can be added, and removed when they contain no product, request or grant.",
        json_schema_extra={"x-list-map-keys": ["name"]},
    )
    namespace_adoption: Literal["Never", "IfConsented"] = Field(
        default="Never", description="Whether to adopt existing namespaces that consent by annotation. Example: Never."
    )
    resources: DomainResources | None = Field(default=None, description="Limits for each namespace.")
    cordoned: bool = Field(default=False, description="Blocks new products and new grants; existing ones continue. Example: false.")
    suspend: bool = Field(default=False, description="Pauses creation and repair. Access is still revoked and expires. Example: false.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.access) || !has(self.access.fromTeam) || !self.access.fromTeam || !has(self.team) || !has(self.team.members)"
            " || self.team.members.all(member, !member.username.startsWith('system:'))",
            "A member of spec.team is named system:*, which is reserved for the cluster; rename the member, or set spec.access.fromTeam to"
            " false",
        ),
    )


class NamespaceStatus(Model):
    """A namespace that the domain owns."""

    name: str = Field(max_length=63, description="Name of the namespace. Example: sales.")
    uid: str = Field(max_length=64, description="UID of the namespace. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")
    adopted: bool = Field(default=False, description="Whether the namespace existed before the domain adopted it. Example: false.")


class DomainStatus(Status):
    """State of the domain."""

    namespaces: tuple[NamespaceStatus, ...] = Field(
        default=(), max_length=64, description="Namespaces that the domain owns, and last those that left the spec and are not empty yet."
    )
    released_namespaces: tuple[LabelName, ...] = Field(
        default=(),
        max_length=64,
        description="Namespaces that the operator created and that left the domain. The domain takes one back when spec.namespaces names"
        " it "
        "again. To prevent that, remove the annotation clouddatamesh.dev/released-by from the namespace. Example: [sales-lab].",
    )
    namespace_count: int = Field(default=0, ge=0, description="Number of namespaces that the domain owns. Example: 2.")
    compliance: Compliance | None = Field(default=None, description="Rules of policies that the object violates; absent if none.")
    policy_violations: int = Field(
        default=0, ge=0, description="Number of policy violations without a waiver in the namespaces. Example: 2."
    )
    data_products: int = Field(default=0, ge=0, description="Number of products in the namespaces. Example: 3.")


class Domain(Resource):
    """A business area with its team, namespaces and limits."""

    spec: DomainSpec = DomainSpec()
    status: DomainStatus = DomainStatus()
    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.spec.parentRef) || self.spec.parentRef.name != self.metadata.name",
            "spec.parentRef names this Domain itself; name another Domain or remove it",
        ),
        Rule("size(self.metadata.name) <= 63", "metadata.name is used in labels; choose a name of at most 63 characters"),
        Rule(
            "size(self.spec.namespaces) > 0 || !(self.metadata.name.contains('.') || self.metadata.name == 'default'"
            " || self.metadata.name.startsWith('kube-'))",
            "No namespace can have the name of this Domain; list the Domain's namespaces in spec.namespaces",
        ),
        Rule(
            f"{_HOME} == {_HOME.replace('self', 'oldSelf')}",
            "The home namespace, which is the first entry of spec.namespaces, is immutable; keep it first and add others after it",
        ),
    )
