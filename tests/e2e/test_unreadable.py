"""Manifests that cannot be read and objects that are being deleted: nothing is given by them, nothing is taken for them, and they say so.

All acts are done at one moment (unreadable_acts.py); a test says what must have followed. On RGW.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.e2e import unreadable_acts as acts
from tests.e2e.access import Access, Manifest, condition_of, is_allowed
from tests.e2e.actors import Actors
from tests.e2e.places import Acted, in_seconds
from tests.e2e.unreadable_acts import FILLERS, LATER_DOMAINS, LEAVING, SOURCES, SPACED_DOMAIN, Odd
from tests.support.installation import NAMESPACE

SOON, LOOKED = 45, 75
"""Seconds: a taking that everybody waits for, and a look of the schedule."""


@pytest.fixture(scope="module")
def odd(brisk: Actors) -> Iterator[Odd]:
    odd = acts.open_places(brisk)
    with acts.later_schema(brisk):
        yield odd


@pytest.fixture(scope="module")
def acted(odd: Odd) -> Acted:
    given = acts.give_all(odd)
    end = in_seconds(20)
    assert not odd.main.patch("agrant", "for-note-ended", {"validUntil": end})
    odd.mesh.installed.until(lambda: given["note-ended"].request()["status"]["validUntil"] == end, what="the recorded end")
    acts.edit_what_leaves(odd)
    acts.spoil(odd)
    acts.take(odd, given)
    acts.hold_and_delete(odd)
    return Acted(odd.main, given)


def users(acted: Acted, name: str) -> str:
    return acted.access[name].deal.namespace if name in acted.access else "odd-guests" if name.startswith("guests") else acted.place.users


def request(acted: Acted, name: str) -> Manifest:
    return acted.place.mesh.installed.get("areq", name, users(acted, name))


# Taking needs no more of a manifest than it reads.


@pytest.mark.parametrize("fate", ["ungranted", "refused", "ended"])
@pytest.mark.parametrize("source", SOURCES)
def test_access_ends_whatever_else_cannot_be_read(acted: Acted, source: str, fate: str) -> None:
    acted.is_taken(f"{source}-{fate}", SOON)


UNREADABLE = {
    "wordy-ungranted": "the request cannot be read, and its grant is deleted",
    "wordy-withdrawn": "the request cannot be read, and is deleted",
    "note-ungranted": "the grant cannot be read, and is deleted",
    "note-ended": "the grant cannot be read, and its recorded end passes",
    "unknown-decision": "the grant's decision is a word that is not known",
    "wordy-deny": "a refusal cannot be read",
    "shut": "a refusal of the whole namespace cannot be read",
    "held-grant": "the grant is being deleted and is held by somebody else's finalizer",
    "held-request": "the request is being deleted and is held by somebody else's finalizer",
}


@pytest.mark.parametrize("name", UNREADABLE, ids=UNREADABLE.values())
def test_access_ends_by_what_cannot_be_read(acted: Acted, name: str) -> None:
    acted.is_taken(name, SOON)


def test_what_was_withdrawn_goes(acted: Acted) -> None:
    acted.is_gone("areq", "wordy-withdrawn", acted.place.users, SOON)
    for name in ("wordy-ungranted", "note-ungranted"):
        acted.is_gone("agrant", f"for-{name}", acted.place.makers, SOON)


# Nothing is taken, nothing is given, and it is said.

STRANGE = tuple(source for source in SOURCES if source not in ("nbsp", "hall"))
KEPT = (*(f"{source}-kept" for source in STRANGE), "wordy-kept", "note-kept")


@pytest.mark.parametrize("name", [*KEPT, "nbsp-kept", "hall-kept"])
def test_what_runs_goes_on(acted: Acted, name: str) -> None:
    access = acted.access[name]
    acted.is_taken("note-ended", SOON)
    assert access.reads()
    assert Access.of(acted.place.mesh, access.deal).secret == access.secret


@pytest.mark.parametrize("name", KEPT)
def test_what_runs_says_what_it_rests_on(acted: Acted, name: str) -> None:
    word = "StoreNotReady" if name == "stored-kept" else "Unreadable"
    acted.within(LOOKED, lambda: word in str(request(acted, name)["status"]["conditions"]), f"the word of {name}")


@pytest.mark.parametrize("name", [*(f"{source}-late" for source in STRANGE), "note-late"])
def test_nothing_new_is_given(acted: Acted, name: str) -> None:
    acted.is_taken("note-ended", SOON)
    acted.within(SOON, lambda: condition_of(request(acted, name)), f"a word on {name}")
    assert condition_of(request(acted, name))["status"] != "True"
    assert not acted.place.mesh.installed.get("secret", name, users(acted, name))


SPOILT = {
    **{name: ("dp", name, "odd-makers") for name in ("sunset", "freeze", "append")},
    **{name: ("dom", name, "") for name in LATER_DOMAINS},
    "odd": ("ostore", "odd", ""),
    "wordy-kept": ("areq", "wordy-kept", "odd-users"),
    "note-kept": ("agrant", "for-note-kept", "odd-makers"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_cannot_be_read_says_so(acted: Acted, name: str) -> None:
    see = partial(acted.place.mesh.installed.get, *SPOILT[name])
    acted.within(SOON, lambda: condition_of(see()).get("reason") in ("Unreadable", "InvalidSpec"), f"the word of {name}")
    assert condition_of(see(), "Stalled")["status"] == "True"
    assert "; checked again within " in condition_of(see(), "Stalled")["message"]
    assert condition_of(see(), "DriftDetected").get("reason") != "InSync", "nobody has looked"


@pytest.mark.parametrize(("kind", "name", "namespace"), [("dp", "nbsp", "odd-makers"), ("dom", SPACED_DOMAIN, "")])
def test_a_no_break_space_is_read(acted: Acted, kind: str, name: str, namespace: str) -> None:
    """As the API server took it; the product there and in that domain goes on giving."""
    acted.within(SOON, lambda: is_true(kind, name, namespace, acted), f"{name} is Ready")
    late = {"nbsp": "nbsp-late"}.get(name, "hall-late")
    acted.within(SOON, lambda: is_true("areq", late, acted.place.users, acted), f"{late} is given")


def test_what_one_consumer_wrote_disturbs_no_product(acted: Acted) -> None:
    """The words of its request are too many for whoever lists them."""
    acted.place.mesh.nudge("plain", acted.place.makers, token="looked")
    assert acted.place.mesh.condition("plain", acted.place.makers)["status"] == "True"


# What is being deleted.


@pytest.mark.parametrize("name", LEAVING)
def test_what_is_being_deleted_gives_nobody_more(acted: Acted, name: str) -> None:
    place, access = acted.place, acted.access[name]
    acted.is_taken("note-ended", SOON)
    see = partial(place.mesh.installed.get, "agrant", f"for-{name}", place.makers)
    acted.within(SOON, lambda: "validUntil" in see().get("status", {}), "the end that the grant tells")
    grant = see()
    end = datetime.fromisoformat(grant["metadata"]["creationTimestamp"]) + timedelta(days=30)
    assert access.request()["status"]["validUntil"] == grant["status"]["validUntil"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert condition_of(request(acted, f"{name}-late")).get("status") != "True"
    assert not place.grants_of(f"{name}-late")


@pytest.mark.parametrize("name", LEAVING)
def test_what_is_being_deleted_destroys_no_more_than_before(acted: Acted, name: str) -> None:
    place, access = acted.place, acted.access[name]
    place.delete("areq", name, f"{name}-late", namespace=place.users)
    place.mesh.installed.until(lambda: not place.mesh.product(name, place.makers), what=f"the end of {name}")
    assert is_allowed(lambda: place.mesh.s3.head_object(Bucket=access.secret["bucket"], Key=access.seed))


# Repaired, and too much of it.


def test_what_can_be_read_again_is_as_before(odd: Odd, acted: Acted) -> None:
    acts.repair(odd)
    repaired = Acted(acted.place, acted.access)
    repaired.within(LOOKED, partial(is_true, "dp", "sunset", odd.main.makers, acted), "the product is Ready")
    for name in ("sunset-late", "tower-late", "guests-late"):
        repaired.within(LOOKED, partial(is_true, "areq", name, users(acted, name), acted), f"{name} is given")
    for name in ("sunset-kept", "tower-kept", "guests-kept"):
        assert Access.of(acted.place.mesh, acted.access[name].deal).secret == acted.access[name].secret


def is_true(kind: str, name: str, namespace: str, acted: Acted) -> bool:
    return condition_of(acted.place.mesh.installed.get(kind, name, namespace)).get("status") == "True"


@pytest.fixture
def many(acted: Acted) -> Iterator[None]:
    """Most grants cannot be read, for a while."""
    fillers = [f"filler-{number:02}" for number in range(FILLERS)]
    patch = ("patch", "agrant", *fillers, "-n", acted.place.makers, "--type=merge", "-p")
    try:
        acted.place.kubectl(*patch, json.dumps({"spec": {"note": acts.WORDY}}))
        yield
    finally:
        acted.place.kubectl(*patch, '{"spec":{"note":"short"}}')


@pytest.mark.usefixtures("many")
def test_nothing_is_taken_where_much_cannot_be_read(acted: Acted) -> None:
    installed, access = acted.place.mesh.installed, acted.access["mass"]
    installed.until(lambda: not is_ready(acted.place.mesh), seconds=LOOKED, what="the operator is not ready")
    assert not acted.place.patch("agrant", "for-mass", {"decision": "Refuse"})
    end = time.monotonic() + 5
    installed.until(lambda: not access.reads() or time.monotonic() > end, what="some time")
    assert access.reads()


def is_ready(mesh: Actors) -> bool:
    deployment = mesh.installed.get("deployment", "clouddatamesh", NAMESPACE)
    port = deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return False
    return True


def test_it_is_taken_where_most_can_be_read(acted: Acted) -> None:
    acted.place.mesh.installed.until(lambda: is_ready(acted.place.mesh), seconds=LOOKED, what="the operator is ready")
    assert not acted.place.patch("agrant", "for-mass", {"decision": "Refuse"})
    Acted(acted.place, acted.access).is_taken("mass", SOON)
