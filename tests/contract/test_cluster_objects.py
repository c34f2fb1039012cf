"""The contract of the Cluster port: children and namespaces. Held over the fake and a real API server."""

from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Event, Key, Manifest, key_of
from tests.contract.test_cluster_sides import LABELS, NO_UID, OTHER, SIDES, RealSide, Side, fresh, metadata_of, open_side, uid_of
from tests.support.evidence import seen


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return open_side(request, request.param)


NAME = "clouddatamesh"
"""The name of a Domain's children: of others that bear our label only the metadata is kept."""


def a_quota(side: Side, name: str = NAME, *, labels: dict[str, str] | None = None, **hard: str) -> dict[str, Any]:
    """A ResourceQuota with our label; keyword arguments are hard limits."""
    metadata = {"name": name, "namespace": side.namespace, "labels": LABELS if labels is None else labels}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard or {"pods": "5"}}}


def a_range(side: Side, **labels: str) -> dict[str, Any]:
    """A LimitRange: no controller writes to it, so its version rises by our doing alone."""
    metadata = {"name": "range", "namespace": side.namespace, "labels": {**LABELS, **labels}}
    limits = [{"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "500m"}}]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": limits}}


def bound(manifest: dict[str, Any], uid: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid}}


def made(side: Side, manifest: dict[str, Any]) -> Key:
    side.cluster.create(manifest)
    return key_of(manifest)


def spec_of(side: Side, key: Key) -> Any:
    return (side.raw(key) or {})["spec"]


def failure_of(act: Any, *args: Any, **named: Any) -> tuple[type[MeshError], str]:
    with pytest.raises(MeshError) as caught:
        act(*args, **named)
    return type(caught.value), caught.value.reason


def test_what_was_made_shows_at_once(side: Side) -> None:
    for name in ("b", "a", NAME):
        made(side, a_quota(side, name))
    found = side.cluster.get(Key("ResourceQuota", side.namespace, NAME))
    assert found is not None
    assert (found["apiVersion"], found["kind"], found["spec"]) == ("v1", "ResourceQuota", {"hard": {"pods": "5"}})
    mine = [key_of(quota) for quota in side.cluster.list("ResourceQuota") if key_of(quota).namespace == side.namespace]
    assert [key.name for key in mine] == ["a", "b", NAME]


def test_a_quota_without_limits_is_served_without_the_field(side: Side) -> None:
    key = made(side, {**a_quota(side), "spec": {"hard": {}}})
    assert spec_of(side, key) == {}


def test_what_exists_is_never_made_over(side: Side) -> None:
    side.user_apply(a_range(side))
    key = key_of(a_range(side))
    before = metadata_of(side, key)["resourceVersion"]
    assert failure_of(side.cluster.create, a_range(side, ours="1")) == (Terminal, reasons.NOT_OWNED)
    assert metadata_of(side, key)["resourceVersion"] == before
    assert metadata_of(side, key)["labels"] == LABELS


def test_nothing_is_made_in_a_namespace_that_is_not_there(side: Side) -> None:
    manifest = a_quota(side)
    nowhere = {**manifest, "metadata": {**manifest["metadata"], "namespace": fresh()}}
    assert failure_of(side.cluster.create, nowhere) == (Transient, reasons.CONFLICT)


def test_a_namespace_that_goes_is_waited_for(side: Side) -> None:
    held = Key("ResourceQuota", side.namespace, "held")
    side.user_apply(a_quota(side, held.name))
    side.user_finalize(held, OTHER)
    side.user_delete(Key("Namespace", "", side.namespace))
    assert failure_of(side.cluster.create, a_quota(side)) == (Waiting, reasons.NAMESPACE_TERMINATING)
    side.user_finalize(held)


def test_only_what_carries_our_label_is_watched_and_the_rest_shows_live(side: Side) -> None:
    side.user_apply(a_quota(side, "theirs", labels={"a": "b"}))
    side.watch()
    key = Key("ResourceQuota", side.namespace, "theirs")
    assert side.cluster.get(key) is None
    assert key not in map(key_of, side.cluster.list("ResourceQuota"))
    assert metadata_of(side, key)["labels"] == {"a": "b"}
    assert side.cluster.get(Key("Namespace", "", side.namespace)) is not None
    for read in (side.cluster.read_metadata, side.cluster.read):
        assert read(Key("ResourceQuota", side.namespace, "none")) == Absent()


def test_metadata_comes_without_the_rest(side: Side) -> None:
    key = made(side, a_quota(side))
    found = seen(side.cluster.read_metadata(key))
    assert set(found) == {"apiVersion", "kind", "metadata"}


def test_applying_makes_each_map_of_ours_exactly_what_is_wanted(side: Side) -> None:
    key = made(side, a_quota(side, pods="5", secrets="50"))
    side.user_apply(bound(a_quota(side, labels={**LABELS, "theirs": "kept"}, pods="5", secrets="50", services="1"), uid_of(side, key)))
    side.watch()
    side.cluster.apply(bound(a_quota(side, pods="7"), uid_of(side, key)))
    assert spec_of(side, key) == {"hard": {"pods": "7"}}
    assert metadata_of(side, key)["labels"] == {**LABELS, "theirs": "kept"}
    assert (side.cluster.get(key) or {})["spec"] == {"hard": {"pods": "7"}}


def test_applying_what_stands_already_changes_nothing(side: Side) -> None:
    key = made(side, a_range(side))
    before = metadata_of(side, key)["resourceVersion"]
    side.cluster.apply(bound(a_range(side), uid_of(side, key)))
    assert metadata_of(side, key)["resourceVersion"] == before


def test_applying_takes_away_what_a_stranger_put_into_a_child(side: Side) -> None:
    metadata = {"name": NAME, "namespace": side.namespace, "labels": LABELS}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    wall = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    key = made(side, wall)
    opened = {**spec, "podSelector": {"matchLabels": {"a": "b"}}, "egress": [{}], "policyTypes": ["Ingress", "Egress"]}
    side.user_apply({**wall, "spec": opened})
    side.watch()
    side.cluster.apply(bound(wall, uid_of(side, key)))
    assert spec_of(side, key) == spec


def test_applying_never_makes_an_object_nor_takes_another_one_over(side: Side) -> None:
    assert failure_of(side.cluster.apply, bound(a_quota(side), NO_UID)) == (Transient, reasons.CONFLICT)
    key = Key("ResourceQuota", side.namespace, NAME)
    assert side.raw(key) is None
    side.user_apply(a_quota(side, pods="1"))
    side.watch()
    assert failure_of(side.cluster.apply, bound(a_quota(side, pods="9"), NO_UID)) == (Transient, reasons.CONFLICT)
    assert spec_of(side, key) == {"hard": {"pods": "1"}}


def test_what_was_deleted_is_gone_at_once(side: Side) -> None:
    key = made(side, a_quota(side))
    side.cluster.delete(key, uid_of(side, key))
    assert side.cluster.get(key) is None
    assert side.raw(key) is None
    side.cluster.delete(key, NO_UID)


def test_a_successor_is_not_deleted(side: Side) -> None:
    key = made(side, a_quota(side))
    former = uid_of(side, key)
    side.user_delete(key)
    made(side, a_quota(side))
    side.cluster.delete(key, former)
    assert side.cluster.get(key) is not None
    assert side.raw(key) is not None


def test_what_a_stranger_holds_is_not_called_gone(side: Side) -> None:
    key = made(side, a_quota(side))
    side.user_finalize(key, OTHER)
    side.watch()
    side.cluster.delete(key, uid_of(side, key))
    assert (side.cluster.get(key) or {})["metadata"]["deletionTimestamp"]
    side.user_finalize(key)
    side.watch()
    assert side.cluster.get(key) is None


def test_labels_and_annotations_of_a_namespace_are_set_and_taken_off_and_others_stay(side: Side) -> None:
    key = Key("Namespace", "", side.namespace)
    theirs = {"labels": {"theirs": "kept"}, "annotations": {"theirs": "kept"}}
    side.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": key.name, **theirs}})
    uid = uid_of(side, key)
    side.cluster.mark_namespace(key.name, uid, labels={"ours": "1", "more": "2"}, annotations={"ours": "1", "more": "2"})
    side.cluster.mark_namespace(key.name, uid, labels={"ours": "3", "more": None}, annotations={"ours": "3", "more": None, "absent": None})
    for part in ("labels", "annotations"):
        found = metadata_of(side, key)[part]
        assert {name: found.get(name) for name in ("theirs", "ours", "more", "absent")} == {
            "theirs": "kept",
            "ours": "3",
            "more": None,
            "absent": None,
        }


def test_a_namesake_gets_no_label(side: Side) -> None:
    def mark(name: str) -> None:
        side.cluster.mark_namespace(name, NO_UID, labels={"a": "b"}, annotations={"a": "b"})

    assert failure_of(mark, side.namespace) == (Transient, reasons.CONFLICT)
    assert failure_of(mark, fresh()) == (Transient, reasons.CONFLICT)
    assert "a" not in (metadata_of(side, Key("Namespace", "", side.namespace)).get("labels") or {})


@pytest.mark.parametrize("namespace", ["labelled", "annotated", "bare"])
def test_the_domains_that_a_namespace_names_are_found(side: Side, namespace: str) -> None:
    """By its label, and by each annotation of ours; whoever looks for a Domain's namespaces does not read all of them."""
    domain, key = Key("Domain", "", fresh()), Key("Namespace", "", side.namespace)
    marked = {
        "labelled": {"labels": {"clouddatamesh.dev/domain": domain.name}},
        "annotated": {"annotations": {"clouddatamesh.dev/released-by": f"acme/{domain.name}"}},
        "bare": {},
    }[namespace]
    side.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": key.name, **marked}})
    side.watch()
    assert [key_of(found) for found in side.cluster.referring(domain, "Namespace")] == ([] if namespace == "bare" else [key])


def test_who_wrote_a_child_is_known_when_its_annotations_are_gone(side: Side) -> None:
    ours, theirs = made(side, a_quota(side)), key_of(a_quota(side, "theirs"))
    side.user_apply(a_quota(side, "theirs"))
    managers = [{entry["manager"] for entry in metadata_of(side, key)["managedFields"]} for key in (ours, theirs)]
    assert ("clouddatamesh" in managers[0], "clouddatamesh" in managers[1]) == (True, False)


@pytest.mark.parametrize("kind", ["Domain", "DataProduct"])
def test_events_never_fail(side: Side, kind: str) -> None:
    for namespace in (side.namespace, fresh()):
        key = Key(kind, "" if kind == "Domain" else namespace, fresh())
        side.cluster.emit(key, NO_UID, Event("Normal", reasons.CREATED, "A sentence " * 200))


@pytest.mark.real
def test_each_write_is_one_request_and_cached_reads_are_none(request: pytest.FixtureRequest) -> None:
    side = open_side(request, "real")
    assert isinstance(side, RealSide)
    before = len(side.client.requests)
    key = made(side, a_quota(side))
    uid = str((side.cluster.get(key) or {})["metadata"]["uid"])
    side.cluster.list("ResourceQuota")
    side.cluster.apply(bound(a_quota(side, pods="6"), uid))
    side.cluster.delete(key, uid)
    assert [method for method, _ in side.client.requests[before:]] == ["POST", "PATCH", "DELETE"]
