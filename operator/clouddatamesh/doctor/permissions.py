"""Whether the operator may do what the chart's roles say, rule by rule."""

from collections.abc import Iterator
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
ROLE: Final = "clouddatamesh-operator"
_NAMESPACES: Final = 10
"""Of so many Domains' namespaces the rights to Secrets are asked."""


def look(subject: Subject) -> Iterator[Result]:
    """The roles in the cluster and in the operator's namespace."""
    asked = who(subject)
    rules = [(rule, tuple(needs_of(rule))) for rule in permissions.in_cluster(subject.bindable)]
    rules += [(rule, tuple(needs_of(rule, namespace=subject.namespace))) for rule in permissions.OPERATOR_OWN_NAMESPACE]
    missing = [(rule, tuple(need for need in needs if not subject.reader.is_granted(need, asked))) for rule, needs in rules]
    count, lacking = (sum(len(needs) for _, needs in listed) for listed in (rules, missing))
    if lacking == count:
        yield _none_of(count, subject)
    else:
        yield from (judge(rule, needs, subject=subject) for rule, needs in missing if needs)
    yield Checked(check=CHECK, what=f"{count} permissions of {subject.account}, by {asked.review}")


def look_at_domains(subject: Subject) -> Iterator[Result]:
    """The role for Secrets, which the operator binds to itself in the namespaces of Domains."""
    asked = who(subject)
    found = subject.reader.some(collection("Namespace"), _NAMESPACES, {"labelSelector": marks.DOMAIN_LABEL})
    names = tuple(one["metadata"]["name"] for one in found if "deletionTimestamp" not in one["metadata"])
    for rule in permissions.OPERATOR_DOMAIN_NAMESPACE:
        needs = (need for namespace in names for need in needs_of(rule, namespace=namespace))
        missing = tuple(need for need in needs if not subject.reader.is_granted(need, asked))
        if missing:
            yield judge(rule, missing, subject=subject, role=permissions.SECRETS_ROLE)
    yield Checked(check=CHECK, what=f"the right to Secrets in {len(names)} namespaces of Domains, by {asked.review}")


def who(subject: Subject) -> Asked:
    """The operator itself asks by SelfSubjectAccessReview, everybody else by SubjectAccessReview for the operator's ServiceAccount."""
    if subject.is_operator:
        return MYSELF
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}", "system:authenticated")
    return Asked(subject.account, groups)


def judge(rule: PolicyRule, missing: tuple[Need, ...], *, subject: Subject, role: str = ROLE) -> Finding:
    """One finding for what is missing of one rule, be it in several namespaces."""
    is_own = role == ROLE and any(need.namespace for need in missing)
    again = "" if role == ROLE else "; the operator binds the role in each namespace of a Domain by itself"
    return Finding(
        check=CHECK,
        object=f"Role {subject.namespace}/{role}" if is_own else f"ClusterRole {role}",
        what=f"The operator may not {'; '.join(map(str, sorted(missing)))}",
        why=f"It needs this to: {rule.why}. Without it /readyz fails, or the objects concerned are not reconciled",
        do=f"{subject.upgrade()}{again}",
    )


def _none_of(count: int, subject: Subject) -> Finding:
    return Finding(
        check=CHECK,
        object=f"ServiceAccount {subject.namespace}/clouddatamesh",
        what=f"It has none of the {count} permissions that the operator needs",
        why="The roles of the chart or their bindings do not exist, or the operator is in another namespace",
        do=f"{subject.upgrade()}; or name the operator's --namespace",
    )
