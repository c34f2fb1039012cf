"""Approvals that follow one another: what was superseded never gives again, and reason and end say the truth in every state. On RGW.

All stories are told at once, step by step; then each test sees whether its story ended as it must.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.e2e.access import Access, Deal, Manifest, condition_of
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.places import Acted, Place, in_seconds
from tests.e2e.revoking_acts import CASES, NEWER, OLDER, REBUILT, TWINS, Case, Seen, grant, name_of, see, superseded

SOON = 30
STORIES = {**CASES, **TWINS, **REBUILT}
KEPT = ("rebuilt-kept",)


@pytest.fixture(scope="module")
def acted(brisk: Actors) -> Acted:
    place = Place.opened(brisk, "revoke-makers", "revoke-users")
    place.offer({"ledger": {}, "open": {"approval": "Auto"}})
    given = begin(place) | place.give(*(place.deal(name, "open") for name in STEPS), answered=False)
    stories = {name: given[name] for name in (*CASES, *TWINS)}
    answers = {name: uids(place, name) for name in STEPS}
    for number in range(2):
        acting = {name: access for name, access in stories.items() if len(STORIES[name].steps) > number}
        steps = {name: partial(STORIES[name].steps[number], place, access) for name, access in acting.items()}
        move(place, {**steps, **{name: partial(STEPS[name][number], place, name) for name in STEPS if len(STEPS[name]) > number}})
    rebuild(place, {name: given[name] for name in REBUILT})
    return Acted(place, given, answers)


def begin(place: Place) -> dict[str, Access]:
    """An older approval each, and in a later second a newer one; of the twins both in one second."""
    deals = {name: place.deal(name, "ledger") for name in STORIES}
    known = {name: unread(place, deal) for name, deal in deals.items()}
    for name, end in (("twins", NEWER), ("equal-twins", OLDER)):
        place.mesh.installed.until(partial(make_twins, place, known[name], end), what=f"{name} of one second")
    place.apply(*(deal.request for deal in deals.values()))
    place.apply(*(grant(known[name], "older", validUntil=OLDER) for name in (*CASES, *REBUILT)))
    wait(place, deals)
    later = time.time() + 1.1
    place.mesh.installed.until(lambda: time.time() > later, what="a later second")
    place.apply(*(grant(known[name], "newer", validUntil=NEWER) for name in (*CASES, *REBUILT)))
    place.mesh.installed.until(partial(rest_on_newer, place), what="the newer approvals come into effect")
    return place.standing(*deals.values())


def unread(place: Place, deal: Deal) -> Access:
    """Of access that is not given yet only the deal is known."""
    return Access(place.mesh, place.mesh.store, deal, {}, "")


def make_twins(place: Place, access: Access, newer: str) -> bool:
    """Both approvals in one second, before there is a request; False where a second passed between them."""
    place.delete("agrant", *(name_of(access, which) for which in ("older", "newer")))
    place.mesh.installed.until(lambda: time.time() % 1 < 0.2, what="the beginning of a second")
    place.apply(grant(access, "older", validUntil=OLDER), grant(access, "newer", validUntil=newer))
    return len({found["metadata"]["creationTimestamp"] for found in place.grants_of(access.deal.name)}) == 1


def wait(place: Place, names: Iterable[str]) -> None:
    place.mesh.installed.wait_all("areq", names, place.users, seconds=60)


Standing = Mapping[str, tuple[Any, Any]]


def standing(place: Place) -> Standing:
    """By request: whether there is access, and the name of the grant that it rests on."""
    return {
        request["metadata"]["name"]: (condition_of(request).get("status"), request.get("status", {}).get("grantRef", {}).get("name"))
        for request in place.items("areq", place.users)
    }


def rest_on_newer(place: Place) -> bool:
    now = standing(place)
    return all(now[name] == ("True", f"newer-{name}") for name in (*CASES, *REBUILT))


def move(place: Place, steps: Mapping[str, Callable[[], object]]) -> None:
    """One step of every story, and time for the operator to see it before the next; not every step changes what stands."""
    before, end = standing(place), time.monotonic() + 15
    for step in steps.values():
        step()
    waited = [name for name in steps if len(STEPS.get(name, ()) or STORIES[name].steps) > 1]
    place.mesh.installed.until(lambda: time.monotonic() > end or have_moved(waited, before, standing(place)), what="what follows")


def have_moved(names: Iterable[str], before: Standing, now: Standing) -> bool:
    return all(before.get(name) != now.get(name) for name in names)


# At a port that answers by itself.


def answer_of(place: Place, name: str) -> str:
    """The grant that access rests on, or the only one."""
    status = place.mesh.installed.get("areq", name, place.users).get("status", {})
    return str(status["grantRef"]["name"] if "grantRef" in status else place.grants_of(name)[0]["metadata"]["name"])


def uids(place: Place, name: str) -> list[str]:
    return [str(found["metadata"]["uid"]) for found in place.grants_of(name)]


def delete_answer(place: Place, name: str) -> None:
    place.delete("agrant", answer_of(place, name))


def decide(decision: str) -> Callable[[Place, str], object]:
    return lambda place, name: place.patch("agrant", answer_of(place, name), {"decision": decision})


def outlive(place: Place, name: str) -> None:
    """The owner approves by hand, for longer than the port did."""
    place.apply(place.deal(name, "open").grant)


def renew(place: Place, name: str) -> None:
    """The owner moves the end near, and the consumer asks for more: the port answers once more."""
    place.patch("agrant", answer_of(place, name), {"validUntil": in_seconds(45)})
    place.patch("areq", name, {"renewal": {"requestedAt": in_seconds(0)}}, namespace=place.users)


STEPS: Mapping[str, tuple[Callable[[Place, str], object], ...]] = {
    "auto-deleted": (delete_answer,),
    "auto-denied": (decide("Deny"),),
    "auto-lifted": (decide("Deny"), decide("Approve")),
    "auto-refused": (decide("Deny"), delete_answer),
    "auto-outlived": (outlive, delete_answer),
    "auto-renewed": (renew, delete_answer),
}


@pytest.mark.parametrize("name", ["auto-deleted", "auto-refused", "auto-outlived", "auto-renewed"])
def test_a_port_answers_again_with_another_key(acted: Acted, name: str) -> None:
    """Whether its answer was deleted, or refused and deleted, or a longer approval that had outlived it."""
    access, place = acted.access[name], acted.place
    acted.within(SOON, lambda: see(place, access).key == "new", "another key")
    acted.within(SOON, lambda: not see(place, access).contradictions, "all agree")
    acted.within(SOON, lambda: len(uids(place, name)) == 1, "one answer")
    assert uids(place, name) != acted.facts[name]
    assert not access.reads()


def test_a_port_does_not_answer_a_refusal(acted: Acted) -> None:
    access = acted.access["auto-denied"]
    acted.within(SOON, lambda: see(acted.place, access).reason == "Denied", "the refusal")
    assert see(acted.place, access) == Seen("Denied", "", "", "", ())
    assert uids(acted.place, "auto-denied") == acted.facts["auto-denied"]


def test_a_refusal_at_a_port_that_is_lifted_gives_again(acted: Acted) -> None:
    access = acted.access["auto-lifted"]
    acted.within(SOON, lambda: see(acted.place, access).key == "new", "another key")
    acted.within(SOON, lambda: not see(acted.place, access).contradictions, "all agree")
    assert uids(acted.place, "auto-lifted") == acted.facts["auto-lifted"]


# A rebuilt cluster.


def rebuild(place: Place, given: Mapping[str, Access]) -> None:
    """What was revoked before is known from status alone. Then everything goes while the operator is away, and a backup is applied."""
    before, ended = standing(place), ("rebuilt-lost", "rebuilt-kept")
    newer = {f"newer-{name}" for name in ended}
    place.delete("agrant", *newer)
    place.mesh.installed.until(lambda: have_moved(ended, before, standing(place)), what="the end of the newer approvals")
    place.mesh.installed.until(lambda: not newer & names_of(place.items("agrant", place.makers)), what="that they have gone")
    saved = {name: place.grants_of(name) for name in given}
    with place.mesh.stopped():
        place.vanish("agrant", *names_of(found for grants in saved.values() for found in grants), namespace=place.makers)
        place.vanish("areq", *given, namespace=place.users)
        place.delete("secret", *given, namespace=place.users)
        place.apply(*(access.deal.request for access in given.values()), *(fresh(found) for grants in saved.values() for found in grants))
        for name in KEPT:
            restore_status(place, saved[name])


def names_of(objects: Iterable[Manifest]) -> set[str]:
    return {str(found["metadata"]["name"]) for found in objects}


def fresh(manifest: Manifest) -> Manifest:
    """As it stands in Git."""
    metadata = {field: manifest["metadata"][field] for field in ("name", "namespace")}
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"], "metadata": metadata, "spec": manifest["spec"]}


def restore_status(place: Place, grants: list[Manifest]) -> None:
    """As a backup tool does that restores status."""
    for found in grants:
        body = {**fresh(found), "status": found["status"]}
        flags = ("--server-side", "--force-conflicts", "--subresource=status", f"--as={SERVICE_ACCOUNT}")
        assert not place.says("apply", *flags, "-f", "-", stdin=json.dumps(body))


# What must be true in the end.


@pytest.mark.parametrize("name", STORIES, ids=[f"{name}: {story.what}" for name, story in STORIES.items()])
def test_a_story_ends_as_it_must(acted: Acted, name: str) -> None:
    access, story = acted.access[name], STORIES[name]
    try:
        acted.within(SOON, lambda: see(acted.place, access).is_as_told(story), story.what)
    except TimeoutError:
        assert see(acted.place, access) == told(story), "as it ended, and as it must"
        raise


def told(story: Case) -> Seen:
    return Seen(story.reason, story.on, story.until, story.key, ())


MARKED = {"untouched": ["older"], "extended": ["newer", "older"], "born-expired": ["older"], "renamed": ["older"], "shortened": ["older"]}


@pytest.mark.parametrize("name", MARKED)
def test_what_was_overtaken_says_so(acted: Acted, name: str) -> None:
    marked = [name_of(acted.access[name], which) for which in MARKED[name]]
    acted.within(SOON, lambda: superseded(acted.place.grants_of(name)) == marked, f"{marked} are superseded")
    for found in acted.place.grants_of(name):
        if found["metadata"]["name"] in marked:
            assert (condition_of(found)["reason"], condition_of(found, "InEffect")["status"]) == ("Superseded", "False")


def test_an_approval_that_is_born_expired_says_so(acted: Acted) -> None:
    late = partial(acted.place.mesh.installed.get, "agrant", "next-born-expired", acted.place.makers)
    acted.within(SOON, lambda: condition_of(late()).get("reason") == "Expired", "the word of the grant")
    assert condition_of(late(), "Expired")["status"] == "True"


@pytest.mark.parametrize("product", ["ledger", "open"])
def test_the_product_counts_those_who_have_access(acted: Acted, product: str) -> None:
    acted.within(SOON, lambda: consumers(acted.place, product) == len(ready(acted.place, product)), f"the consumers of {product}")


def consumers(place: Place, product: str) -> int:
    return int(place.mesh.product(product, place.makers)["status"]["outputPorts"][0]["consumers"])


def ready(place: Place, product: str) -> list[str]:
    asking = (request for request in place.items("areq", place.users) if request["spec"]["dataProductRef"]["name"] == product)
    return [str(request["metadata"]["name"]) for request in asking if condition_of(request).get("status") == "True"]
