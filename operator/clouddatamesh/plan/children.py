"""The objects that a Domain keeps in each of its namespaces."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan import marks

CHILD_KINDS: Final = ("ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding")
_API: Final = {
    "ResourceQuota": "v1",
    "LimitRange": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "Namespace": "v1",
}
NAME: Final = "clouddatamesh"
SECRETS_ROLE: Final = "clouddatamesh-secrets"
ROLES: Final = {
    "owners": "clouddatamesh-owner",
    "engineers": "clouddatamesh-engineer",
    "viewers": "clouddatamesh-viewer",
}
"""spec.access list -> the ClusterRole of the chart that it is bound to."""
ADDITIONAL: Final = f"{NAME}-role-"
"""The bindings of spec.access.additionalRoles are named by this and the role."""
OPERATOR_BINDING: Final = f"{NAME}-operator"
"""By which the operator itself may take Secrets away in a namespace."""
_BINDINGS: Final = (OPERATOR_BINDING, *(f"{NAME}-{role}" for role in ROLES))


def is_named_as_child(manifest: Manifest) -> bool:
    """Whether an object has one of the names that a Domain gives to its children."""
    name = manifest["metadata"]["name"]
    return name in _BINDINGS or name.startswith(ADDITIONAL) if manifest["kind"] == "RoleBinding" else name == NAME


def is_child_of(manifest: Manifest, domain: str) -> bool:
    """Whether a Domain of this name made an object: it has a name that we give, and the mark of that Domain, be it of its former self.

    Labels prove nothing, because they are copied with everything else.
    """
    mark = str((manifest["metadata"].get("annotations") or {}).get(marks.OWNER_ANNOTATION, ""))
    return is_named_as_child(manifest) and mark.startswith(marks.owner_reference(Key("Domain", "", domain), ""))


def name_children(domain: Domain, namespace: str, settings: Settings) -> tuple[Key, ...]:
    """Every name that a child may have in a namespace, wanted or not, as far as the roles are known: what could be left of ours there."""
    roles = sorted({*settings.bindable_roles, *(entry.role for entry in domain.spec.access.additional_roles)})
    bindings = (Key("RoleBinding", namespace, name) for name in (*_BINDINGS, *(f"{ADDITIONAL}{role}" for role in roles)))
    return (*bindings, *(Key(kind, namespace, NAME) for kind in CHILD_KINDS if kind != "RoleBinding"))


def want_namespace(domain: Domain, name: str, mesh: str) -> Manifest:
    """A namespace that we make. No ownerReference: it must never be garbage-collected."""
    labels = {marks.MANAGED_LABEL: marks.MANAGER, marks.DOMAIN_LABEL: domain.metadata.name}
    annotations = {marks.HELD_ANNOTATION: f"{mesh}/{domain.metadata.name}"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels, "annotations": annotations}}


def want_children(domain: Domain, namespace: str, settings: Settings) -> tuple[Manifest, ...]:
    """Every child of one namespace: the operator's own binding first, since products wait for it; then limits, before anybody's rights.

    The quota is last: it may count bindings, and refuses only what comes after it.
    """
    return (
        _operator_binding(domain, namespace, settings),
        *_limits(domain, namespace),
        *_team_bindings(domain, namespace),
        *_additional_bindings(domain, namespace, settings),
        *_quota(domain, namespace),
    )


def _child(domain: Domain, kind: str, namespace: str, name: str, **body: Any) -> Manifest:
    owner = Key("Domain", "", domain.metadata.name)
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": {marks.MANAGED_LABEL: marks.MANAGER, marks.DOMAIN_LABEL: domain.metadata.name},
        "annotations": {marks.OWNER_ANNOTATION: marks.owner_reference(owner, domain.metadata.uid)},
    }
    return {"apiVersion": _API[kind], "kind": kind, "metadata": metadata, **body}


def _binding(domain: Domain, namespace: str, name: str, role: str, subjects: list[dict[str, str]]) -> Manifest:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return _child(domain, "RoleBinding", namespace, name, roleRef=reference, subjects=subjects)


def _operator_binding(domain: Domain, namespace: str, settings: Settings) -> Manifest:
    subject = {"kind": "ServiceAccount", "name": settings.service_account, "namespace": settings.namespace}
    return _binding(domain, namespace, OPERATOR_BINDING, SECRETS_ROLE, [subject])


def _team_bindings(domain: Domain, namespace: str) -> Iterator[Manifest]:
    for name, role in ROLES.items():
        subjects = [_subject(subject, namespace) for subject in getattr(domain.spec.access, name, ())]
        if subjects:
            yield _binding(domain, namespace, f"{NAME}-{name}", role, subjects)


def _additional_bindings(domain: Domain, namespace: str, settings: Settings) -> Iterator[Manifest]:
    """A role that is not in the platform team's list, or no longer, is bound to nobody."""
    for entry in domain.spec.access.additional_roles:
        named = (_subject(subject, namespace) for people in entry.subjects for subject in getattr(domain.spec.access, people))
        subjects = [dict(subject) for subject in dict.fromkeys(tuple(subject.items()) for subject in named)]
        if subjects and entry.role in settings.bindable_roles:
            yield _binding(domain, namespace, f"{ADDITIONAL}{entry.role}", entry.role, subjects)


def _subject(subject: Any, namespace: str) -> dict[str, str]:
    if subject.kind == "ServiceAccount":
        return {"kind": "ServiceAccount", "name": subject.name, "namespace": subject.namespace or namespace}
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": subject.kind, "name": subject.name}


def _quota(domain: Domain, namespace: str) -> Iterator[Manifest]:
    resources = domain.spec.resources
    if resources is None:
        return
    hard = dict(resources.quota)
    for count, kind in (
        (resources.max_data_products, "dataproducts"),
        (resources.max_access_requests, "accessrequests"),
        (resources.max_access_grants, "accessgrants"),
    ):
        if count is not None:
            hard[f"count/{kind}.{marks.GROUP}"] = str(count)
    if hard:
        yield _child(domain, "ResourceQuota", namespace, NAME, spec={"hard": dict(sorted(hard.items()))})


def _limits(domain: Domain, namespace: str) -> Iterator[Manifest]:
    resources = domain.spec.resources
    if resources is None:
        return
    limits = resources.limit_range
    if limits is not None and (limits.default or limits.default_request):
        # A request that is not given is as the limit: the API server would fill that in, and what there is must be what is wanted.
        container = {"type": "Container", "default": limits.default, "defaultRequest": {**limits.default, **limits.default_request}}
        yield _child(domain, "LimitRange", namespace, NAME, spec={"limits": [{k: v for k, v in container.items() if v}]})
    isolation = resources.network_isolation
    if isolation is not None and isolation.mode == "Domain":
        yield _network_policy(domain, namespace, isolation.allow_from)


def _network_policy(domain: Domain, namespace: str, allow_from: Iterable[Any]) -> Manifest:
    own = {"matchLabels": {marks.DOMAIN_LABEL: domain.metadata.name}}
    others = [selector.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True) for selector in allow_from]
    ingress = [{"from": [{"namespaceSelector": selector} for selector in (own, *others)]}]
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": ingress}
    return _child(domain, "NetworkPolicy", namespace, NAME, spec=spec)
