"""The contract of the Cluster port: status and finalizer of our kinds. Held over the fake and a real API server."""

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.marks import FINALIZER
from tests.contract.test_cluster_sides import NO_UID, OTHER, SIDES, Side, a_domain_in, fresh, metadata_of, open_side, uid_of

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Ready",
    "message": "All is there",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return open_side(request, request.param)


def status_of(side: Side, key: Key) -> dict[str, object]:
    return dict((side.raw(key) or {})["status"])


def finalizers_of(side: Side, key: Key) -> list[str]:
    return list(metadata_of(side, key).get("finalizers") or ())


def test_status_shows_at_once_and_raises_no_generation(side: Side) -> None:
    key = a_domain_in(side)
    side.cluster.write_status(key, uid_of(side, key), {"observedGeneration": 1, "dataProducts": 3, "conditions": [READY]})
    found = side.cluster.get(key) or {}
    assert (found["status"]["dataProducts"], found["status"]["conditions"]) == (3, [READY])
    assert found["metadata"]["generation"] == 1
    assert status_of(side, key) == found["status"]


def test_what_a_status_no_longer_says_vanishes(side: Side) -> None:
    key = a_domain_in(side)
    uid = uid_of(side, key)
    side.cluster.write_status(key, uid, {"observedGeneration": 1, "lastHandledReconcileAt": "a", "conditions": [READY]})
    side.cluster.write_status(key, uid, {"observedGeneration": 2})
    found = status_of(side, key)
    assert (found["observedGeneration"], found.get("lastHandledReconcileAt"), found.get("conditions") or []) == (2, None, [])


def test_the_same_status_again_changes_nothing(side: Side) -> None:
    key = a_domain_in(side)
    uid = uid_of(side, key)
    versions = []
    for _ in range(2):
        side.cluster.write_status(key, uid, {"observedGeneration": 1, "conditions": [READY]})
        versions.append(metadata_of(side, key)["resourceVersion"])
    assert versions[0] == versions[1]


def test_a_namesake_is_not_told_of_its_predecessor(side: Side) -> None:
    key = a_domain_in(side)
    former = uid_of(side, key)
    side.user_delete(key)
    side.cluster.write_status(key, former, {"observedGeneration": 1})
    a_domain_in(side, name=key.name)
    side.cluster.write_status(key, former, {"observedGeneration": 1, "conditions": [READY]})
    assert status_of(side, key)["observedGeneration"] == -1


def test_our_finalizer_comes_and_goes_beside_those_of_others(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    uid = uid_of(side, key)
    side.cluster.write_finalizer(key, uid, True)
    side.cluster.write_finalizer(key, uid, True)
    assert finalizers_of(side, key) == [OTHER, FINALIZER]
    assert FINALIZER in (side.cluster.get(key) or {})["metadata"]["finalizers"]
    side.cluster.write_finalizer(key, uid, False)
    side.cluster.write_finalizer(key, uid, False)
    assert finalizers_of(side, key) == [OTHER]


def test_an_object_that_only_we_held_is_gone_at_once(side: Side) -> None:
    key = a_domain_in(side)
    uid = uid_of(side, key)
    side.cluster.write_finalizer(key, uid, True)
    side.user_delete(key)
    side.watch()
    assert (side.cluster.get(key) or {})["metadata"]["deletionTimestamp"]
    side.cluster.write_finalizer(key, uid, False)
    assert side.cluster.get(key) is None
    assert side.raw(key) is None


def test_an_object_that_others_hold_too_stays(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    uid = uid_of(side, key)
    side.cluster.write_finalizer(key, uid, True)
    side.user_delete(key)
    side.watch()
    side.cluster.write_finalizer(key, uid, False)
    assert (side.cluster.get(key) or {})["metadata"]["finalizers"] == [OTHER]
    side.user_finalize(key)


def test_a_restored_object_is_released_though_another_put_our_finalizer_on(side: Side) -> None:
    key = a_domain_in(side, OTHER, FINALIZER)
    side.user_delete(key)
    side.watch()
    side.cluster.write_finalizer(key, uid_of(side, key), False)
    assert finalizers_of(side, key) == [OTHER]
    side.user_finalize(key)


def test_what_is_being_deleted_cannot_be_held_any_more(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    side.user_delete(key)
    with pytest.raises(Transient) as caught:
        side.cluster.write_finalizer(key, uid_of(side, key), True)
    assert caught.value.reason == reasons.CONFLICT
    side.user_finalize(key)


def test_a_namesake_and_what_is_gone_are_not_held_and_it_is_said(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    for target in (key, Key("Domain", "", fresh())):
        with pytest.raises(Transient) as caught:
            side.cluster.write_finalizer(target, NO_UID, True)
        assert caught.value.reason == reasons.CONFLICT
    assert finalizers_of(side, key) == [OTHER]


def test_a_namesake_and_what_is_gone_are_released_already(side: Side) -> None:
    key = a_domain_in(side, OTHER)
    side.cluster.write_finalizer(key, NO_UID, False)
    side.cluster.write_finalizer(Key("Domain", "", fresh()), NO_UID, False)
    assert finalizers_of(side, key) == [OTHER]


def test_what_is_held_already_may_be_held_again_while_it_is_being_deleted(side: Side) -> None:
    key = a_domain_in(side)
    side.cluster.write_finalizer(key, uid_of(side, key), True)
    side.user_delete(key)
    side.watch()
    side.cluster.write_finalizer(key, uid_of(side, key), True)
    assert finalizers_of(side, key) == [FINALIZER]
    side.user_finalize(key)


def test_a_status_that_is_bound_to_a_version_is_not_written_over_a_newer_one(side: Side) -> None:
    key = a_domain_in(side)
    uid, version = uid_of(side, key), str(metadata_of(side, key)["resourceVersion"])
    side.cluster.write_status(key, uid, {"observedGeneration": 1, "dataProducts": 1}, version=version)
    with pytest.raises(Transient) as caught:
        side.cluster.write_status(key, uid, {"observedGeneration": 1, "dataProducts": 2}, version=version)
    assert caught.value.reason == reasons.CONFLICT
    assert status_of(side, key)["dataProducts"] == 1
    assert not side.cluster.write_status(key, NO_UID, {"observedGeneration": 1, "dataProducts": 3}, version=version)
    assert not side.cluster.write_status(Key("Domain", "", fresh()), NO_UID, {"observedGeneration": 1}, version=version)
    assert status_of(side, key)["dataProducts"] == 1


def test_a_status_that_nobody_is_there_to_have_is_told_from_one_that_was_written(side: Side) -> None:
    key = a_domain_in(side)
    uid = uid_of(side, key)
    assert side.cluster.write_status(key, uid, {"observedGeneration": 1})
    assert side.cluster.write_status(key, uid, {"observedGeneration": 1}), "as it was already"
    assert not side.cluster.write_status(key, NO_UID, {"observedGeneration": 1})
    side.user_delete(key)
    assert not side.cluster.write_status(key, uid, {"observedGeneration": 1})
