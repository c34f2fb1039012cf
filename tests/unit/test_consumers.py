"""What is read from raw requests: who has access, who waits for an answer, and what the product's inbox tells of them."""

from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access import consumers, inbox
from tests.support.manifests import a_request
from tests.unit.access_scene import MADE, NOW

REF: Final = {"namespace": "sales", "name": "inventory-forecast", "uid": "uid-grant"}
EARLIER: Final = "2026-01-15T00:00:00Z"
LATER: Final = "2026-02-20T00:00:00Z"


def condition(type_: str, status: str, reason: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason}


def with_status(manifest: Manifest, **status: Any) -> Manifest:
    return {**manifest, "status": status}


def with_metadata(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def ready(reason: str, status: str = "Unknown") -> list[dict[str, str]]:
    return [condition("Ready", status, reason)]


RENEWS: Final = condition("RenewalPending", "True", reasons.AWAITING_GRANT)


def test_an_object_that_says_nothing_is_nobodys() -> None:
    empty: Manifest = {"metadata": {"namespace": "inventory", "name": "x"}}
    assert not consumers.has_access(empty)
    assert not consumers.is_in_effect(empty)
    assert not consumers.is_pending(empty)
    assert consumers.standing_of(None) == ()
    assert not consumers.holds_principal(with_status(empty, conditions=ready(reasons.AWAITING_GRANT)))
    assert consumers.holds_principal(with_status(empty, **KIND_BY_NAME["AccessRequest"].initial_status))
    assert inbox.pending_entry(empty).keys() == {"namespace", "name", "outputPort", "consumer", "grant"}
    assert inbox.consumer_entry(empty).keys() == {"namespace", "name", "outputPort", "consumer"}


@pytest.mark.parametrize(
    ("status", "has", "effect"),
    [
        ({}, False, False),
        ({"grantRef": REF}, True, False),
        ({"grantRef": REF, "conditions": [condition("Provisioned", "False", "Revoked")]}, True, False),
        ({"grantRef": REF, "conditions": [condition("Provisioned", "True", "Ready")]}, True, True),
        ({"conditions": [condition("Provisioned", "True", "Ready")]}, False, False),
    ],
)
def test_access_is_what_is_recorded_and_in_effect_what_was_read_back(status: dict[str, Any], has: bool, effect: bool) -> None:
    request = with_status(a_request(), **status)
    assert (consumers.has_access(request), consumers.is_in_effect(request)) == (has, effect)


@pytest.mark.parametrize(
    ("what", "renewal", "status", "pending"),
    [
        ("not looked at yet", None, {}, False),
        ("nobody answered", None, {"conditions": ready(reasons.AWAITING_GRANT)}, True),
        ("granted", None, {"conditions": ready(reasons.GRANTED, "True"), "decidedAt": MADE}, False),
        ("refused", None, {"conditions": ready(reasons.DENIED, "False")}, False),
        ("ended", None, {"conditions": ready(reasons.EXPIRED, "False"), "decidedAt": MADE}, False),
        ("granted, and a renewal is asked", LATER, {"conditions": [*ready(reasons.GRANTED, "True"), RENEWS], "decidedAt": MADE}, True),
        ("ended, and a renewal is asked", LATER, {"conditions": [*ready(reasons.EXPIRED), RENEWS], "decidedAt": MADE}, True),
        ("never given, and a renewal is asked", LATER, {"conditions": [*ready(reasons.EXPIRED), RENEWS]}, True),
        ("refused, and a renewal is asked", LATER, {"conditions": [*ready(reasons.DENIED, "False"), RENEWS], "decidedAt": MADE}, False),
        ("the renewal was answered", EARLIER, {"conditions": ready(reasons.GRANTED, "True"), "decidedAt": MADE}, False),
        ("answered in the second that it was asked", MADE, {"conditions": ready(reasons.GRANTED, "True"), "decidedAt": MADE}, False),
        ("a renewal before the first answer", LATER, {"conditions": ready(reasons.AWAITING_GRANT)}, True),
        ("a renewal of what was not looked at", LATER, {"decidedAt": MADE}, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_waits_for_the_owner(what: str, renewal: str | None, status: dict[str, Any], pending: bool) -> None:
    request = with_status(a_request(renewal={"requestedAt": renewal} if renewal else None), **status)
    assert consumers.is_pending(request) is pending, what
    assert not consumers.is_pending(with_metadata(request, deletionTimestamp=NOW))


def test_consumers_are_counted_by_major_version() -> None:
    versions = ("1.0.0", "1.9.0", "2.0.0")
    standing = [with_status(a_request(outputPort={"name": "daily", "version": version}), grantRef=REF) for version in versions]
    assert consumers.count_by_port([*standing, a_request()]) == {("daily", "1"): 2, ("daily", "2"): 1}


def test_others_see_a_change_of_grant_or_standing_and_nothing_else() -> None:
    plain = with_status(a_request(), grantRef=REF, conditions=ready(reasons.GRANTED, "True"), digest="1")
    other = with_status(
        a_request(), grantRef=REF, conditions=[*ready(reasons.GRANTED, "True"), condition("Expiring", "True", "x")], digest="2"
    )
    lost = with_status(a_request(), grantRef=REF, conditions=ready(reasons.DENIED, "False"))
    assert consumers.standing_of(plain) == consumers.standing_of(other) != consumers.standing_of(lost)
