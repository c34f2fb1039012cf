"""What an AccessRequest's status tells where nothing is given: why, whether what there was is gone, and what is still remembered of it."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Place
from clouddatamesh.model.evidence import Absent, Present, Seen
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.takeover import FormerUser
from clouddatamesh.plan import names
from tests.unit.access_scene import END, MADE, NOW, approve, deny, going, read
from tests.unit.request_scene import GIVEN, NEVER, SILENT, condition, in_effect, look, said, told, user

GONE: Final[dict[str, Any]] = {"principal": Absent(), "secret": Absent()}
NONE: Final[dict[str, Any]] = {"answers": ()}
"""No grant answers the request, as where it was deleted."""
REFUSED: Final[dict[str, Any]] = {"answers": (read(deny()),)}
PASSED: Final[dict[str, Any]] = {"now": parse_time(END)}
EMPTY: Final[dict[str, Any]] = {**NEVER, "place": None, "principal": None, "accessKeyId": None, "rotatedAt": None, "grantRef": None}
"""Status of a request that never had access."""
RECORD: Final = {"grantRef", "place", "principal", "accessKeyId", "rotatedAt"}
ASK_AGAIN: Final = "Access was taken away, as its grant is gone. To ask the owners again, set spec.renewal"
SEES: Final = "The owners of DataProduct sales/orders have not answered; they see the request in AccessInbox orders"


@pytest.mark.parametrize(
    ("state", "parts", "conditions", "stalled"),
    [
        # Access was given, and is gone.
        (GIVEN, {**NONE, **GONE}, {"Ready": "False Revoked", "Provisioned": "False Revoked"}, True),
        (GIVEN, {**REFUSED, **GONE}, {"Ready": "False Denied", "Provisioned": "False Revoked", "Denied": "True Denied"}, True),
        (GIVEN, {**PASSED, **GONE}, {"Ready": "False Expired", "Provisioned": "False Expired", "Expired": "True Expired"}, True),
        (GIVEN, {"offer": None, **GONE}, {"Ready": "Unknown ProductNotFound", "Provisioned": "False Revoked"}, False),
        # It was given, and is not seen to be gone.
        (GIVEN, NONE, {"Ready": "Unknown Revoked", "Provisioned": "Unknown Revoked"}, False),
        (GIVEN, {**NONE, "principal": SILENT}, {"Ready": "Unknown Revoked", "Provisioned": "Unknown Revoked"}, False),
        (GIVEN, REFUSED, {"Ready": "Unknown Denied", "Provisioned": "Unknown Revoked", "Denied": "True Denied"}, False),
        (GIVEN, PASSED, {"Ready": "Unknown Expired", "Provisioned": "Unknown Expired", "Expired": "True Expired"}, False),
        # It never was given.
        (EMPTY, {**NONE, **GONE}, {"Ready": "Unknown AwaitingGrant"}, False),
        (EMPTY, {**NONE, "principal": SILENT}, {"Ready": "Unknown AwaitingGrant"}, False),
        (EMPTY, {**REFUSED, **GONE}, {"Ready": "False Denied", "Denied": "True Denied"}, True),
        (EMPTY, {"offer": None, **GONE}, {"Ready": "Unknown ProductNotFound"}, False),
        (NEVER, {**NONE, **GONE}, {"Ready": "Unknown AwaitingGrant"}, False),
        (NEVER, NONE, {"Ready": "Unknown AwaitingGrant", "Provisioned": "Unknown Revoked"}, False),
    ],
    ids=["revoked", "refused", "expired", "the product is gone", "revoked, and the user is there", "revoked, and the store is silent",
         "refused, and the user is there", "expired, and the user is there", "nobody answered", "nobody answered, and the store is silent",
         "refused at once", "there never was a product", "begun, and gone", "begun, and the user is there"],
)  # fmt: skip
def test_why_nothing_is_given_and_whether_anything_is_left(
    state: dict[str, Any], parts: dict[str, Any], conditions: dict[str, str], stalled: bool
) -> None:
    """Nobody is told that access is gone before that was seen."""
    ask, world = in_effect(**state)
    outcome = look(ask, world, **parts)
    assert (said(outcome), outcome.stalled) == (conditions, stalled)
    assert (told(outcome, "Provisioned") == f"The store has no user {ask.principal} of this request any more") is (
        conditions.get("Provisioned", "").startswith("False")
    )


def test_a_user_of_somebody_else_under_that_name_is_not_access_that_is_left() -> None:
    """What is not this request's is left alone and not waited for."""
    ask, world = in_effect()
    foreign = user(world, path="/clouddatamesh/other/", tags=(), keys=())
    assert said(look(ask, world, **{**NONE, "principal": foreign, "secret": Absent()}))["Provisioned"] == "False Revoked"


# What is remembered.


@pytest.mark.parametrize(
    ("state", "parts", "kept"),
    [
        (GIVEN, {**NONE, **GONE}, {"validFrom", "decidedAt", "decisionNote"}),
        (GIVEN, {**REFUSED, **GONE}, {"validFrom", "decidedAt", "decisionNote"}),
        (GIVEN, {**PASSED, **GONE}, {"validFrom", "decidedAt", "decisionNote", "validUntil"}),
        (GIVEN, {**NONE, "principal": Absent()}, {"validFrom", "decidedAt", "decisionNote", "binding"}),
        ({**GIVEN, "binding": None}, {**NONE, "principal": Absent()}, {"validFrom", "decidedAt", "decisionNote"}),
        (GIVEN, NONE, {*GIVEN, *RECORD}),
        (EMPTY, {**NONE, **GONE}, set()),
        (EMPTY, {**REFUSED, **GONE}, set()),
    ],
    ids=["revoked", "refused", "expired", "revoked, and the Secret is there", "the Secret was never told", "revoked, and the user is there",
         "nobody answered", "refused at once"],
)  # fmt: skip
def test_what_is_remembered_of_access_that_ended(state: dict[str, Any], parts: dict[str, Any], kept: set[str]) -> None:
    """The record stays until the user was seen to be gone, the name of the Secret until that is."""
    outcome = look(*in_effect(**state), **parts)
    assert {*outcome.fields} == {"digest", *kept}
    assert all(outcome.fields[name] == GIVEN[name] for name in kept & {*GIVEN})


@pytest.mark.parametrize(
    ("grants", "state", "until"),
    [
        ((approve(validUntil="2026-02-15T00:00:00Z"),), {}, "2026-02-15T00:00:00Z"),
        ((), {"validUntil": MADE}, MADE),
        ((), {"validUntil": None}, None),
    ],
    ids=["the grant still says when", "the grant was deleted", "nobody knows when"],
)
def test_access_that_time_ended_tells_its_end(grants: tuple[Any, ...], state: dict[str, Any], until: str | None) -> None:
    """By the grant while there is one, else by what was told before."""
    ask, world = in_effect(conditions=[condition("Expired")], **state)
    outcome = look(ask, world, answers=tuple(map(read, grants)), **GONE)
    assert (said(outcome)["Ready"], outcome.fields.get("validUntil")) == ("False Expired", until)
    assert "validUntil" in outcome.fields or until is None


@pytest.mark.parametrize(
    ("state", "parts", "expired"),
    [
        ([], {"offer": None}, ""),
        ([condition("Expired")], {"offer": None}, "The end of an earlier grant has passed"),
        ([condition("Expired")], {}, ""),
        ([], {"answers": (read(approve(validUntil=NOW)),)}, "The end of the grant has passed; ask again with spec.renewal"),
        ([condition("Expired")], REFUSED, "The end of an earlier grant has passed"),
        ([], {"answers": (read(approve(validUntil=NOW)),), "product_home": None}, "The end of an earlier grant has passed"),
    ],
    ids=["it never ended", "it ended, and the product is gone", "it was given again", "it ends now", "it ended, and was refused",
         "it ends now while nothing is given"],
)  # fmt: skip
def test_that_an_earlier_grant_ended_is_remembered_until_access_is_given_again(
    state: list[dict[str, Any]], parts: dict[str, Any], expired: str
) -> None:
    """Else a port that approves by itself would give again what had ended."""
    ask, world = in_effect(conditions=state)
    outcome = look(ask, world, **parts)
    assert (told(outcome, "Expired"), [found.type for found in outcome.findings].count("Expired")) == (expired, 1 if expired else 0)


def test_while_an_older_approval_is_not_marked_the_newer_one_stays_held() -> None:
    """Else the older one, which lasts longer, would give again what the owner just ended."""
    newer, older = going(approve(made="2026-02-26T00:00:00Z")), approve("older")
    ask, world = in_effect()
    outcome = look(ask, world, **{"answers": (read(newer), read(older)), **GONE})
    assert (said(outcome)["Ready"], outcome.fields["grantRef"]["name"]) == ("False Revoked", "yes")


# What the consumer can do.


@pytest.mark.parametrize(
    ("renewal", "decided", "way_on"),
    [
        (None, MADE, ASK_AGAIN),
        (None, None, ASK_AGAIN),
        ("2026-01-31T00:00:00Z", MADE, ASK_AGAIN),
        (MADE, MADE, ASK_AGAIN),
        ("2026-02-25T00:00:00Z", None, ASK_AGAIN),
        ("2026-02-25T00:00:00Z", MADE, f"Access was taken away, as its grant is gone. {SEES}"),
    ],
    ids=["no renewal", "no decision is known", "an earlier renewal", "one that was answered at once", "none is known, and one is asked",
         "a renewal since then"],
)  # fmt: skip
def test_what_a_consumer_is_told_whose_grant_was_taken_back(renewal: str | None, decided: str | None, way_on: str) -> None:
    """The owners see the request again once a renewal is asked."""
    moments = {"renewal_at": parse_time(renewal) if renewal else None, "decided_at": parse_time(decided) if decided else None}
    ask, world = in_effect()
    assert look(ask, world, facts=moments, **{**NONE, **GONE}).ready.message == way_on


def test_a_port_that_approves_by_itself_is_not_asked_again() -> None:
    """It answers without a renewal."""
    ask, world = in_effect(access={"approval": "Auto"})
    assert look(ask, world, **{**NONE, **GONE}).ready.message == "Access was taken away, as its grant is gone. The port approves by itself"


# A store that was given up.

LEFT: Final = "ObjectStore main was given up while the principal was in it; its key may work"


@pytest.mark.parametrize(
    ("facts", "left", "remembered"),
    [
        ({}, None, None),
        ({"abandoned": "main"}, None, ("main", None)),
        ({"abandoned": "main", "abandoned_id": "s1"}, None, ("main", "s1")),
        ({"abandoned": "main", "abandoned_id": "s1"}, SILENT, ("main", "s1")),
        ({"abandoned": "main", "abandoned_id": "s1"}, Absent(), None),
        ({"abandoned": "main", "place": Place("other", "b", "p/")}, None, ("main", None)),
        ({"abandoned": "main", "place": Place("main", "b", "p/", "s1")}, None, None),
        ({"abandoned": "main", "abandoned_id": "s1", "place": Place("main", "b", "p/", "s1")}, None, None),
        ({"abandoned": "main", "abandoned_id": "s1", "place": Place("main", "b", "p/", "s2")}, None, ("main", "s1")),
    ],
    ids=["none was", "one was", "it is known which", "it is here again and silent", "the user is gone there", "access is in another store",
         "access is in it again", "access is in the same store again", "access is in another store of that name"],
)  # fmt: skip
def test_a_store_that_was_given_up_is_told_of_until_the_user_is_gone_there(
    facts: dict[str, Any], left: Seen[Principal] | None, remembered: tuple[str, str | None] | None
) -> None:
    """Its key may work, whatever became of the grant."""
    ask, world = in_effect(**EMPTY)
    outcome = look(ask, world, facts={"place": None, **facts}, **{**NONE, **GONE, "left": left})
    fields = outcome.fields
    assert (fields.get("abandoned"), fields.get("abandonedStoreId")) == (remembered or (None, None))
    assert ("abandonedStoreId" in fields) is bool(remembered and remembered[1])
    assert (said(outcome).get("Provisioned"), told(outcome, "Provisioned")) == (("Unknown Abandoned", LEFT) if remembered else (None, ""))
    assert outcome.ready.message == (f"{SEES}. {LEFT}" if remembered else SEES)


def test_of_access_that_was_taken_what_is_left_in_a_lost_store_is_said_first() -> None:
    """The way on follows."""
    ask, world = in_effect()
    outcome = look(ask, world, facts={"place": None, "abandoned": "main"}, **{**NONE, **GONE})
    assert (said(outcome)["Ready"], outcome.stalled) == ("False Abandoned", True)
    assert outcome.ready.message == f"Nothing is given any more. {LEFT}. To ask the owners again, set spec.renewal"


# A lost cluster's user.

LOST: Final = "11111111-2222-3333-4444-555555555555"
PATH: Final = names.principal_path("acme", LOST)


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (Present(Principal("former", PATH)), True),
        (SILENT, True),
        (Absent(), False),
        (Present(Principal("former", "/somebody/")), False),
    ],
    ids=["it is there", "it cannot be read", "it is gone", "it is somebody else's"],
)
def test_access_is_not_gone_while_a_lost_clusters_user_may_work(seen: Seen[Principal], left: bool) -> None:
    """Its key may be in use."""
    ask, world = in_effect()
    outcome = look(ask, world, formers=(FormerUser(LOST, PATH, "former", seen),), **{**NONE, **GONE})
    assert said(outcome)["Provisioned"] == ("Unknown Revoked" if left else "False Revoked")
    assert (told(outcome, "Provisioned") == "What a lost cluster gave was not seen to be gone yet") is left


def test_without_a_record_a_silent_store_holds_nothing() -> None:
    """Nothing was made, so nothing is waited for."""
    ask, world = in_effect()
    outcome = look(replace(ask, place=None), world, **{**NONE, "principal": SILENT, "secret": Absent()})
    assert said(outcome)["Provisioned"] == "False Revoked"
