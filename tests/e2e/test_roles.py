"""docs/roles.md, cell by cell, on the real API server: what RBAC decides by SubjectAccessReview, what admission decides by writing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.cases import a_port, without
from tests.e2e.people import ENGINEER, HOME, OWNER, VIEWER, Guild, Person, may
from tests.support.installation import ROOT
from tests.support.manifests import a_product, annotated

OTHER = "inventory"
PEOPLE = {
    "owner": OWNER, "engineer": ENGINEER, "viewer": VIEWER, "discover": Person("finder"),
    "view": Person("seer"), "edit": Person("editor"), "admin": Person("administrator"), "nobody": Person("stranger"),
    "governance": Person("lawgiver"), "waivers": Person("steward"),
}  # fmt: skip
SEE, CHANGE, WRITE = ("get", "list", "watch"), ("create", "update", "patch"), ("create", "update", "patch", "delete")
RUN = "run Pods, Jobs and CronJobs, and change ConfigMaps and ServiceAccounts, where the Domain gives `clouddatamesh-workloads`"
PORT = "open the access of a port"
FINALIZER = "clouddatamesh.dev/finalizer"
GOING: dict[str, tuple[str, dict[str, Any]]] = {
    "loosen the deletion policy of a product that is being deleted": (
        "clouddatamesh-deletion-guard",
        {"spec": {"storage": {"deletionPolicy": "Delete"}}},
    ),
    "remove the finalizer of what is being deleted": ("clouddatamesh-finalizer-guard", {"metadata": {"finalizers": None}}),
}
"""What admission decides about a product that is being deleted: the policy, and a change that shows it."""


DANGLING = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nope", "uid": "11111111-2222-3333-4444-555555555555"}
LIVING: dict[str, tuple[str, dict[str, Any]]] = {
    "delete products by naming an owner that does not exist": ("clouddatamesh-owner-guard", {"metadata": {"ownerReferences": [DANGLING]}}),
    "lift a cut-off": ("clouddatamesh-cut-off-guard", {"metadata": {"annotations": {"clouddatamesh.dev/cut-off": None}}}),
}
"""What admission decides about the metadata of a product: the policy, and a change that shows it."""


@dataclass(frozen=True)
class Right:
    """Some verbs on a resource, in a namespace or in the whole cluster; `name` bounds it to one object."""

    verbs: tuple[str, ...]
    resource: str
    namespace: str = ""
    group: str = "clouddatamesh.dev"
    name: str = ""

    def reviews(self, person: Person) -> Iterator[dict[str, Any]]:
        """A question for each verb."""
        resource, _, subresource = self.resource.partition("/")
        where = {"group": self.group, "resource": resource, "subresource": subresource, "namespace": self.namespace, "name": self.name}
        for verb in self.verbs:
            spec = {"user": person.user, "groups": [*person.groups, "system:authenticated"], "resourceAttributes": {**where, "verb": verb}}
            yield {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


ROWS: dict[str, tuple[Right, ...]] = {
    "see products of the own namespace": (Right(SEE, "dataproducts", HOME),),
    "see products of other namespaces": (Right(SEE, "dataproducts", OTHER), Right(SEE, "dataproducts")),
    "make and change products": (Right(CHANGE, "dataproducts", HOME),),
    "delete products": (Right(("delete",), "dataproducts", HOME),),
    "make, renew and delete requests": (Right(WRITE, "accessrequests", HOME),),
    "see requests of the own namespace": (Right(SEE, "accessrequests", HOME),),
    "see grants of the own namespace": (Right(SEE, "accessgrants", HOME),),
    "see requests and grants of other namespaces": tuple(Right(SEE, f"access{kind}", OTHER) for kind in ("requests", "grants")),
    "see pending requests and consumers of the namespace's products (AccessInbox)": (Right(SEE, "accessinboxes", HOME),),
    "see pending requests and consumers of products of other namespaces": (Right(SEE, "accessinboxes", OTHER), Right(SEE, "accessinboxes")),
    "write an AccessInbox": (Right(WRITE, "accessinboxes", HOME),),
    "see the DomainProfile": (Right(SEE, "domainprofiles", HOME),),
    "make, change and delete the DomainProfile": (Right(WRITE, "domainprofiles", HOME),),
    "see or write a DomainProfile of another namespace": (Right((*SEE, *WRITE), "domainprofiles", OTHER),),
    "make, change and delete grants": (Right(WRITE, "accessgrants", HOME),),
    "make requests and grants in other namespaces": tuple(Right(WRITE, f"access{kind}", OTHER) for kind in ("requests", "grants")),
    "write the status of anything": (
        *(
            Right(("update", "patch"), f"{kind}/status", HOME)
            for kind in ("dataproducts", "accessrequests", "accessgrants", "accessinboxes", "domainprofiles", "domainpolicies")
        ),
        *(Right(("update", "patch"), f"{kind}/status") for kind in ("domains", "objectstores", "governancepolicies", "policywaivers")),
    ),
    "read the Secret of granted access by its name": (Right(("get",), "secrets", HOME, group="", name="orders-access"),),
    "list Secrets": (Right(("list", "watch"), "secrets", HOME, group=""),),
    RUN: (
        *(Right(WRITE, kind, HOME, group="") for kind in ("pods", "configmaps", "serviceaccounts")),
        *(Right(WRITE, kind, HOME, group="batch") for kind in ("jobs", "cronjobs")),
    ),
    "read the logs of Pods, where the Domain gives `clouddatamesh-workloads`": (Right(("get",), "pods/log", HOME, group=""),),
    "execute commands in Pods, or make tokens of ServiceAccounts": tuple(
        Right(("create",), what, HOME, group="") for what in ("pods/exec", "serviceaccounts/token")
    ),
    "make Roles and RoleBindings": tuple(Right(WRITE, kind, HOME, "rbac.authorization.k8s.io") for kind in ("roles", "rolebindings")),
    "see Domains": (Right(SEE, "domains"),),
    "see ObjectStores": (Right(SEE, "objectstores"),),
    "make, change and delete Domains": (Right(WRITE, "domains"),),
    "make, change and delete ObjectStores": (Right(WRITE, "objectstores"),),
    "see GovernancePolicies": (Right(SEE, "governancepolicies"),),
    "make, change and delete GovernancePolicies": (Right(WRITE, "governancepolicies"),),
    "see DomainPolicies of the own namespace": (Right(SEE, "domainpolicies", HOME),),
    "make, change and delete DomainPolicies of the own namespace": (Right(WRITE, "domainpolicies", HOME),),
    "see DomainPolicies of other namespaces": (Right(SEE, "domainpolicies", OTHER), Right(SEE, "domainpolicies")),
    "make, change and delete DomainPolicies of other namespaces": (Right(WRITE, "domainpolicies", OTHER), Right(WRITE, "domainpolicies")),
    "see PolicyWaivers": (Right(SEE, "policywaivers"),),
    "make, change and delete PolicyWaivers": (Right(WRITE, "policywaivers"),),
}
"""What each row of the page means to RBAC."""


def table() -> list[list[str]]:
    """The cells of the page's table, its head first."""
    lines = [line for line in (ROOT / "docs" / "roles.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


HEAD, *BODY = table()
CELLS = [(row[0], column, cell) for row in BODY for column, cell in zip(HEAD[1:], row[1:], strict=True)]


def test_the_page_names_every_row_and_column_once() -> None:
    assert HEAD[1:] == list(PEOPLE)
    assert sorted(row[0] for row in BODY) == sorted([*ROWS, PORT, *GOING, *LIVING])
    assert {cell for _, _, cell in CELLS} == {"yes", "no"}


def binding(name: str, role: str, person: Person, namespace: str = "") -> dict[str, Any]:
    """What an administrator binds, in a namespace or in the whole cluster."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person.user}],
    }


@pytest.fixture(scope="module")
def bound(guild: Guild) -> Guild:
    """The guild, those whom an administrator binds, who have their rights, and a closed product."""
    cluster_roles = [binding(f"test-{role}", role, PEOPLE[role], HOME) for role in ("view", "edit", "admin")]
    wide = [binding(f"test-{role}", f"clouddatamesh-{role}", PEOPLE[role]) for role in ("discover", "governance", "waivers")]
    guild.installed.apply(*cluster_roles, *wide, annotated(proposed("closed"), cut_off="closed"))
    for role, verb, what in (("view", "get", "accessgrants"), ("edit", "create", "dataproducts"), ("admin", "create", "accessgrants")):
        guild.installed.until(partial(may, guild, PEOPLE[role], verb, what, HOME), what=f"the ClusterRole {role}")
    for role, what in (("discover", "dataproducts"), ("governance", "governancepolicies"), ("waivers", "policywaivers")):
        guild.installed.until(partial(may, guild, PEOPLE[role], "get", what), what=f"the ClusterRole {role}")
    return guild


def proposed(name: str, **access: Any) -> dict[str, Any]:
    """A product without a bucket, and one port."""
    product = a_product(name, HOME, lifecycle="proposed", outputPorts=[a_port(access=access)])
    return without(without(product, "spec", "storage"), "spec", "producer")


@pytest.fixture(scope="module")
def allowed(bound: Guild) -> dict[tuple[str, str], set[bool]]:
    """What RBAC answers to the questions of each cell: all yes, all no, or both."""
    asked = [((row, column), review) for row, rights in ROWS.items() for column in PEOPLE for right in rights
             for review in right.reviews(PEOPLE[column])]  # fmt: skip
    manifests = "\n---\n".join(json.dumps(review) for _, review in asked)
    jsonpath = 'jsonpath={.status.allowed}{"\\n"}'
    answers = bound.installed.cluster.kubectl("create", "-f", "-", "-o", jsonpath, stdin=manifests).split()
    found: dict[tuple[str, str], set[bool]] = {}
    for (cell, _), answer in zip(asked, answers, strict=True):
        found.setdefault(cell, set()).add(answer == "true")
    return found


@pytest.mark.parametrize(("row", "column", "cell"), [cell for cell in CELLS if cell[0] in ROWS])
def test_a_right(allowed: dict[tuple[str, str], set[bool]], row: str, column: str, cell: str) -> None:
    assert allowed[row, column] == {cell == "yes"}


@pytest.mark.parametrize(("column", "cell"), [(column, cell) for row, column, cell in CELLS if row == PORT])
def test_opening_a_port(bound: Guild, column: str, cell: str) -> None:
    changes_products = ("make and change products", column, "yes") in CELLS
    refusal = "clouddatamesh-port-guard" if changes_products else "cannot"
    opened = {"spec": proposed("closed", approval="Auto")["spec"]}
    for said in (
        bound.says(PEOPLE[column], "create", "--dry-run=server", "-f", "-", manifest=proposed("opened", approval="Auto")),
        bound.patch(PEOPLE[column], "closed", opened, "--dry-run=server"),
    ):
        assert refusal in said if cell == "no" else not said


@pytest.mark.parametrize(("row", "column", "cell"), [cell for cell in CELLS if cell[0] in LIVING])
def test_what_metadata_does(bound: Guild, row: str, column: str, cell: str) -> None:
    guard, patch = LIVING[row]
    refusal = guard if ("make and change products", column, "yes") in CELLS else "cannot"
    said = bound.patch(PEOPLE[column], "closed", patch, "--dry-run=server")
    assert refusal in said if cell == "no" else not said


def test_a_product_is_not_made_for_the_garbage_collector(bound: Guild) -> None:
    """It would be deleted at once, and adopt and destroy the bucket of its name before."""
    doomed = proposed("doomed")
    doomed["metadata"]["ownerReferences"] = [DANGLING]
    for person, refused in ((ENGINEER, True), (OWNER, False)):
        said = bound.says(person, "create", "--dry-run=server", "-f", "-", manifest=doomed)
        assert "clouddatamesh-owner-guard" in said if refused else not said


def test_another_value_lifts_a_cut_off_too_and_the_same_or_a_first_one_is_free(bound: Guild) -> None:
    for value, refused in (("daily/1.0.0", True), ("closed", False)):
        said = bound.patch(ENGINEER, "closed", {"metadata": {"annotations": {"clouddatamesh.dev/cut-off": value}}}, "--dry-run=server")
        assert "clouddatamesh-cut-off-guard" in said if refused else not said


@pytest.fixture(scope="module")
def going(bound: Guild) -> Iterator[Guild]:
    """The product `going`, which is suspended and so waits with its deletion."""
    product = a_product("going", HOME, suspend=True)
    bound.installed.apply({**product, "metadata": {**product["metadata"], "finalizers": [FINALIZER]}})
    bound.installed.cluster.kubectl("delete", "dataproduct", "going", "-n", HOME, "--wait=false")
    yield bound
    assert bound.patch(OWNER, "going", {"spec": {"suspend": False}}) == ""
    bound.installed.until(lambda: not bound.installed.get("dataproduct", "going", HOME), seconds=60, what="the end of what was suspended")


@pytest.mark.parametrize(("row", "column", "cell"), [cell for cell in CELLS if cell[0] in GOING])
def test_what_is_being_deleted(going: Guild, row: str, column: str, cell: str) -> None:
    guard, patch = GOING[row]
    refusal = guard if ("make and change products", column, "yes") in CELLS else "cannot"
    said = going.patch(PEOPLE[column], "going", patch, "--dry-run=server")
    assert refusal in said if cell == "no" else not said
