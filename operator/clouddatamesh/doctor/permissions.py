"""Whether the operator may do what the chart's roles say, rule by rule."""

from collections.abc import Iterable, Iterator
from typing import Final

from clouddatamesh.api import permissions
from clouddatamesh.api.permissions import PolicyRule
from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.kube.access import MYSELF, Asked, Need
from clouddatamesh.kube.resources import collection
from clouddatamesh.plan import marks
from clouddatamesh.shell.access import needs_of

CHECK: Final = "permissions"
_NAMESPACES: Final = 10
"""Of so many Domains' namespaces the rights to Secrets are asked."""


def look(subject: Subject) -> Iterator[Result]:
    """The roles in the cluster and in the operator's namespace."""
    asked = who(subject)
    rules = [(rule, "") for rule in permissions.OPERATOR_CLUSTER]
    rules += [(rule, subject.namespace) for rule in permissions.OPERATOR_OWN_NAMESPACE]
    count = 0
    for rule, namespace in rules:
        needs = tuple(needs_of(rule, namespace=namespace))
        count += len(needs)
        missing = tuple(need for need in needs if not subject.reader.is_granted(need, asked))
        yield from judge(rule, missing, namespace=namespace, subject=subject)
    yield Checked(check=CHECK, what=f"{count} permissions of {subject.account}, by {asked.review}")


def look_at_domains(subject: Subject) -> Iterator[Result]:
    """The role for Secrets, which the operator binds to itself in the namespaces of Domains."""
    asked = who(subject)
    query = {"labelSelector": marks.DOMAIN_LABEL}
    found = subject.reader.some(collection("Namespace"), _NAMESPACES, query)
    names = tuple(one["metadata"]["name"] for one in found if "deletionTimestamp" not in one["metadata"])
    for namespace in names:
        for rule in permissions.OPERATOR_DOMAIN_NAMESPACE:
            missing = tuple(need for need in needs_of(rule, namespace=namespace) if not subject.reader.is_granted(need, asked))
            yield from judge(rule, missing, namespace=namespace, subject=subject, role=permissions.SECRETS_ROLE)
    yield Checked(
        check=CHECK, what=f"the right to Secrets in {len(names)} namespaces of Domains (at most {_NAMESPACES}), by {asked.review}"
    )


def who(subject: Subject) -> Asked:
    """The operator itself asks by SelfSubjectAccessReview, everybody else by SubjectAccessReview for the operator's ServiceAccount."""
    if subject.is_operator:
        return MYSELF
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}", "system:authenticated")
    return Asked(subject.account, groups)


def judge(
    rule: PolicyRule, missing: Iterable[Need], *, namespace: str, subject: Subject, role: str = "clouddatamesh-operator"
) -> Iterator[Finding]:
    """One finding for what is missing of one rule."""
    needs = sorted(missing)
    if not needs:
        return
    kind = "ClusterRole" if not namespace or role == permissions.SECRETS_ROLE else f"Role {namespace}"
    yield Finding(
        check=CHECK,
        object=f"{kind} {role}" if kind == "ClusterRole" else f"{kind}/{role}",
        what=f"The operator may not {'; '.join(map(str, needs))}",
        why=f"It needs this to: {rule.why}. Without it /readyz fails and the objects concerned are not reconciled",
        do=subject.upgrade() if role != permissions.SECRETS_ROLE else f"{subject.upgrade()}; then wait for the Domain to bind the role",
    )
