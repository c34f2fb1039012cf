"""What `clouddatamesh doctor` judges of the mesh's objects: stuck, never reconciled, behind, waiting for people, nobody's."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from clouddatamesh.doctor import namespaces, objects
from clouddatamesh.doctor.symptoms import BEHIND, DELETING, FAILING, UNSEEN, Situation, Symptom, find_symptoms
from clouddatamesh.kube.resources import collection
from clouddatamesh.plan import marks
from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.support.installation import ROOT
from tests.unit.doctor_scene import NOW, Server, a_subject, said

START = "kubectl scale"
RETAIL = ROOT / "examples" / "retail"


def ago(delta: timedelta, *, more: int = 0) -> str:
    return (NOW - delta - timedelta(seconds=more)).isoformat().replace("+00:00", "Z")


LONG = ago(timedelta(days=1))


def a_condition(type_: str, status: str, reason: str = "Ready", *, since: str = LONG) -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": f"why {reason}", "lastTransitionTime": since}


def an_object(*conditions: dict[str, Any], seen: int = 3, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A product that was created a day ago and is held by the operator; Ready unless its conditions say otherwise."""
    base = {"name": "orders", "namespace": "sales", "generation": 3, "creationTimestamp": LONG, "finalizers": [marks.FINALIZER]}
    status = {"observedGeneration": seen, "conditions": list(conditions or (a_condition("Ready", "True"),))}
    return {"metadata": {**base, **metadata}, "spec": spec or {}, "status": status}


def symptoms(found: dict[str, Any], *, leads: bool | None = True, kind: str = "DataProduct") -> list[Symptom]:
    return list(find_symptoms(kind, found, Situation(NOW, leads, START)))


@pytest.mark.parametrize("leads", [True, False, None])
def test_a_ready_object_has_no_symptom(leads: bool | None) -> None:
    assert symptoms(an_object(), leads=leads) == []


def test_the_objects_of_the_retail_mesh_have_none_once_they_are_ready() -> None:
    manifests = [found for file in sorted(RETAIL.glob("*.yaml")) for found in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    ours = [found for found in manifests if found["kind"] in RECONCILED]
    assert {found["kind"] for found in ours} >= {"ObjectStore", "Domain", "DataProduct", "AccessRequest", "AccessGrant"}
    for found in ours:
        ready = {**an_object(), "spec": found["spec"]}
        assert symptoms({**ready, "metadata": {**ready["metadata"], **found["metadata"]}}, kind=found["kind"]) == []


@pytest.mark.parametrize("conditions", [(a_condition("Ready", "False", "AwaitingGrant"),), (a_condition("Ready", "False", "Denied"),)])
def test_an_object_that_waits_for_a_decision_has_none(conditions: tuple[dict[str, Any], ...]) -> None:
    assert symptoms(an_object(*conditions)) == []


def deleted(since: str, *conditions: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return an_object(*(conditions or (a_condition("Ready", "Unknown", "Deleting"),)), deletionTimestamp=since, **metadata)


def test_a_deletion_has_some_minutes_while_an_operator_leads() -> None:
    assert symptoms(deleted(ago(DELETING))) == []
    (found,) = symptoms(deleted(ago(DELETING, more=1), a_condition("DeletionBlocked", "True", "StoreUnavailable")))
    assert found.what == f"It has been in deletion since {ago(DELETING, more=1)} and waits: why StoreUnavailable"
    assert "kubectl annotate dataproduct orders -n sales clouddatamesh.dev/orphan=orders" in found.do


def test_a_deletion_without_an_operator_is_stuck_at_once_and_what_it_waits_for_is_not_asked_of_the_user() -> None:
    (found,) = symptoms(deleted(ago(timedelta(0)), a_condition("DeletionBlocked", "True", "InUse")), leads=False)
    assert "no operator can end it; it said last: why InUse" in found.what
    assert found.do == f"{START}; if that is impossible: docs/operations/break-glass.md"


def test_where_nobody_knows_whether_an_operator_leads_that_is_said() -> None:
    assert symptoms(deleted(ago(DELETING)), leads=None) == []
    (found,) = symptoms(deleted(ago(DELETING, more=1)), leads=None)
    assert "whether one leads is not known" in found.why


def test_what_waits_for_consumers_is_ended_by_cut_off() -> None:
    (found,) = symptoms(deleted(LONG, a_condition("DeletionBlocked", "True", "InUse")))
    assert found.do == "End the consumers' access: kubectl annotate dataproduct orders -n sales clouddatamesh.dev/cut-off=orders"
    (found,) = symptoms(deleted(LONG, a_condition("DeletionBlocked", "True", "InUse"), name="main", namespace=""), kind="ObjectStore")
    assert "kubectl annotate objectstore main clouddatamesh.dev/orphan=main" in found.do


def test_a_domain_that_is_deleted_is_never_told_to_be_orphaned() -> None:
    (found,) = symptoms(deleted(LONG, a_condition("DeletionBlocked", "True", "InUse"), name="sales", namespace=""), kind="Domain")
    assert "orphan" not in found.do
    assert "docs/operations/break-glass.md" in found.do


def test_a_finalizer_of_others_is_told_as_theirs() -> None:
    (found,) = symptoms(deleted(LONG, finalizers=["other/one", "other/two"]))
    assert found.what.endswith("and waits for other/one, other/two")
    assert found.do == "kubectl describe dataproduct orders -n sales"


@pytest.mark.parametrize(
    "status", [{}, {"observedGeneration": -1}, {"observedGeneration": 1, "conditions": [a_condition("Ready", "Unknown", "Pending")]}]
)
def test_an_object_that_nobody_looked_at_is_told_after_a_minute(status: dict[str, Any]) -> None:
    fresh, old = ({**an_object(creationTimestamp=ago(UNSEEN, more=more)), "status": status} for more in (0, 1))
    assert symptoms(fresh) == []
    (found,) = symptoms(old)
    assert "No operator has looked at it" in found.what
    assert "kubectl annotate dataproduct orders -n sales --overwrite clouddatamesh.dev/reconcile-requested-at=" in found.do
    (found,) = symptoms(fresh, leads=False)
    assert found.do == START


def test_a_change_that_nobody_looked_at_is_told_after_two_minutes() -> None:
    def written(more: int) -> list[dict[str, Any]]:
        return [{"time": ago(BEHIND, more=more)}, {"time": LONG}, {"time": ago(timedelta(0)), "subresource": "status"}, {}]

    assert symptoms(an_object(seen=2, managedFields=written(0))) == []
    (found,) = symptoms(an_object(seen=2, managedFields=written(1)))
    assert found.what == "Its status describes generation 2 of the spec, and the spec is at 3"
    assert symptoms(an_object(seen=2, managedFields=written(0)), leads=False)[0].do == START
    assert symptoms(an_object(seen=3, managedFields=written(1))) == []


def test_what_is_stalled_comes_with_the_advice_of_its_reason() -> None:
    (found,) = symptoms(an_object(a_condition("Ready", "False", "BucketMissing"), a_condition("Stalled", "True", "BucketMissing")))
    assert found.what == "It is Stalled (BucketMissing): why BucketMissing"
    assert found.do == "Restore the bucket, or confirm the loss with the annotation `recreate`."


def test_what_fails_is_told_after_a_quarter_of_an_hour() -> None:
    def failing(more: int) -> dict[str, Any]:
        return an_object(
            a_condition("Ready", "False", "StoreUnavailable", since=ago(FAILING, more=more)),
            a_condition("Reconciling", "True", "StoreUnavailable"),
        )

    assert symptoms(failing(0)) == []
    assert "It has failed since" in symptoms(failing(1))[0].what


@pytest.mark.parametrize(
    ("kind", "found", "words"),
    [
        ("DataProduct", an_object(spec={"suspend": True}), "It is suspended"),
        ("DataProduct", an_object(spec={"mode": "Observe"}), "Its mode is Observe"),
        ("Domain", an_object(spec={"cordoned": True}), "It is cordoned"),
        ("DataProduct", an_object(annotations={marks.CUT_OFF_ANNOTATION: "orders"}), "Consumers are cut off: orders"),
        ("DataProduct", an_object(a_condition("Ready", "False", "StorageLossBrake")), "The brake on lost storage is pulled"),
    ],
)
def test_what_somebody_has_set_is_a_remark(kind: str, found: dict[str, Any], words: str) -> None:
    (symptom,) = symptoms(found, kind=kind)
    assert (symptom.level, symptom.what) == ("Remark", words)


def test_stores_are_told_by_their_own_check() -> None:
    assert (
        symptoms(
            an_object(a_condition("Ready", "False", "StoreRefused"), a_condition("Stalled", "True", "StoreRefused")), kind="ObjectStore"
        )
        == []
    )


def test_many_objects_in_one_state_are_told_in_one_more_sentence() -> None:
    stalled = (a_condition("Ready", "False", "NotOwned"), a_condition("Stalled", "True", "NotOwned"))
    listed = [an_object(*stalled, name=f"p{number:03}") for number in range(250)]
    subject = a_subject(Server({collection("DataProduct"): [*listed, an_object(spec={"suspend": True}, name="z")]}, page=100), leads=True)
    subject.homes = frozenset({"sales"})
    told = said(objects.Objects("DataProduct").look(subject))
    assert len(told) == 12
    assert told[-2] == "DataProduct sales/z: It is suspended"
    assert told[-1].startswith(
        "DataProducts: 240 more DataProducts are in the same state: stalled (NotOwned); the last is DataProduct sales/p249"
    )


def test_an_object_in_a_namespace_that_no_domain_has_is_nobodys() -> None:
    (found,) = objects.find_homeless("DataProduct", an_object(), frozenset({"other"}))
    assert "carries the finalizer clouddatamesh.dev/finalizer, and no Domain has the namespace sales" in found.what
    assert "kubectl delete" not in found.do
    assert "spec.storage.deletionPolicy" in found.do
    assert list(objects.find_homeless("DataProduct", an_object(), frozenset({"sales"}))) == []
    assert list(objects.find_homeless("DataProduct", an_object(), None)) == [], "not known"
    assert list(objects.find_homeless("DataProduct", an_object(finalizers=[]), frozenset())) == []
    assert list(objects.find_homeless("DataProduct", deleted(LONG), frozenset())) == [], "told as a deletion"


@pytest.mark.parametrize(
    "domain",
    [
        {"metadata": {"name": "sales"}, "spec": {}},
        {"metadata": {"name": "europe"}, "spec": {"namespaces": [{"name": "sales"}]}},
        {"metadata": {"name": "europe"}, "spec": {"namespaces": [{"name": "eu"}]}, "status": {"namespaces": [{"name": "sales"}]}},
    ],
    ids=["by its name", "by its spec", "by its record"],
)
def test_a_namespace_that_lost_its_label_is_still_that_of_the_domain_that_names_it(domain: dict[str, Any]) -> None:
    subject = a_subject(Server({collection("Namespace"): [], collection("Domain"): [domain]}))
    list(objects.look_at_homes(subject))
    assert "sales" in (subject.homes or ())


def a_namespace(name: str, since: str | None) -> dict[str, Any]:
    return {"metadata": {"name": name, **({"deletionTimestamp": since} if since else {})}}


@pytest.mark.parametrize(("leads", "do"), [(True, "kubectl get datamesh -n gone"), (False, "kubectl scale deployment clouddatamesh")])
def test_a_namespace_that_cannot_end_names_what_it_holds(leads: bool, do: str) -> None:
    listed = [a_namespace("here", None), a_namespace("soon", ago(DELETING)), a_namespace("gone", LONG), a_namespace("empty", LONG)]
    server = Server({collection("Namespace"): listed, collection("DataProduct", "gone"): [an_object()]})
    (told,) = (one for one in said(namespaces.look(a_subject(server, leads=leads))) if "gone" in one)
    assert "and holds DataProduct orders" in told
    (found,) = namespaces.judge(a_namespace("gone", LONG), ("DataProduct orders",), Situation(NOW, leads, a_subject().start()))
    assert found.do.startswith(do)


def test_the_namespaces_of_domains_are_kept_for_what_follows() -> None:
    subject = a_subject(Server({collection("Namespace"): [a_namespace("sales", None), a_namespace("inventory", None)]}))
    assert said(objects.look_at_homes(subject)) == []
    assert subject.homes == frozenset({"sales", "inventory"})
