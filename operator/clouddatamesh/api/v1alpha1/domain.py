"""Domain: a business area with its team, its namespaces and its limits."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import (
    Date,
    Description,
    Email,
    LabelName,
    LabelSelector,
    ObjectReference,
    PlainName,
    Quantity,
    ShortText,
    SubjectName,
    Text,
    Url,
)

_HOME = "(size(self.spec.namespaces) > 0 ? self.spec.namespaces[0].name : self.metadata.name)"


class Stakeholder(Model):
    """A person with an interest in the domain."""

    name: PlainName = Field(description="Name of the person. Example: Kim Roe.")
    role: ShortText | None = Field(default=None, description="What the person is. Example: Head of Sales.")
    email: Email | None = Field(default=None, description="Address for mail. Example: kim@example.com.")


class DataSource(Model):
    """A system that the domain's data comes from."""

    name: PlainName = Field(description="Name of the source. Example: pos.")
    type: ShortText | None = Field(default=None, description="Kind of system. Example: postgres.")
    description: Text | None = Field(default=None, description="What it holds. Example: Receipts of all shops.")
    owner: ShortText | None = Field(default=None, description="Who runs it. Example: Shop IT.")


class DataModel(Model):
    """A model that the domain's data follows."""

    name: PlainName = Field(description="Name of the model. Example: order.")
    url: Url | None = Field(default=None, description="Where it is written. Example: https://models.example.com/order.")
    version: ShortText | None = Field(default=None, description="Its version. Example: 3.")


class Processing(Model):
    """Something that the domain does with its data."""

    name: PlainName = Field(description="Name of the process. Example: nightly-load.")
    type: ShortText | None = Field(default=None, description="Kind of processing. Example: batch.")
    description: Text | None = Field(default=None, description="What it does. Example: Loads receipts.")


class TeamMember(Model):
    """A member of the team, as in the Open Data Product Standard."""

    username: PlainName = Field(description="Login or handle. Example: kim.")
    name: ShortText | None = Field(default=None, description="Full name. Example: Kim Roe.")
    role: ShortText | None = Field(default=None, description="Part in the team. Example: dataProductOwner.")
    date_in: Date | None = Field(default=None, description="First day in the team. Example: 2026-01-01.")
    date_out: Date | None = Field(default=None, description="Last day in the team. Example: 2026-12-31.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.dateIn) || !has(self.dateOut) || self.dateIn <= self.dateOut",
            "A member's dateOut is before dateIn; correct one of them",
        ),
    )


class Team(Model):
    """The people behind the domain."""

    name: ShortText | None = Field(default=None, description="Name of the team. Example: Sales Data.")
    members: tuple[TeamMember, ...] = Field(
        default=(), max_length=128, description="Who is in it.", json_schema_extra={"x-list-map-keys": ["username"]}
    )


class AccessSubject(Model):
    """A Kubernetes user, group or ServiceAccount."""

    kind: Literal["User", "Group", "ServiceAccount"] = Field(description="Kind of subject. Example: Group.")
    name: SubjectName = Field(description="Its name; names that begin with system: are refused. Example: sales-owners.")
    namespace: LabelName | None = Field(default=None, description="Namespace of a ServiceAccount; absent: the bound one. Example: sales.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("!self.name.startsWith('system:')", "Subjects named system:* are the cluster's own; name a user or group of yours"),
        Rule("!has(self.namespace) || self.kind == 'ServiceAccount'", "namespace belongs to subjects of kind ServiceAccount; remove it"),
        Rule(
            "self.kind != 'ServiceAccount' || self.name.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",
            "The name of a ServiceAccount has lower-case letters, digits, dots and dashes; correct it, and name its namespace apart",
        ),
    )


class DomainAccess(Model):
    """Who may do what in the domain's namespaces."""

    owners: tuple[AccessSubject, ...] = Field(default=(), max_length=32, description="May do all with products, and grant access.")
    engineers: tuple[AccessSubject, ...] = Field(default=(), max_length=32, description="May make and change products.")
    viewers: tuple[AccessSubject, ...] = Field(default=(), max_length=32, description="May look at products, and change nothing.")


class DomainNamespace(Model):
    """One namespace of the domain."""

    name: LabelName = Field(description="Name of the namespace. Example: sales.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.name != 'default' && !self.name.startsWith('kube-')",
            "The namespaces default and kube-* are the cluster's own; choose another",
        ),
    )


class LimitRange(Model):
    """Limits of containers that name none."""

    default: dict[ShortText, Quantity] = Field(default={}, max_length=16, description="Limits by resource. Example: {cpu: 500m}.")
    default_request: dict[ShortText, Quantity] = Field(default={}, max_length=16, description="Requests by resource. Example: {cpu: 100m}.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.default) || !has(self.defaultRequest) || self.defaultRequest.all(key, !(key in self.default)"
            " || quantity(self.defaultRequest[key]).compareTo(quantity(self.default[key])) <= 0)",
            "A limitRange.defaultRequest is above the limitRange.default of its resource; lower it or raise the limit",
        ),
    )


class NetworkIsolation(Model):
    """Who may connect to the domain's Pods."""

    mode: Literal["None", "Domain"] = Field(default="None", description="Domain: only the domain's own namespaces. Example: Domain.")
    allow_from: tuple[LabelSelector, ...] = Field(default=(), max_length=16, description="Further namespaces, by label.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.mode == 'Domain' || !has(self.allowFrom) || size(self.allowFrom) == 0",
            "networkIsolation.allowFrom counts only with mode Domain; set the mode or remove it",
        ),
    )


class DomainResources(Model):
    """Limits of each namespace of the domain."""

    quota: dict[ShortText, Quantity] = Field(
        default={},
        max_length=64,
        description="Hard limits per namespace, as ResourceQuota has them. What the cluster does not count limits nothing, and the Domain "
        'says so. Example: {requests.cpu: "20"}.',
    )
    limit_range: LimitRange | None = Field(default=None, description="Defaults for containers.")
    max_data_products: int | None = Field(default=None, ge=0, le=100000, description="Most products per namespace. Example: 50.")
    max_access_requests: int | None = Field(default=None, ge=0, le=100000, description="Most access requests per namespace. Example: 200.")
    max_access_grants: int | None = Field(default=None, ge=0, le=100000, description="Most access grants per namespace. Example: 400.")
    network_isolation: NetworkIsolation | None = Field(default=None, description="Who may connect to the domain's Pods.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.quota) || self.quota.all(key, key.matches('^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$'))",
            "A key of resources.quota is no resource; write one as ResourceQuota has it, such as requests.cpu or count/pods",
        ),
    )


class DomainSpec(Model):
    """What a business area is, who is in it, and what it may use."""

    display_name: ShortText | None = Field(default=None, description="Name for people. Example: Sales.")
    description: Description | None = Field(default=None, description="What the domain is for.")
    type: Literal["sourceAligned", "aggregate", "consumerAligned"] | None = Field(
        default=None, description="Where the domain stands in the flow of data. Example: sourceAligned."
    )
    parent_ref: ObjectReference | None = Field(
        default=None,
        description="The Domain above this one. Nothing is inherited. A Domain is not deleted while others name it as their parent.",
    )
    stakeholders: tuple[Stakeholder, ...] = Field(default=(), max_length=64, description="People with an interest.")
    data_sources: tuple[DataSource, ...] = Field(
        default=(), max_length=64, description="Systems that the data comes from.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    data_models: tuple[DataModel, ...] = Field(default=(), max_length=64, description="Models that the data follows.")
    processing: tuple[Processing, ...] = Field(
        default=(), max_length=64, description="What is done with the data.", json_schema_extra={"x-list-map-keys": ["name"]}
    )
    team: Team | None = Field(default=None, description="The people behind the domain.")
    access: DomainAccess = Field(default=DomainAccess(), description="Who may do what in the domain's namespaces.")
    namespaces: tuple[DomainNamespace, ...] = Field(
        default=(),
        max_length=32,
        description="Namespaces of the domain; absent: one, named as the domain. The first is the home, by which the domain is known, and "
        "immutable; others can be added and removed. One that is removed must hold no product, request or grant.",
        json_schema_extra={"x-list-map-keys": ["name"]},
    )
    namespace_adoption: Literal["Never", "IfConsented"] = Field(
        default="Never", description="Whether existing namespaces that consent by annotation are taken over. Example: Never."
    )
    resources: DomainResources | None = Field(default=None, description="Limits of each namespace.")
    cordoned: bool = Field(default=False, description="No new products and no new grants; what runs keeps running. Example: false.")
    suspend: bool = Field(default=False, description="Make and repair nothing for now. Example: false.")


class NamespaceStatus(Model):
    """A namespace that is the domain's."""

    name: str = Field(max_length=63, description="Name of the namespace. Example: sales.")
    uid: str = Field(max_length=64, description="Its UID. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.")
    adopted: bool = Field(default=False, description="Whether it existed before. Example: false.")


class DomainStatus(Status):
    """What stands of the domain."""

    namespaces: tuple[NamespaceStatus, ...] = Field(default=(), max_length=64, description="Namespaces that are the domain's.")
    released_namespaces: tuple[LabelName, ...] = Field(
        default=(),
        max_length=64,
        description="Namespaces that the operator created and this domain released: it takes one back when spec.namespaces names it again. "
        "Removing the annotation clouddatamesh.dev/released-by from the namespace ends that. Example: [sales-lab].",
    )
    data_products: int = Field(default=0, ge=0, description="Products in them. Example: 3.")


class Domain(Resource):
    """A business area: its team, its namespaces, its limits."""

    spec: DomainSpec = DomainSpec()
    status: DomainStatus = DomainStatus()
    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.spec.parentRef) || self.spec.parentRef.name != self.metadata.name",
            "spec.parentRef names this domain itself; name another or remove it",
        ),
        Rule("size(self.metadata.name) <= 63", "metadata.name is written into labels; choose one of at most 63 characters"),
        Rule(
            "size(self.spec.namespaces) > 0 || !(self.metadata.name.contains('.') || self.metadata.name == 'default'"
            " || self.metadata.name.startsWith('kube-'))",
            "No namespace can be named as this domain; name the domain's namespaces in spec.namespaces",
        ),
        Rule(
            f"{_HOME} == {_HOME.replace('self', 'oldSelf')}",
            "The home, which is the first of spec.namespaces, is immutable; keep it first and add others after it",
        ),
    )
