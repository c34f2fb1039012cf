"""Every right of the operator is used: what it asked of the API server while a domain lived and went, counted in the audit log.

A right that nothing uses fails here, so that it is taken away. What only a rare race uses names the test that makes the race.
"""

import contextlib
from collections.abc import Iterator

import pytest

from clouddatamesh.api import permissions
from clouddatamesh.api.permissions import PolicyRule
from hack.tools.audit import Request
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.cases import a_port
from tests.support.installation import NAMESPACE, ROOT
from tests.support.manifests import a_domain, a_policy, a_profile, a_request, a_waiver

Right = tuple[str, str, str]
"""Group, resource with its subresource, verb."""
HOME, LAB = "used", "used-lab"
EVERYBODY = {people: [{"kind": "Group", "name": f"{HOME}-{people}"}] for people in ("owners", "engineers", "viewers")}
LIMITS = {
    "quota": {"pods": "9"}, "limitRange": {"default": {"cpu": "1"}}, "networkIsolation": {"mode": "Domain"},
}  # fmt: skip
CHILDREN = ["resourcequota/clouddatamesh", "limitrange/clouddatamesh", "networkpolicy/clouddatamesh", "rolebinding/clouddatamesh-owners"]
ROLE = "clouddatamesh-workloads"

ELSEWHERE: dict[Right, str] = {
    ("clouddatamesh.dev", "domains", "get"): "tests/e2e/test_handed_over.py::test_an_heir_takes_what_a_domain_that_was_forced_away_left",
}
"""Rights that the flow below does not use, and the test that does."""
NO_REQUEST: dict[Right, str] = {
    ("rbac.authorization.k8s.io", "clusterroles", "bind"): "asked for when a RoleBinding is made",
    ("coordination.k8s.io", "leases", "update"): "left out of the audit log",
}
"""Rights that are no request of their own."""


def rights_of(rules: tuple[PolicyRule, ...]) -> set[Right]:
    return {(group, resource, verb) for rule in rules for group in rule.groups for resource in rule.resources for verb in rule.verbs}


GRANTED = {
    "the whole cluster": rights_of(permissions.OPERATOR_CLUSTER),
    "its own namespace": rights_of(permissions.OPERATOR_OWN_NAMESPACE),
    "namespaces of domains": rights_of(permissions.OPERATOR_DOMAIN_NAMESPACE),
}


def live_through_everything(mesh: Actors) -> None:
    """A domain with limits and a product that somebody reads; everything is changed, repaired, and taken away again."""
    installed, kubectl = mesh.installed, mesh.installed.cluster.kubectl
    spaces = [{"name": HOME}, {"name": LAB}]
    access = {**EVERYBODY, "additionalRoles": [{"role": ROLE}]}
    installed.apply(a_domain(HOME, namespaces=spaces, access=access, resources=LIMITS))
    installed.wait("domain", HOME)
    installed.apply(a_profile(HOME, HOME))
    installed.wait("domainprofile", HOME, HOME)
    judge(mesh)
    auto = a_port(access={"approval": "Auto", "maxDuration": "30d"})
    installed.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": LAB}})
    mesh.make("plain", HOME, storage={"deletionPolicy": "Delete"}, outputPorts=[auto])
    asked = a_request("plain", LAB, dataProductRef={"namespace": HOME, "name": "plain"}, consumer={"serviceAccountRef": {"name": "robot"}},
                      secretName="plain", duration="30d")  # fmt: skip
    installed.apply(asked)
    installed.wait("areq", "plain", LAB)
    strip_labels(mesh)
    kubectl("patch", "secret", "plain-producer", "-n", HOME, "--type=merge", "-p", '{"data":{"bucket":null}}')
    mesh.nudge("plain", HOME, token="after-the-secret")
    installed.until(lambda: installed.secret("plain-producer", HOME).get("bucket"), what="the Secret's repair")
    kubectl("delete", "serviceaccount", "robot", "-n", LAB)
    installed.until(lambda: not installed.get("secret", "plain", LAB), what="the end of the consumer's access")
    kubectl("delete", "areq", "plain", "-n", LAB, "--timeout=60s")
    installed.until(lambda: not installed.all("accessgrants", HOME), what="the end of the answer")
    installed.apply(a_domain(HOME, namespaces=spaces))
    installed.until(lambda: not is_there(mesh, f"rolebinding/clouddatamesh-role-{ROLE}", *CHILDREN[:3]), what="the end of the limits")
    mesh.delete("plain", HOME)
    kubectl("delete", "domain", HOME, "--timeout=60s")


def judge(mesh: Actors) -> None:
    """Policies that are judged, and looked for at admission; and a waiver."""
    targets = {"kinds": ["AccessRequest"], "domains": {"matchLabels": {"nobody": "has"}}}
    waived = {"kind": "AccessRequest", "namespace": LAB, "name": "plain"}
    policies = (a_policy("used", enforcement="Warn", targets=targets), a_policy("used", HOME, targets={"kinds": ["AccessRequest"]}))
    waiver = a_waiver("used", policyRef={"name": "used"}, objectRef=waived, validUntil="2099-01-01T00:00:00Z")
    mesh.installed.apply(*policies, waiver)
    for kind, namespace in (("governancepolicy", ""), ("domainpolicy", HOME), ("policywaiver", "")):
        mesh.installed.wait(kind, "used", namespace)
    for one in ("governancepolicy/used", "policywaiver/used"):
        mesh.installed.cluster.kubectl("delete", one)


def is_there(mesh: Actors, *children: str) -> bool:
    return any(
        mesh.installed.get(kind, name, place) for child in children for kind, _, name in [child.partition("/")] for place in (HOME, LAB)
    )


def strip_labels(mesh: Actors) -> None:
    """A tool takes the operator's label off its children, so that it sees them only when it makes them again."""
    label = "app.kubernetes.io/managed-by"
    for child in CHILDREN:
        mesh.installed.cluster.kubectl("label", child, "-n", LAB, f"{label}-")

    def is_whole() -> bool:
        found = [mesh.installed.get(kind, name, LAB) for child in CHILDREN for kind, _, name in [child.partition("/")]]
        return all(label in one.get("metadata", {}).get("labels", {}) for one in found)

    mesh.installed.until(is_whole, what="the labels")


@pytest.fixture(scope="module")
def requests(mesh: Actors) -> Iterator[tuple[Request, ...]]:
    """All that the operator asked and was allowed to ask, since its start."""
    live_through_everything(mesh)
    with contextlib.suppress(TimeoutError):  # what is unused even then, the tests below name
        mesh.installed.until(lambda: not find_unused(told(mesh)), seconds=15)
    yield told(mesh)


def told(mesh: Actors) -> tuple[Request, ...]:
    """The API server logs a request a moment after it answered."""
    return tuple(found for found in mesh.installed.cluster.audit.read(user=SERVICE_ACCOUNT) if found.code not in (401, 403))


def find_unused(requests: tuple[Request, ...]) -> set[Right]:
    return {right for where in GRANTED for right in unused(requests, where)}


def unused(requests: tuple[Request, ...], where: str) -> set[Right]:
    return GRANTED[where] - used(requests, where) - set(ELSEWHERE) - set(NO_REQUEST)


def used(requests: tuple[Request, ...], where: str) -> set[Right]:
    def is_there(namespace: str) -> bool:
        return (namespace == NAMESPACE) == (where == "its own namespace")

    return {
        (found.group, "/".join(filter(None, (found.resource, found.subresource))), found.verb)
        for found in requests
        if where == "the whole cluster" or is_there(found.namespace)
    }


@pytest.mark.parametrize("where", list(GRANTED))
def test_every_right_is_used(requests: tuple[Request, ...], where: str) -> None:
    assert unused(requests, where) == set(), "take the right away, or add what uses it"


def test_no_exception_is_one_for_nothing(requests: tuple[Request, ...]) -> None:
    granted = set.union(*GRANTED.values())
    assert {*ELSEWHERE, *NO_REQUEST} <= granted
    assert not set(NO_REQUEST) & {right for where in GRANTED for right in used(requests, where)}
    for test in ELSEWHERE.values():
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text()
