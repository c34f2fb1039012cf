"""Faults of access that outlived its grant or hung on somebody's leftovers, each with further examples of its kind. On RGW.

All acts are done at one moment (fault_acts.py); a test says what must have followed, and by when.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.e2e import fault_acts
from tests.e2e.access import Access, Manifest, condition_of
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.fault_acts import CROWD, MANAGED, Faults, resting_on
from tests.e2e.places import Acted, Place

SOON, DRIFT = 60, 75
"""Seconds: a taking that everybody waits for, and a look of the schedule with what follows from it."""
GUARD = "clouddatamesh-operator-guard-specs"


@pytest.fixture(scope="module")
def faults(brisk: Actors) -> Faults:
    return fault_acts.open_places(brisk)


@pytest.fixture(scope="module")
def acted(faults: Faults) -> Acted:
    given = fault_acts.give_early(faults) | fault_acts.give_all(faults)
    fault_acts.close_places(faults)
    acted = Acted(faults.main, given, fault_acts.act(faults, given))
    late = faults.main.deal("bucketless-late", "bucketless")
    faults.mesh.ends("bucketless", faults.main.makers, reason="BucketMissing", seconds=DRIFT)
    faults.main.apply(late.request, late.grant)
    return acted


def status(acted: Acted, kind: str, name: str, namespace: str = "") -> Manifest:
    found = acted.place.mesh.installed.get(kind, name, namespace or acted.place.makers)
    return dict(found.get("status", {}))


def request(acted: Acted, name: str) -> Manifest:
    return acted.place.mesh.installed.get("areq", name, acted.place.users)


# What is given by a port itself, and taken away.


def test_an_answer_that_is_deleted_is_given_again_with_another_key(acted: Acted) -> None:
    is_answered_again(acted, "deleted", SOON)


def is_answered_again(acted: Acted, name: str, seconds: float) -> None:
    access, former = acted.access[name], acted.facts[name]
    acted.within(seconds, lambda: not access.reads(), f"the refusal of {name}")
    acted.within(seconds, lambda: rests_on_another(access.request(), former), "the next answer")
    again = Access.of(acted.place.mesh, access.deal)
    assert again.reads()
    assert again.secret["access-key-id"] != access.secret["access-key-id"]
    assert is_alone(acted.place, name)


def rests_on_another(found: Manifest, former: str) -> bool:
    """Whether a request has access by a grant with another uid."""
    return condition_of(found).get("status") == "True" and found["status"]["grantRef"]["uid"] != former


ENDED = {
    "full-ended": "its end passes while a quota refuses the answer to its renewal",
    "full-deleted": "its answer is deleted while a quota refuses the next one",
    "refused-by-policy": "its end passes while an admission policy refuses the answer to its renewal",
    "closing": "its answer is deleted with a namespace that cannot end",
}


@pytest.mark.parametrize("name", ENDED, ids=ENDED.values())
def test_access_ends_where_the_port_cannot_answer(acted: Acted, name: str) -> None:
    acted.is_taken(name, SOON)
    has_no_access(acted, name)


def has_no_access(acted: Acted, name: str) -> None:
    """Status is written after what it tells of."""
    acted.place.mesh.installed.until(lambda: condition_of(request(acted, name)).get("status") != "True", what=f"{name} is not Ready")


def test_no_answer_is_shorter_than_an_hour(acted: Acted) -> None:
    (grant,) = acted.place.grants_of("hasty")
    made = datetime.fromisoformat(grant["metadata"]["creationTimestamp"])
    assert datetime.fromisoformat(grant["spec"]["validUntil"]) >= made + timedelta(minutes=59)


def test_renewals_leave_no_heap_of_answers(acted: Acted) -> None:
    place, access = acted.place, acted.access["renewing"]
    fault_acts.renew_often(place, "renewing", times=3)
    alone = partial(is_alone, place, "renewing")
    place.mesh.installed.until(alone, seconds=DRIFT, what="one answer is left")
    assert access.reads(), "it was renewed in time, three times over"


def is_alone(place: Place, name: str) -> bool:
    """Whether the grant that access rests on is the only one of its request."""
    return [grant["metadata"]["name"] for grant in place.grants_of(name)] == [resting_on(place, name)]


# Finalizers that are stripped, and objects that vanish.


def test_a_crowd_of_requests_that_vanish_leaves_no_key(acted: Acted) -> None:
    for name in CROWD:
        acted.is_taken(name, SOON)


def test_a_request_that_vanishes_and_is_made_again_without_a_grant_leaves_no_key(acted: Acted) -> None:
    acted.is_taken("remade", SOON)
    has_no_access(acted, "remade")


# Terms.


@pytest.mark.parametrize("how", ["removed", "raised", "renumbered"])
def test_a_cap_counts_as_it_was_when_access_was_given(acted: Acted, how: str) -> None:
    name = f"capped-{how}"
    grant = acted.place.mesh.installed.get("agrant", f"for-{name}", acted.place.makers)
    end = datetime.fromisoformat(grant["metadata"]["creationTimestamp"]) + timedelta(minutes=1)
    told = lambda: status(acted, "agrant", f"for-{name}").get("validUntil") == f"{end:%Y-%m-%dT%H:%M:%SZ}"  # noqa: E731
    acted.within(SOON, told, f"the end that the grant of {name} tells")
    acted.is_taken(name, SOON + 10)
    assert datetime.now(UTC) >= end
    acted.place.mesh.installed.until(lambda: condition_of(request(acted, name)).get("reason") == "Expired", what=f"the word of {name}")


# What a consumer or a platform team does to a Secret delays nobody else.


def test_a_held_secret_holds_no_grant(acted: Acted) -> None:
    acted.is_gone("agrant", "for-held-secret", acted.place.makers, SOON)
    assert not acted.access["held-secret"].reads()


def test_a_secret_that_cannot_be_deleted_holds_no_grant(acted: Acted) -> None:
    acted.is_gone("agrant", "for-kept-secret", acted.place.makers, SOON)
    assert not acted.access["kept-secret"].reads()


def test_a_held_secret_holds_no_product_that_is_forced(acted: Acted) -> None:
    acted.is_gone("dp", "forced", acted.place.makers, SOON)
    assert not acted.access["forced"].reads()


def test_a_held_secret_holds_no_namespace(acted: Acted) -> None:
    access = acted.access["leaving"]
    acted.within(SOON, lambda: not access.reads(), "the refusal")
    acted.is_gone("dp", "inside", "fault-leaving", SOON)
    acted.within(SOON, lambda: not access.mesh.installed.get("agrant", access.deal.grant["metadata"]["name"], "fault-leaving"), "its grant")


# Rights that are no inline policies.


def is_wide(acted: Acted, user: str) -> bool:
    iam = acted.place.mesh.iam
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    return bool(attached or iam.list_groups_for_user(UserName=user)["Groups"])


@pytest.mark.parametrize(("name", "what"), [("attached", MANAGED.rpartition("/")[2]), ("grouped", fault_acts.GROUP)])
def test_a_consumer_that_was_given_more_is_set_back_or_named(acted: Acted, name: str, what: str) -> None:
    user = acted.access[name].principal
    acted.within(DRIFT, lambda: not is_wide(acted, user) or what in str(request(acted, name)["status"]), f"{what} is seen")
    told = lambda: what in events_of(acted, name) + str(request(acted, name)["status"])  # noqa: E731
    acted.place.mesh.installed.until(told, what=f"somebody is told of {what}")


def events_of(acted: Acted, name: str) -> str:
    """What was said of a request."""
    path = f"jsonpath={{.items[?(@.involvedObject.name=='{name}')].message}}"
    return acted.place.kubectl("get", "events", "-n", acted.place.users, "-o", path)


def test_a_producer_that_was_given_more_is_set_back_or_named(acted: Acted) -> None:
    user, what = acted.facts["wide"], MANAGED.rpartition("/")[2]
    acted.within(DRIFT, lambda: not is_wide(acted, user) or what in str(status(acted, "dp", "wide")), f"{what} is seen")


@pytest.mark.parametrize("name", ["attached-ended", "grouped-ended", "wide-orphan"])
def test_what_was_given_besides_delays_no_end(acted: Acted, name: str) -> None:
    acted.is_taken(name, SOON)
    acted.is_gone("agrant", f"for-{name}", acted.place.makers, SOON)
    assert condition_of(acted.place.mesh.installed.get("ostore", "main"))["status"] == "True"


def test_what_a_producer_was_given_besides_delays_no_end(acted: Acted) -> None:
    acted.is_gone("dp", "wide-gone", acted.place.makers, SOON)
    iam = acted.place.mesh.iam
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName=acted.facts["wide-gone"])


# A bucket that is lost.


def test_a_request_says_that_its_product_lost_its_bucket(acted: Acted) -> None:
    acted.within(DRIFT, lambda: condition_of(request(acted, "bucketless"))["reason"] == "ProductNotReady", "the request's word")
    assert condition_of(request(acted, "bucketless"))["status"] != "True"
    keys = acted.place.mesh.iam.list_access_keys(UserName=acted.access["bucketless"].principal)["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [acted.access["bucketless"].secret["access-key-id"]], "a bucket may come back"


def test_nothing_is_given_for_a_bucket_that_is_lost(acted: Acted) -> None:
    says = lambda: condition_of(request(acted, "bucketless-late")).get("reason") == "ProductNotReady"  # noqa: E731
    acted.place.mesh.installed.until(says, what="a word on the later request")
    assert not acted.place.mesh.installed.get("secret", "bucketless-late", acted.place.users)


def test_no_condition_keeps_speaking_of_a_bucket_that_is_lost(acted: Acted) -> None:
    found = status(acted, "dp", "bucketless")
    assert found["storage"].get("ownershipVerified") is not True
    assert condition_of({"status": found}, "StorageReady")["reason"] == "BucketMissing"
    assert condition_of({"status": found}, "DriftDetected").get("reason") != "InSync"


# Without the guard.


@pytest.fixture
def unguarded(acted: Acted) -> Iterator[Acted]:
    """The policy that keeps the operator from changing specs is out of force for a while."""
    place = acted.place
    binding = place.mesh.installed.get("validatingadmissionpolicybinding", GUARD)
    kept = {"name": GUARD, "labels": binding["metadata"]["labels"]}
    act = ("patch", "agrant", "for-attached", "-n", place.makers, "--type=merge", "-p", '{"spec":{"note":"a trial"}}')
    trial = (*act, "--dry-run=server", f"--as={SERVICE_ACCOUNT}")
    try:
        place.kubectl("delete", "validatingadmissionpolicybinding", GUARD)
        place.mesh.installed.until(lambda: not place.says(*trial), what="the policy is out of force")
        yield Acted(place, acted.access, acted.facts)
    finally:
        place.apply({"apiVersion": binding["apiVersion"], "kind": binding["kind"], "metadata": kept, "spec": binding["spec"]})


def test_an_answer_that_is_deleted_is_given_again_without_the_guard(unguarded: Acted) -> None:
    place = unguarded.place
    place.delete("agrant", resting_on(place, "unguarded"))
    is_answered_again(unguarded, "unguarded", 30)
