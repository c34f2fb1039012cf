"""Whose is this namespace: every verdict, by what label, marks, consent and status say. The ids are the rule."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.operations import LabelNamespace, MarkNamespace
from clouddatamesh.plan.namespaces import holder_of, is_adopted, is_released_by, judge, releasing, taking
from tests.support.manifests import a_domain

MESH: Final = "acme"
HELD: Final = "clouddatamesh.dev/held-by"
RELEASED: Final = "clouddatamesh.dev/released-by"
CONSENT: Final = "clouddatamesh.dev/adopt-by"
LABEL: Final = "clouddatamesh.dev/domain"
MADE: Final = {"app.kubernetes.io/managed-by": "clouddatamesh"}


def the_domain(*known: str, adopted: bool = False, **spec: Any) -> Domain:
    """The Domain sales, whose status knows namespaces of these uids."""
    manifest = a_domain(**spec)
    held = [{"name": "sales", "uid": uid, "adopted": adopted} for uid in known]
    metadata = {**manifest["metadata"], "uid": "uid-domain"}
    return Domain.model_validate({**manifest, "metadata": metadata, "status": {"namespaces": held}})


def a_namespace(domain: str = "", *, labels: dict[str, str] | None = None, **annotations: str) -> dict[str, Any]:
    """The namespace sales of uid-1; keyword arguments are annotations of our group."""
    every = {**(labels or {}), **({LABEL: domain} if domain else {})}
    marked = {f"clouddatamesh.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return {"kind": "Namespace", "metadata": {"name": "sales", "uid": "uid-1", "labels": every, "annotations": marked}}


PLAIN, ADOPTING = the_domain(), the_domain(namespaceAdoption="IfConsented")
CASES: Final = (
    ("label and mark", PLAIN, a_namespace("sales", held_by="acme/sales"), "Held"),
    ("the label alone, as before there were marks", PLAIN, a_namespace("sales"), "Held"),
    ("the label, and the mark of another mesh", PLAIN, a_namespace("sales", held_by="other/inventory"), "Held"),
    ("the label was removed, the mark is there", PLAIN, a_namespace(held_by="acme/sales"), "Stripped"),
    ("the label names another domain, the mark this one", PLAIN, a_namespace("inventory", held_by="acme/sales"), "Stripped"),
    ("label and mark were removed, status knows it", the_domain("uid-1"), a_namespace(), "Stripped"),
    ("status knows a former namespace of that name", the_domain("uid-0"), a_namespace(), "Foreign"),
    ("another domain's label", PLAIN, a_namespace("inventory"), "Foreign"),
    ("another domain's label, and status knows it", the_domain("uid-1"), a_namespace("inventory"), "Foreign"),
    ("this label, and another domain's mark", PLAIN, a_namespace("sales", held_by="acme/inventory"), "Foreign"),
    ("released by this domain", PLAIN, a_namespace(released_by="acme/sales"), "Returning"),
    ("released by another domain", PLAIN, a_namespace(released_by="acme/inventory"), "Foreign"),
    ("released by a domain of this name in another mesh", PLAIN, a_namespace(released_by="other/sales"), "Foreign"),
    ("released by a domain whose name begins alike", PLAIN, a_namespace(released_by="acme/sales-eu"), "Foreign"),
    ("released by this domain, and another one has it now", PLAIN, a_namespace("inventory", released_by="acme/sales"), "Foreign"),
    ("consents to this domain", ADOPTING, a_namespace(adopt_by="sales"), "Consented"),
    ("consents to another domain", ADOPTING, a_namespace(adopt_by="inventory"), "Foreign"),
    ("consents, and the domain adopts none", PLAIN, a_namespace(adopt_by="sales"), "Foreign"),
    ("consents, and another domain has it", ADOPTING, a_namespace("inventory", adopt_by="sales"), "Foreign"),
    ("made by somebody, without consent", ADOPTING, a_namespace(), "Foreign"),
    ("only labelled as managed by the operator", ADOPTING, a_namespace(labels=MADE), "Foreign"),
)


@pytest.mark.parametrize(("domain", "namespace", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_whose_a_namespace_is(domain: Domain, namespace: dict[str, Any], verdict: str) -> None:
    claim = judge(domain, namespace, MESH)
    assert claim.verdict == verdict
    assert (claim.error is None) == (verdict != "Foreign")


def taken(domain: Domain, namespace: dict[str, Any]) -> dict[str, Any]:
    """The namespace after what takes it was done."""
    return after(namespace, taking(domain, namespace, MESH))


def after(namespace: dict[str, Any], operations: Any) -> dict[str, Any]:
    metadata = dict(namespace["metadata"])
    for operation in operations:
        if isinstance(operation, LabelNamespace | MarkNamespace):
            labels = dict(getattr(operation, "labels", ()))
            for part, changes in (("labels", labels), ("annotations", dict(operation.annotations))):
                metadata[part] = {name: value for name, value in {**metadata[part], **changes}.items() if value is not None}
    return {**namespace, "metadata": metadata}


@pytest.mark.parametrize(("domain", "namespace", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_was_taken_is_held_and_needs_nothing_more(domain: Domain, namespace: dict[str, Any], verdict: str) -> None:
    if verdict == "Foreign":
        return
    found = taken(domain, namespace)
    assert (found["metadata"]["labels"][LABEL], found["metadata"]["annotations"][HELD]) == ("sales", "acme/sales")
    assert RELEASED not in found["metadata"]["annotations"]
    assert taking(domain, found, MESH) == ()


def told(operations: Any) -> list[str]:
    return [operation.event.reason for operation in operations if hasattr(operation, "event")]


def test_taking_back_and_adopting_are_told_and_a_repair_is_not() -> None:
    assert told(taking(PLAIN, a_namespace(released_by="acme/sales"), MESH)) == ["TakenBack"]
    assert told(taking(ADOPTING, a_namespace(adopt_by="sales"), MESH)) == ["Adopted"]
    assert told(taking(PLAIN, a_namespace(held_by="acme/sales"), MESH)) == []


def test_what_the_operator_made_remembers_who_released_it() -> None:
    made = a_namespace("sales", labels=MADE, held_by="acme/sales")
    operations = releasing(PLAIN, made, MESH)
    found = after(made, operations)
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({}, {RELEASED: "acme/sales"})
    assert is_released_by(PLAIN, found, MESH)
    assert told(operations) == ["NamespaceReleased"]
    assert judge(PLAIN, found, MESH).verdict == "Returning"
    again = taken(PLAIN, found)
    assert not is_adopted(PLAIN, again), "it was made by the operator, though status knows nothing of it"


def test_what_was_adopted_keeps_its_consent_alone() -> None:
    adopted = a_namespace("sales", labels={**MADE, "theirs": "kept"}, held_by="acme/sales", adopt_by="sales")
    found = after(adopted, releasing(the_domain("uid-1", adopted=True), adopted, MESH))
    assert found["metadata"]["annotations"] == {CONSENT: "sales"}
    assert found["metadata"]["labels"] == {**MADE, "theirs": "kept"}
    assert judge(PLAIN, found, MESH).verdict == "Foreign"
    assert judge(ADOPTING, found, MESH).verdict == "Consented"


def test_a_label_that_names_another_domain_stays_when_this_one_lets_go() -> None:
    handed = a_namespace("inventory", labels=MADE, held_by="acme/sales")
    found = after(handed, releasing(PLAIN, handed, MESH))
    assert found["metadata"]["labels"][LABEL] == "inventory"
    assert holder_of(found, MESH) == "inventory"
    assert not is_released_by(PLAIN, found, MESH)


def test_forgetting_is_removing_the_annotation() -> None:
    assert judge(PLAIN, a_namespace(), MESH).verdict == "Foreign"
    assert not is_released_by(PLAIN, a_namespace(), MESH)


def test_whether_a_namespace_was_adopted_is_as_status_recorded_it() -> None:
    relabelled = a_namespace("sales", labels={"app.kubernetes.io/managed-by": "Helm"})
    assert is_adopted(the_domain("uid-1", adopted=True), a_namespace("sales", labels=MADE))
    assert not is_adopted(the_domain("uid-1"), relabelled)
    assert is_adopted(PLAIN, relabelled)
    assert not is_adopted(PLAIN, a_namespace("sales", labels=MADE))
