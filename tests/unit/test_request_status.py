"""What an AccessRequest's status tells of access that is given: what was read back, its keys, its end, and when that is near."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Home
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.takeover import FormerUser, TakeOver
from clouddatamesh.plan import names
from tests.support.worlds import the_store
from tests.unit.access_scene import END, MADE, NOW, TOO_LONG, approve, read
from tests.unit.request_scene import GIVEN, NEVER, SILENT, condition, in_effect, look, moved, said, switched_off, told, user

MADE_READY: Final = {"Ready": "True Granted", "Approved": "True Granted", "Provisioned": "True Ready", "DriftDetected": "False InSync"}
BEING_MADE: Final = {**dict.fromkeys(("Ready", "Provisioned", "DriftDetected"), "Unknown Reconciling"), "Approved": "True Granted"}


def test_access_that_was_read_back_is_ready_and_says_until_when() -> None:
    """All of its record is told."""
    ask, world = in_effect()
    outcome = look(ask, world)
    assert (said(outcome), outcome.stalled) == (MADE_READY, False)
    assert outcome.ready.message == f"Secret orders-access gives access until {END}"
    assert outcome.fields == {
        "digest": outcome.fields["digest"],
        "grantRef": {"namespace": "sales", "name": "yes", "uid": "uid-yes"},
        "place": {"store": "main", "bucket": "acme-orders", "path": "daily/"},
        "principal": ask.principal,
        "accessKeyId": "A",
        "rotatedAt": MADE,
        **{name: value for name, value in GIVEN.items() if name != "decisionNote"},
    }


@pytest.mark.parametrize("missing", ["user", "policy", "key", "active key", "secret"])
def test_access_of_which_something_is_missing_is_being_made(missing: str) -> None:
    """Nobody is told that it works, nor that nothing differs."""
    ask, world = in_effect()
    every: dict[str, dict[str, Any]] = {
        "user": {"principal": Absent()},
        "policy": {"principal": user(world, policy=None)},
        "key": {"principal": user(world, keys=())},
        "active key": {"principal": user(world, keys=switched_off("A"))},
        "secret": {"secret": Absent()},
    }
    outcome = look(ask, world, **every[missing])
    assert (said(outcome), outcome.stalled) == (BEING_MADE, False)
    assert told(outcome, "DriftDetected") == told(outcome, "Provisioned")


def test_access_without_end_tells_none() -> None:
    """Nor is it reconciled again by time."""
    ask, world = in_effect(access={"allowPermanent": True})
    outcome = look(ask, world, answers=(replace(read(approve(permanent=True)), note="agreed"),))
    assert outcome.ready.message == "Secret orders-access gives access without end"
    assert ("validUntil" in outcome.fields, outcome.fields["decisionNote"], outcome.due) == (False, "agreed", None)


@pytest.mark.parametrize(
    ("now", "before", "trusted", "expiring"),
    [
        ("2026-03-17T23:59:59Z", False, True, False),
        ("2026-03-17T23:59:59Z", True, True, False),
        ("2026-03-18T00:00:00Z", False, True, True),
        ("2026-03-18T00:00:00Z", False, False, False),
        ("2026-03-17T23:59:59Z", True, False, True),
    ],
    ids=[
        "15 days before",
        "it was near, and the grant was prolonged",
        "14 days before",
        "by a clock that is not trusted",
        "it was said before",
    ],
)
def test_an_end_that_is_near_is_told(now: str, before: bool, trusted: bool, expiring: bool) -> None:
    """By a clock that is not trusted nothing changes."""
    ask, world = in_effect(conditions=[condition("Expiring")] if before else [])
    outcome = look(ask, world, now=parse_time(now), is_time_trusted=trusted)
    assert ("Expiring" in said(outcome)) is expiring
    assert told(outcome, "Expiring") == (f"Access ends {END}; ask for more time with spec.renewal" if expiring else "")


@pytest.mark.parametrize(
    ("state", "access", "due"),
    [
        ({}, {}, "2026-03-18T00:00:00Z"),
        ({"now": "2026-03-18T00:00:00Z"}, {}, END),
        ({}, {"rotateAfter": "30d"}, "2026-03-03T00:00:00Z"),
        ({}, {"rotateAfter": "28d"}, "2026-03-18T00:00:00Z"),
        ({"rotation": {"accessKeyId": "B", "until": "2026-03-01T00:30:00Z"}}, {}, "2026-03-01T00:30:00Z"),
        ({"rotation": {"accessKeyId": "B", "until": NOW}}, {}, "2026-03-18T00:00:00Z"),
    ],
    ids=[
        "its end is near",
        "its end",
        "its key is to be replaced",
        "exactly now",
        "a former key ends",
        "it ended exactly now",
    ],
)
def test_it_is_reconciled_again_when_time_alone_changes_something(state: dict[str, Any], access: dict[str, Any], due: str) -> None:
    """The next such moment; what is due now is not waited for."""
    ask, world = in_effect("AB" if "rotation" in state else "A", access=access, **state)
    assert look(ask, world).due == parse_time(due)


# Keys.


@pytest.mark.parametrize(
    ("lies", "told_key", "issued", "trusted", "rotated"),
    [
        ("A", "A", MADE, True, MADE),
        ("A", "A", None, True, NOW),
        ("A", "A", "2026-03-09T00:00:00Z", True, NOW),
        ("B", "A", MADE, True, NOW),
        ("B", "A", MADE, False, None),
        ("A", "A", MADE, False, MADE),
        ("A", None, None, True, NOW),
    ],
    ids=["the same key", "it is not known", "it lies ahead", "a new key", "a new key by a clock that is not trusted",
         "the same by such a clock", "the first key"],
)  # fmt: skip
def test_since_when_a_key_is_used(lies: str, told_key: str | None, issued: str | None, trusted: bool, rotated: str | None) -> None:
    """From that moment its age is counted."""
    ask, world = in_effect("AB", lies=lies, accessKeyId=told_key, rotatedAt=issued)
    fields = look(ask, world, is_time_trusted=trusted).fields
    assert (fields["accessKeyId"], fields.get("rotatedAt")) == (lies, rotated)


@pytest.mark.parametrize(
    ("lies", "token", "before", "handled"),
    [("A", "2", "1", "1"), ("A", "", "1", "1"), ("A", "2", None, None), ("B", "2", "1", "2"), ("B", "", "1", None)],
    ids=["it is not done yet", "the annotation was removed", "none was handled", "a new key came", "a new key came without one"],
)
def test_a_token_counts_as_handled_once_there_is_a_new_key(lies: str, token: str, before: str | None, handled: str | None) -> None:
    """Else the key would be replaced again and again, or not at all."""
    assert look(*in_effect("AB", lies=lies, token=token, lastHandledRotate=before)).fields.get("lastHandledRotate") == handled


LATER: Final = "2026-03-01T00:30:00Z"


@pytest.mark.parametrize(
    ("keys", "rotation", "trusted", "shown"),
    [
        ("A", None, True, None),
        ("AB", {"accessKeyId": "B", "until": LATER}, True, {"accessKeyId": "B", "until": LATER}),
        ("A", {"accessKeyId": "B", "until": LATER}, True, {"accessKeyId": "B", "until": LATER}),
        ("AB", {"accessKeyId": "B", "until": MADE}, True, {"accessKeyId": "B", "until": MADE}),
        ("A", {"accessKeyId": "B", "until": MADE}, True, None),
        ("AC", {"accessKeyId": "B", "until": MADE}, True, None),
        ("A", {"accessKeyId": "B", "until": MADE}, False, {"accessKeyId": "B", "until": MADE}),
        ("AB", {"accessKeyId": "B"}, False, {"accessKeyId": "B"}),
        ("AB", {"accessKeyId": "B"}, True, {"accessKeyId": "B", "until": "2026-03-01T01:00:00Z"}),
    ],
    ids=["there is none", "it works", "it works and was not listed", "its time is over, and it is listed", "it is over and gone",
         "it is over and gone, and there is another", "over by a clock that is not trusted", "it has no end yet", "it gets an end"],
)  # fmt: skip
def test_a_key_that_was_replaced_is_told_of_while_it_may_work(
    keys: str, rotation: dict[str, Any] | None, trusted: bool, shown: dict[str, Any] | None
) -> None:
    """With its end, once a clock that is trusted says when that is."""
    ask, world = in_effect(keys, rotation=rotation)
    assert look(ask, world, is_time_trusted=trusted).fields.get("rotation") == shown


# What is recorded.


def test_the_place_is_told_once_the_policy_for_it_was_read_back() -> None:
    """Until then the record says what the principal does reach."""
    ask, world = in_effect()
    before, after = (look(ask, moved(ask, world, "public/", written=written)).fields for written in (False, True))
    assert (before["place"]["path"], after["place"]["path"]) == ("daily/", "public/")
    assert (before["accessKeyId"], after["accessKeyId"]) == ("A", "A")


def test_a_record_without_the_stores_id_gets_it() -> None:
    """So that the principal is not looked for in another store of that name."""
    ask, world = in_effect()
    store = the_store()
    known = store.model_copy(update={"status": store.status.model_copy(update={"store_id": "store-1"})})
    assert look(ask, world, store=known).fields["place"] == {
        "store": "main",
        "bucket": "acme-orders",
        "path": "daily/",
        "storeId": "store-1",
    }
    assert look(ask, world, store=known, principal=user(world, policy=())).fields["place"] == {
        "store": "main", "bucket": "acme-orders", "path": "daily/",
    }  # fmt: skip


@pytest.mark.parametrize("given", [True, False])
def test_without_a_key_status_tells_what_it_told_before(given: bool) -> None:
    """Of a first look nothing, of access that was given all of it."""
    ask, world = in_effect(**({} if given else {**NEVER, "place": None, "accessKeyId": None, "rotatedAt": None}))
    fields = dict(look(ask, world, secret=Absent()).fields)
    assert fields.pop("digest")
    assert {*fields} == {"grantRef", "principal", *(({*GIVEN, "place", "accessKeyId", "rotatedAt"}) if given else ())}


def test_access_that_is_kept_though_something_cannot_be_read_says_what() -> None:
    """Its record stays as it is, and it is reconciled again at its end."""
    ask, world = in_effect(lastHandledRotate="1", rotation={"accessKeyId": "B", "until": MADE})
    assert world.request is not None
    outcome = look(ask, world, consumer_home=Home("inventory", readable=False))
    assert said(outcome) == {"Ready": "False Unreadable", "Approved": "True Granted", "Provisioned": "Unknown Unreadable"}
    assert told(outcome, "Provisioned") == f"Kept as it was. {outcome.ready.message}"
    assert (outcome.stalled, outcome.due) == (True, parse_time(END))
    old = world.request.status.model_dump(by_alias=True, exclude_none=True)
    kept = (*GIVEN, "grantRef", "place", "principal", "accessKeyId", "rotatedAt", "lastHandledRotate")
    assert {name: outcome.fields[name] for name in kept} == {name: old[name] for name in kept}
    assert "Unreadable" not in said(look(ask, world, answers=(read(approve(note=TOO_LONG)),)))["Approved"]


# Renewal, and a lost cluster's user.


@pytest.mark.parametrize(
    ("renewal", "decided", "pending"),
    [(None, MADE, False), ("2026-02-25T00:00:00Z", MADE, True), (MADE, MADE, False), ("2026-03-02T00:00:00Z", MADE, False)],
    ids=["none is asked", "it is asked", "it was answered", "it is asked for tomorrow"],
)
def test_a_renewal_that_is_asked_is_told_with_where_the_owners_see_it(renewal: str | None, decided: str, pending: bool) -> None:
    """The consumer sees that it was noticed."""
    ask, world = in_effect()
    outcome = look(ask, world, facts={"renewal_at": parse_time(renewal) if renewal else None, "decided_at": parse_time(decided)})
    where = f"the owners of {ask.product} see it in AccessInbox orders"
    assert told(outcome, "RenewalPending") == (f"Renewal was requested at {renewal}; {where}" if pending else "")
    assert said(outcome).get("RenewalPending") == ("True AwaitingGrant" if pending else None)


LOST: Final = "11111111-2222-3333-4444-555555555555"
PATH: Final = names.principal_path("acme", LOST)


@pytest.mark.parametrize(
    ("secret", "seen", "until"),
    [
        (True, Present(Principal("former", PATH)), "2026-03-01T01:00:00Z"),
        (False, Present(Principal("former", PATH)), None),
        (True, SILENT, None),
        (True, Absent(), None),
    ],
    ids=["access was read back", "its own key is missing", "it cannot be read", "it is gone"],
)
def test_a_lost_clusters_user_works_for_an_hour_from_when_access_was_read_back(secret: bool, seen: Any, until: str | None) -> None:
    """Nobody loses access before the new key is in its Secret."""
    ask, world = in_effect()
    parts = {} if secret else {"secret": Absent()}
    outcome = look(ask, world, facts={"take_over": TakeOver()}, formers=(FormerUser(LOST, PATH, "former", seen),), **parts)
    assert outcome.fields.get("takeOver", {}).get("until") == until
    assert outcome.due == parse_time(until or "2026-03-18T00:00:00Z")
