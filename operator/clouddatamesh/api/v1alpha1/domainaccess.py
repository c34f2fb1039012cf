"""Who has which role in the namespaces of a Domain."""

from typing import ClassVar, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import LabelName, RoleName, SubjectName


class AccessSubject(Model):
    """A Kubernetes user, group or ServiceAccount."""

    kind: Literal["User", "Group", "ServiceAccount"] = Field(description="Kind of the subject. Example: Group.")
    name: SubjectName = Field(description="Name of the subject. Names that begin with system: are refused. Example: sales-owners.")
    namespace: LabelName | None = Field(
        default=None, description="Namespace of a ServiceAccount; absent: the namespace in which it is bound. Example: sales."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("!self.name.startsWith('system:')", "Subjects named system:* are reserved for the cluster; name a user or group of your own"),
        # CEL reserves the word namespace: Kubernetes 1.30 takes a field of that name only in this form, later versions in both.
        Rule(
            "!has(self.__namespace__) || self.kind == 'ServiceAccount'",
            "namespace is only allowed for subjects of kind ServiceAccount; remove it",
        ),
        Rule(
            "self.kind != 'ServiceAccount' || self.name.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",
            "The name of a ServiceAccount has lower-case letters, digits, dots and dashes; correct it, and set its namespace in namespace",
        ),
    )


class AdditionalRole(Model):
    """A ClusterRole that the platform team allows, for some of the domain's people."""

    role: RoleName = Field(
        description="Name of a ClusterRole that the chart's value access.bindableRoles lists. Example: clouddatamesh-workloads."
    )
    subjects: tuple[Literal["owners", "engineers", "viewers"], ...] = Field(
        default=("owners", "engineers"),
        min_length=1,
        max_length=3,
        description="Lists of spec.access whose subjects get the role. Example: [engineers].",
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("!self.role.startsWith('system:')", "Roles named system:* are reserved for the cluster; name another role"),
    )


class DomainAccess(Model):
    """Roles in the domain's namespaces."""

    owners: tuple[AccessSubject, ...] = Field(
        default=(), max_length=32, description="Subjects that manage products and requests, and grant access."
    )
    engineers: tuple[AccessSubject, ...] = Field(
        default=(), max_length=32, description="Subjects that create and change products and requests."
    )
    viewers: tuple[AccessSubject, ...] = Field(default=(), max_length=32, description="Subjects that can only read.")
    from_team: bool = Field(
        default=False,
        description="Whether members of this Domain's spec.team have rights as users of their username, from dateIn to dateOut: those with"
        " role owner, dataProductOwner or dataOwner as owners, those with role engineer or dataEngineer as engineers. Other roles, and"
        " the teams of DomainProfiles and products, give no rights. Example: false.",
    )
    additional_roles: tuple[AdditionalRole, ...] = Field(
        default=(),
        max_length=16,
        description="Additional ClusterRoles in the domain's namespaces, for example to run workloads. The chart's value"
        " access.bindableRoles lists those that are allowed.",
        json_schema_extra={"x-list-map-keys": ["role"]},
    )
