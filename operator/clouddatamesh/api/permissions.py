"""What the operator may do in a cluster, and the roles that it hands out; each rule with its reason. No wildcard, no escalation."""

from dataclasses import dataclass
from typing import Final

from clouddatamesh.api.fields import GROUP

SECRETS_ROLE: Final = "clouddatamesh-secrets"
TEAM_ROLES: Final = ("clouddatamesh-owner", "clouddatamesh-engineer", "clouddatamesh-viewer")
DISCOVER_ROLE: Final = "clouddatamesh-discover"
WORKLOADS_ROLE: Final = "clouddatamesh-workloads"
GOVERN_ROLE: Final = "clouddatamesh-governance"
WAIVE_ROLE: Final = "clouddatamesh-waivers"
_KINDS: Final = ("objectstores", "domains", "dataproducts", "accessrequests", "accessgrants")
_POLICIES: Final = ("governancepolicies", "domainpolicies", "policywaivers")
_AT_ADMISSION: Final = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_FOLLOW: Final = ("list", "watch")
_WATCH: Final = ("get", *_FOLLOW)
_CHANGE: Final = (*_WATCH, "create", "patch", "delete")


@dataclass(frozen=True)
class PolicyRule:
    """One RBAC rule. `names` bounds it to objects of those names."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()


def binding(*roles: str) -> PolicyRule:
    """The right to bind these ClusterRoles, and no others."""
    return PolicyRule(("rbac.authorization.k8s.io",), ("clusterroles",), ("bind",), "Hand out exactly these roles", names=roles)


OPERATOR_CLUSTER: Final = (
    PolicyRule((GROUP,), _KINDS, (*_FOLLOW, "patch"), "Watch the kinds of the mesh and put the finalizer on"),
    PolicyRule((GROUP,), _KINDS, ("get",), "Read once more what is about to be given, taken or destroyed: a cache may be behind"),
    PolicyRule((GROUP,), tuple(f"{kind}/status" for kind in _KINDS), ("patch",), "Write status"),
    PolicyRule((GROUP,), _POLICIES, _FOLLOW, "Know the policies and the waivers; never write one"),
    PolicyRule((GROUP,), tuple(f"{kind}/status" for kind in _POLICIES), ("patch",), "Write what came of them"),
    PolicyRule(("admissionregistration.k8s.io",), _AT_ADMISSION, ("get",), "See whether rules are judged at admission; never write one"),
    PolicyRule((GROUP,), ("accessinboxes",), (*_FOLLOW, "create"), "Tell the owners of a product who asks for it and who uses it"),
    PolicyRule((GROUP,), ("accessinboxes/status",), ("patch",), "Write what an inbox holds"),
    PolicyRule((GROUP,), ("domainprofiles",), _FOLLOW, "Know a Domain's team and its training"),
    PolicyRule((GROUP,), ("domainprofiles/status",), ("patch",), "Tell whose training is due"),
    PolicyRule((GROUP,), ("accessgrants",), ("create", "delete"), "Answer where a port's approval is Auto, and clear such answers away"),
    PolicyRule(("",), ("serviceaccounts",), _WATCH, "Notice that a consumer is deleted"),
    PolicyRule(("",), ("namespaces",), (*_WATCH, "create", "patch"), "Make, adopt and label the namespaces of domains; never delete one"),
    PolicyRule(("",), ("resourcequotas", "limitranges"), _CHANGE, "Limits of domains"),
    PolicyRule(("networking.k8s.io",), ("networkpolicies",), _CHANGE, "Network isolation of domains"),
    PolicyRule(("rbac.authorization.k8s.io",), ("rolebindings",), _CHANGE, "Bind teams to their roles in the namespaces of their domain"),
    binding(*TEAM_ROLES, SECRETS_ROLE),
    PolicyRule(("events.k8s.io",), ("events",), ("create",), "Tell users of transitions"),
    PolicyRule(("apiextensions.k8s.io",), ("customresourcedefinitions",), _FOLLOW, "Notice when a kind is installed or removed"),
)
"""In the whole cluster."""


def in_cluster(bindable: tuple[str, ...]) -> tuple[PolicyRule, ...]:
    """The same, where Domains may hand out additional roles."""
    return (*OPERATOR_CLUSTER, binding(*bindable)) if bindable else OPERATOR_CLUSTER


OPERATOR_OWN_NAMESPACE: Final = (
    PolicyRule(("",), ("secrets",), ("get",), "Read the credentials that an ObjectStore names"),
    PolicyRule(("coordination.k8s.io",), ("leases",), ("get", "create", "update"), "Agree with other replicas on who works"),
)
"""In its own namespace only."""

OPERATOR_DOMAIN_NAMESPACE: Final = (
    PolicyRule(("",), ("secrets",), ("get", "create", "patch", "delete"), "Keep the Secrets of products; never list or watch any"),
)
"""In namespaces of domains, through a RoleBinding to SECRETS_ROLE that it makes there."""

GATE: Final = (
    PolicyRule((GROUP,), ("governancepolicies", "domainpolicies", "policywaivers", "domains"), _FOLLOW, "Render policies"),
    PolicyRule((GROUP,), ("governancepolicies", "domainpolicies"), ("get",), "Read once more the policy whose admission policy is removed"),
    PolicyRule(("admissionregistration.k8s.io",), _AT_ADMISSION, (*_FOLLOW, "create", "update", "delete"), "Keep what was rendered"),
)
"""Of the gate program, in the whole cluster. RBAC cannot bound `create` by name, so this account can write every admission policy."""

_PRODUCTS: Final = ("dataproducts",)
_REQUESTS: Final = ("accessrequests",)
_GRANTS: Final = ("accessgrants",)
_INBOXES: Final = ("accessinboxes",)
_RULES: Final = ("domainpolicies",)
_PROFILES: Final = ("domainprofiles",)
_SEE: Final = PolicyRule(("",), ("events", "resourcequotas", "limitranges"), _WATCH, "See what happens and what is left")
_USE: Final = PolicyRule(("",), ("secrets",), ("get",), "Use the credentials of products and of granted requests")
OWNER: Final = (
    PolicyRule((GROUP,), (*_PRODUCTS, *_REQUESTS), (*_CHANGE, "update"), "Own the domain's products and what it asks of others"),
    PolicyRule((GROUP,), _GRANTS, (*_CHANGE, "update"), "Answer who asks for the domain's products"),
    PolicyRule((GROUP,), _INBOXES, _WATCH, "See who asks for the domain's products and who uses them"),
    PolicyRule((GROUP,), _RULES, (*_CHANGE, "update"), "Add policies of the domain's own"),
    PolicyRule((GROUP,), _PROFILES, (*_CHANGE, "update"), "Describe the domain, its team and the team's training"),
    _USE,
    _SEE,
)
ENGINEER: Final = (
    PolicyRule((GROUP,), _PRODUCTS, (*_WATCH, "create", "patch", "update"), "Make and change products, without deleting them"),
    PolicyRule((GROUP,), _REQUESTS, (*_CHANGE, "update"), "Ask for other domains' products, and give access back"),
    PolicyRule((GROUP,), (*_GRANTS, *_INBOXES, *_RULES), _WATCH, "See who asks and who uses, what the owners answered, and the policies"),
    PolicyRule((GROUP,), _PROFILES, _WATCH, "See the domain's team and whose training is due"),
    _USE,
    _SEE,
)
VIEWER: Final = (
    PolicyRule(
        (GROUP,),
        (*_PRODUCTS, *_REQUESTS, *_GRANTS, *_INBOXES, *_RULES, *_PROFILES),
        _WATCH,
        "See products, requests, answers, users, policies and the domain's profile",
    ),
    PolicyRule(("",), ("events", "resourcequotas"), _WATCH, "See what happens and what is left"),
)
DISCOVER: Final = (
    PolicyRule((GROUP,), ("domains", "dataproducts"), _WATCH, "Find the products of every domain"),
    PolicyRule((GROUP,), ("governancepolicies",), _WATCH, "Know the rules that hold for all of them"),
)
GOVERN: Final = (
    PolicyRule((GROUP,), ("governancepolicies",), (*_CHANGE, "update"), "Write the rules for every domain"),
    PolicyRule((GROUP,), ("domainpolicies", "domains", "dataproducts"), _WATCH, "See what they apply to, and the domains' own"),
    PolicyRule((GROUP,), ("policywaivers",), _WATCH, "See what is excepted"),
)
"""For the governance group. Who may except from a rule is another role."""
WAIVE: Final = (
    PolicyRule((GROUP,), ("policywaivers",), (*_CHANGE, "update"), "Except an object from a rule for a time"),
    PolicyRule((GROUP,), ("governancepolicies", "domainpolicies", "domains", "dataproducts"), _WATCH, "See what is excepted from what"),
)
WORKLOADS: Final = (
    PolicyRule(("",), ("pods", "configmaps", "serviceaccounts"), (*_CHANGE, "update"), "Run Pods, with their settings and identities"),
    PolicyRule(("batch",), ("jobs", "cronjobs"), (*_CHANGE, "update"), "Run Pods once and on a schedule"),
    PolicyRule(("",), ("pods/log",), ("get",), "Read what they print"),
)
"""For spec.access.additionalRoles. No Secrets, no RBAC and no kind of the mesh; but Pods can use every Secret of their namespace."""

AGGREGATE_VIEW: Final = (
    PolicyRule(
        (GROUP,),
        (*_PRODUCTS, *_REQUESTS, *_GRANTS, *_INBOXES, *_RULES, *_PROFILES),
        _WATCH,
        "See products, requests, answers, users, policies and the domain's profile",
    ),
)
AGGREGATE_EDIT: Final = (
    PolicyRule(
        (GROUP,), (*_PRODUCTS, *_REQUESTS), (*_CHANGE, "update"), "Change products and requests; never answers, which need an owner"
    ),
)
AGGREGATE_ADMIN: Final = (
    PolicyRule((GROUP,), _GRANTS, (*_CHANGE, "update"), "Answer who asks for the products of a namespace"),
    PolicyRule((GROUP,), _PROFILES, (*_CHANGE, "update"), "Describe the domain of a namespace, its team and the team's training"),
)

CLUSTER_ROLES: Final = {
    SECRETS_ROLE: OPERATOR_DOMAIN_NAMESPACE,
    TEAM_ROLES[0]: OWNER,
    TEAM_ROLES[1]: ENGINEER,
    TEAM_ROLES[2]: VIEWER,
    DISCOVER_ROLE: DISCOVER,
    WORKLOADS_ROLE: WORKLOADS,
    GOVERN_ROLE: GOVERN,
    WAIVE_ROLE: WAIVE,
    "clouddatamesh-aggregate-view": AGGREGATE_VIEW,
    "clouddatamesh-aggregate-edit": AGGREGATE_EDIT,
    "clouddatamesh-aggregate-admin": AGGREGATE_ADMIN,
}
"""ClusterRoles of the chart: the operator or an administrator binds them, or the cluster's own roles take them in (aggregate)."""
