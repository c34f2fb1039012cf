"""Writes that must know what exists: keys into Secrets, marks of grants and namespaces, and children that lost their label."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Waiting
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.operations import LabelNamespace, MarkGrant, MarkNamespace
from clouddatamesh.plan.access.facts import digest_of_spec
from clouddatamesh.plan.marks import DOMAIN_LABEL, MANAGED_LABEL, MANAGER, OWNER_ANNOTATION
from clouddatamesh.reconcile.writes import create_or_recover, mark_grant, mark_namespace, put_key, with_key
from tests.support.manifests import a_grant
from tests.support.worlds import SETTINGS

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
OWNER: Final = Key("DataProduct", "sales", "orders")
GUARD: Final = "ValidatingAdmissionPolicy 'clouddatamesh-operator-guard-namespaces' denied request"


@pytest.fixture
def cluster() -> MemoryCluster:
    found = MemoryCluster(SETTINGS)
    found.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}})
    return found


def refuse(cluster: MemoryCluster, verb: str, error: MeshError) -> None:
    """The API server answers each write of this kind with an error."""

    def write(found: str, _key: Key) -> None:
        if found == verb:
            raise error

    cluster.before_write = write


def uid_of(cluster: MemoryCluster, key: Key) -> str:
    found = cluster.raw(key)
    assert found is not None
    return str(found["metadata"]["uid"])


# Keys

SECRET: Final = Key("Secret", "sales", "orders-producer")


def a_secret(key_id: str = "AKIA1", **more: Any) -> dict[str, Any]:
    metadata = {"name": SECRET.name, "namespace": SECRET.namespace, "labels": {MANAGED_LABEL: MANAGER}, "annotations": {"a": "b"}}
    plain = {"apiVersion": "v1", "kind": "Secret", "metadata": {**metadata, "ownerReferences": []}, "stringData": {"bucket": "acme-orders"}}
    return {**with_key({**plain, "type": "servicebinding.io/s3"}, key_id, "secret", NOW), **more}


def key_in(cluster: MemoryCluster) -> str:
    return cluster.secret_data(SECRET)["access-key-id"]


def test_a_key_goes_into_a_new_secret_or_into_ours(cluster: MemoryCluster) -> None:
    put_key(cluster, a_secret(), "", OWNER)
    uid = uid_of(cluster, SECRET)
    put_key(cluster, a_secret("AKIA2"), uid, OWNER)
    assert (key_in(cluster), uid_of(cluster, SECRET)) == ("AKIA2", uid)


def test_a_secret_that_is_immutable_is_replaced(cluster: MemoryCluster) -> None:
    cluster.user_apply(a_secret(immutable=True))
    uid = uid_of(cluster, SECRET)
    put_key(cluster, a_secret("AKIA2"), uid, OWNER)
    assert key_in(cluster) == "AKIA2"
    assert uid_of(cluster, SECRET) != uid


def test_a_secret_that_cannot_be_replaced_yet_is_waited_for(cluster: MemoryCluster) -> None:
    cluster.user_apply(a_secret(immutable=True))
    cluster.user_finalize(SECRET, "example.com/slow")
    with pytest.raises(Waiting, match="held by a finalizer") as told:
        put_key(cluster, a_secret("AKIA2"), uid_of(cluster, SECRET), OWNER)
    assert told.value.reason == reasons.SECRET_TERMINATING


def test_a_secret_of_somebody_else_is_left_alone(cluster: MemoryCluster) -> None:
    cluster.user_apply(a_secret("AKIA-theirs"))
    with pytest.raises(Terminal, match="orders-producer") as told:
        put_key(cluster, a_secret(), "", OWNER)
    assert told.value.reason == reasons.NOT_OWNED
    assert key_in(cluster) == "AKIA-theirs"


@pytest.mark.parametrize(("verb", "exists"), [("patch", True), ("create", False)])
def test_a_refusal_of_the_api_server_is_told_as_it_is(cluster: MemoryCluster, verb: str, exists: bool) -> None:
    if exists:
        cluster.user_apply(a_secret())
    refused = Terminal(reasons.ADMISSION_REFUSED, "denied by policy")
    refuse(cluster, verb, refused)
    with pytest.raises(Terminal) as told:
        put_key(cluster, a_secret("AKIA2"), uid_of(cluster, SECRET) if exists else "", OWNER)
    assert told.value is refused
    assert (cluster.raw(SECRET) is not None) is exists


# Grants

GRANT: Final = key_of(a_grant())
APPROVED: Final = {"type": "Approved", "status": "True", "reason": "Granted"}
VALID: Final = {"type": "Valid", "status": "True", "reason": "Granted"}


def marked(cluster: MemoryCluster, status: dict[str, Any] | None = None, **mark: Any) -> Manifest | None:
    """The grant's status after a mark; None where nothing was written."""
    cluster.user_apply(a_grant())
    uid = uid_of(cluster, GRANT)
    if status is not None:
        cluster.write_status(GRANT, uid, status)
    cluster.writes.clear()
    mark_grant(cluster, MarkGrant(**{"key": GRANT, "uid": uid, **mark}), NOW)
    found = cluster.raw(GRANT)
    return found.get("status") if cluster.writes and found is not None else None


def test_the_terms_of_a_grant_are_recorded_and_supersede_nothing(cluster: MemoryCluster) -> None:
    before = {"phase": "x", "conditions": [APPROVED]}
    assert marked(cluster, before, max_duration="90d") == {**before, "maxDuration": "90d"}
    assert marked(cluster, before) == before


@pytest.mark.parametrize(("generation", "spec"), [(1, digest_of_spec(a_grant())), (3, "")], ids=["as it is", "changed meanwhile"])
def test_of_an_ending_it_is_recorded_of_which_object_and_spec(cluster: MemoryCluster, generation: int, spec: str) -> None:
    told = marked(cluster, {}, ended_generation=generation)
    assert told == {"endedGeneration": generation, "endedUid": uid_of(cluster, GRANT), "endedSpec": spec}


@pytest.mark.parametrize(
    ("before", "types"),
    [
        (None, ["Ready", "Superseded"]),
        ({"conditions": None}, ["Superseded"]),
        ({"conditions": [APPROVED, VALID]}, ["Approved", "Superseded", "Valid"]),
    ],
    ids=["of a new grant", "without conditions", "with conditions"],
)
def test_a_grant_is_superseded_by_a_condition_more(cluster: MemoryCluster, before: dict[str, Any] | None, types: list[str]) -> None:
    status = marked(cluster, before, superseded_by="sales/newer")
    assert status is not None
    found = {condition["type"]: condition for condition in status["conditions"]}
    assert list(found) == types
    assert (found["Superseded"]["status"], found["Superseded"]["observedGeneration"]) == ("True", 1)
    assert "sales/newer" in found["Superseded"]["message"]


def test_what_superseded_a_grant_first_is_what_it_tells(cluster: MemoryCluster) -> None:
    status = marked(cluster, superseded_by="sales/newer")
    assert marked(cluster, dict(status or {}), superseded_by="sales/newest") == status


@pytest.mark.parametrize("mark", [{"uid": "of-before"}, {"key": Key("AccessGrant", "sales", "gone")}], ids=["recreated", "gone"])
def test_another_grant_is_not_marked(cluster: MemoryCluster, mark: dict[str, Any]) -> None:
    assert marked(cluster, superseded_by="sales/newer", **mark) is None


# Namespaces

PLACE: Final = Key("Namespace", "", "sales")


def test_a_namespace_is_labelled_and_marked(cluster: MemoryCluster) -> None:
    labels: dict[str, str | None] = {DOMAIN_LABEL: "sales"}
    mark_namespace(cluster, LabelNamespace("sales", uid_of(cluster, PLACE), tuple(labels.items()), (("a", "b"),)), labels, "sales")
    metadata = (cluster.raw(PLACE) or {})["metadata"]
    assert (metadata["labels"][DOMAIN_LABEL], metadata["annotations"]) == ("sales", {"a": "b"})


@pytest.mark.parametrize(
    ("error", "labels", "reason", "words"),
    [
        (Terminal(reasons.ADMISSION_REFUSED, GUARD), {DOMAIN_LABEL: "retail"}, reasons.CONSENT_MISSING, "adopt-by=retail"),
        (Terminal(reasons.ADMISSION_REFUSED, GUARD), {}, reasons.CONSENT_MISSING, "adopt-by=retail"),
        (Terminal(reasons.ADMISSION_REFUSED, "policy 'labels' denied request"), {}, reasons.ADMISSION_REFUSED, "policy 'labels'"),
        (Terminal(reasons.INVALID_SPEC, GUARD), {}, reasons.INVALID_SPEC, GUARD),
    ],
    ids=["by the guard", "by the guard, where the label goes", "by another policy", "by something else"],
)
def test_what_to_do_where_a_namespace_may_not_be_written(
    cluster: MemoryCluster, error: MeshError, labels: dict[str, str | None], reason: str, words: str
) -> None:
    refuse(cluster, "label", error)
    with pytest.raises(Terminal) as told:
        mark_namespace(cluster, MarkNamespace("sales", uid_of(cluster, PLACE), ()), labels, "retail")
    assert told.value.reason == reason
    assert words in told.value.message


# Children

OURS: Final = "Domain/sales//uid-sales"


def a_binding(mark: str | None = OURS, *, ours: bool = True, role: str = "view") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "owners", "namespace": "sales"}
    metadata |= {"annotations": {OWNER_ANNOTATION: mark}} if mark else {}
    metadata |= {"labels": {MANAGED_LABEL: MANAGER}} if ours else {}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata, "roleRef": {"name": role}}


def role_of(cluster: MemoryCluster) -> str:
    return str((cluster.raw(key_of(a_binding())) or {})["roleRef"]["name"])


def test_a_child_of_a_domain_that_lost_its_label_is_brought_back(cluster: MemoryCluster) -> None:
    cluster.user_apply(a_binding(ours=False, role="edit"))
    create_or_recover(cluster, a_binding())
    assert role_of(cluster) == "view"
    assert cluster.get(key_of(a_binding())) is not None, "the label is back"


@pytest.mark.parametrize(
    ("existing", "wanted"),
    [
        (a_binding(None, ours=False, role="edit"), a_binding()),
        (a_binding("Domain/retail//uid-retail", ours=False, role="edit"), a_binding()),
        (a_binding("DataProduct/sales/orders/uid-1", ours=False, role="edit"), a_binding("DataProduct/sales/orders/uid-1")),
        (a_binding(None, ours=False, role="edit"), a_binding(None)),
    ],
    ids=["without mark", "another domain's", "a product's", "no mark on either"],
)
def test_what_is_not_a_domains_own_is_left_alone(cluster: MemoryCluster, existing: dict[str, Any], wanted: dict[str, Any]) -> None:
    cluster.user_apply(existing)
    with pytest.raises(Terminal) as told:
        create_or_recover(cluster, wanted)
    assert told.value.reason == reasons.NOT_OWNED
    assert role_of(cluster) == "edit"


def test_a_child_that_is_refused_is_not_taken_for_an_existing_one(cluster: MemoryCluster) -> None:
    refused = Terminal(reasons.ADMISSION_REFUSED, "denied by policy")
    refuse(cluster, "create", refused)
    with pytest.raises(Terminal) as told:
        create_or_recover(cluster, a_binding())
    assert told.value is refused


def test_a_child_that_went_at_the_same_time_is_told_of_as_it_was(cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.user_apply(a_binding(ours=False))
    monkeypatch.setattr(cluster, "read_metadata", lambda _: Absent())
    with pytest.raises(Terminal) as told:
        create_or_recover(cluster, a_binding())
    assert told.value.reason == reasons.NOT_OWNED
