"""What a Domain's status tells: which namespaces it has, which it would take back, and what suspend keeps from being done."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.domain import Domain, DomainStatus
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import DeleteChild, HoldObject
from clouddatamesh.model.plan import Operation, Part, Plan, Steps
from clouddatamesh.model.world import DomainWorld
from clouddatamesh.status.domain import list_fields, report, report_deletion
from tests.support.manifests import a_domain
from tests.support.worlds import SETTINGS, START

MADE: Final = {"app.kubernetes.io/managed-by": "clouddatamesh"}


def sales(**spec: Any) -> Domain:
    """The Domain sales with these namespaces and no other."""
    manifest = a_domain(namespaces=[{"name": "sales"}, {"name": "sales-lab"}, {"name": "sales-eu"}], **spec)
    return Domain.model_validate({**manifest, "metadata": {**manifest["metadata"], "uid": "uid-domain"}})


def a_namespace(name: str, *, held_by: str = "", released_by: str = "", made: bool = True) -> dict[str, Any]:
    labels = {**(MADE if made else {}), **({"clouddatamesh.dev/domain": held_by} if held_by else {})}
    noted = {"clouddatamesh.dev/released-by": f"acme/{released_by}"} if released_by else {}
    return {"kind": "Namespace", "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, "annotations": noted}}


def world(*namespaces: dict[str, Any], **parts: Any) -> DomainWorld:
    by_name = {namespace["metadata"]["name"]: namespace for namespace in namespaces}
    return DomainWorld(**{"now": START, "settings": SETTINGS, "namespaces": by_name, "children": (), "claims": {}, **parts})


HOME: Final = a_namespace("sales", held_by="sales")


@pytest.mark.parametrize(
    ("namespace", "held", "released"),
    [
        (None, [], []),
        (a_namespace("sales-lab", held_by="sales"), [("sales-lab", False)], []),
        (a_namespace("sales-lab", held_by="sales", made=False), [("sales-lab", True)], []),
        (a_namespace("sales-lab", held_by="inventory"), [], []),
        (a_namespace("sales-lab", released_by="sales"), [], []),
        (a_namespace("old", held_by="sales"), [("old", False)], []),
        (a_namespace("old", released_by="sales"), [], ["old"]),
        (a_namespace("old", released_by="inventory"), [], []),
        (a_namespace("old", held_by="inventory", released_by="sales"), [], []),
    ],
    ids=[
        "it is not there",
        "made for the Domain",
        "adopted",
        "another Domain's",
        "released before, and named again",
        "not named any more, and not released yet",
        "released",
        "released by another Domain",
        "released, and another Domain has it",
    ],
)
def test_which_namespaces_a_domain_has_and_which_it_would_take_back(
    namespace: dict[str, Any] | None, held: list[tuple[str, bool]], released: list[str]
) -> None:
    """Only what is named and held is the Domain's; only what is not named is listed as released."""
    products = (Key("DataProduct", "sales", "orders"), Key("DataProduct", "sales", "returns"))
    found = list_fields(sales(), world(HOME, *([namespace] if namespace else []), products=products))
    told = [("sales", False), *held]
    assert found["namespaces"] == [{"name": name, "uid": f"uid-{name}", "adopted": adopted} for name, adopted in told]
    assert (found["namespaceCount"], found["dataProducts"], found.get("releasedNamespaces", [])) == (len(told), 2, released)


def test_status_takes_as_many_released_namespaces_as_are_told() -> None:
    """A longer list would be refused by the API server, and nothing would be told at all."""
    found = list_fields(sales(), world(HOME, *(a_namespace(f"old-{number:02}", released_by="sales") for number in range(70))))
    released = DomainStatus.model_validate(found).released_namespaces
    assert (len(released), released[0]) == (64, "old-00")


def pending(count: int) -> Plan:
    """A plan of so many changes, and of bookkeeping, which is none."""
    changes: list[Operation] = [DeleteChild(Key("RoleBinding", "sales", f"b{number}"), "u") for number in range(count)]
    return Plan((Part("hold", Steps((HoldObject(),))), Part("surplus in sales", Steps(tuple(changes)))))


@pytest.mark.parametrize(
    ("suspend", "count", "ready", "why"),
    [
        (False, 0, "True", "Everything asked for was read back"),
        (False, 1, "True", "Everything asked for was read back"),
        (True, 0, "True", "Everything asked for was read back"),
        (True, 1, "False", "1 change pending: delete RoleBinding sales/b0; to apply, set spec.suspend to false"),
        (True, 2, "False", "2 changes pending: delete RoleBinding sales/b0; to apply, set spec.suspend to false"),
        (True, 3, "False", "3 changes pending: delete RoleBinding sales/b0; to apply, set spec.suspend to false"),
    ],
    ids=["managed", "managed, and something was done", "suspended, and all is as it should be", "one change", "two changes", "three"],
)
def test_a_suspended_domain_says_what_is_not_done(suspend: bool, count: int, ready: str, why: str) -> None:
    """It is Stalled only while something is withheld: then somebody must act."""
    outcome = report(sales(suspend=suspend), world(HOME), pending(count))
    assert (outcome.ready.status, outcome.ready.message, outcome.stalled) == (ready, why, ready == "False")
    assert outcome.ready.reason == ("Suspended" if suspend else "Ready")
    assert [found.type for found in outcome.findings] == (["NamespacesReady"] if ready == "True" else [])
    assert outcome.fields == list_fields(sales(), world(HOME))


@pytest.mark.parametrize("cordoned", [True, False])
def test_a_cordoned_domain_says_so_whatever_else_it_does(cordoned: bool) -> None:
    """While it is served, suspended or deleted."""
    domain = sales(cordoned=cordoned)
    reports = (
        report(domain, world(HOME), Plan()),
        report(sales(cordoned=cordoned, suspend=True), world(HOME), pending(1)),
        report_deletion(domain, world(HOME)),
    )
    for outcome in reports:
        assert any(found.type == "Cordoned" and found.status == "True" for found in outcome.findings) is cordoned


def test_a_domain_that_goes_still_tells_what_it_has() -> None:
    """Whoever waits for its deletion sees which namespaces are left."""
    outcome = report_deletion(sales(), world(HOME))
    assert (outcome.ready.status, outcome.ready.reason) == ("Unknown", "Deleting")
    assert [entry["name"] for entry in outcome.fields["namespaces"]] == ["sales"]
