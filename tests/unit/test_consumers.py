"""What is read from raw requests: who asks for what, who waits for an answer, and whose access has clearly lost its ground."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import consumers
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.unit.access_scene import END, MADE, NOW

REF: Final = {"namespace": "sales", "name": "inventory-forecast", "uid": "uid-grant"}
EARLIER: Final = "2026-01-15T00:00:00Z"
LATER: Final = "2026-02-20T00:00:00Z"
ORDERS: Final = Key("DataProduct", "sales", "orders")
FORECAST: Final = Key("DataProduct", "inventory", "forecast")
GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")


def condition(type_: str, status: str, reason: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason}


def with_status(manifest: Manifest, **status: Any) -> Manifest:
    return {**manifest, "status": status}


def with_metadata(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


def ready(reason: str, status: str = "Unknown") -> list[dict[str, str]]:
    return [condition("Ready", status, reason)]


def test_who_asks_for_what() -> None:
    request = a_request(outputPort={"name": "daily", "version": "2.3.4"})
    assert consumers.asked_product(request) == ORDERS
    assert consumers.asked_port(request) == ("daily", "2")
    assert consumers.consumer_key(request) == FORECAST
    account = a_request(consumer={"serviceAccountRef": {"name": "loader"}})
    assert consumers.consumer_key(account) == Key("ServiceAccount", "inventory", "loader")


def test_an_object_that_says_nothing_is_nobodys() -> None:
    empty: Manifest = {"metadata": {"namespace": "inventory", "name": "x"}}
    assert not consumers.has_access(empty)
    assert not consumers.is_in_effect(empty)
    assert not consumers.is_pending(empty)
    assert not consumers.ends_now(empty, lambda _: None, parse_time(NOW))
    assert consumers.standing_of(None) == ()
    assert consumers.pending_entry(empty).keys() == {"namespace", "name", "outputPort", "consumer"}


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
        ("granted, and a renewal is asked", LATER, {"conditions": ready(reasons.GRANTED, "True"), "decidedAt": MADE}, True),
        ("ended, and a renewal is asked", LATER, {"conditions": ready(reasons.EXPIRED), "decidedAt": MADE}, True),
        ("refused, and a renewal is asked", LATER, {"conditions": ready(reasons.DENIED, "False"), "decidedAt": MADE}, False),
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


def test_a_line_of_the_worklist() -> None:
    request = with_status(a_request(renewal={"reason": "it goes on", "requestedAt": LATER}), digest="1f3a")
    assert consumers.pending_entry(request) == {
        "namespace": "inventory",
        "name": "orders-for-forecast",
        "outputPort": "daily/1.0.0",
        "mode": "ReadOnly",
        "consumer": "DataProduct inventory/forecast",
        "purpose": "weekly stock forecast",
        "duration": "90d",
        "renewal": "it goes on",
        "digest": "1f3a",
    }
    assert consumers.pending_entry(a_request(permanent=True, duration=None))["duration"] == "permanent"


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


STANDING: Final = with_status(a_request(), grantRef=REF, validUntil=END)
WORLD: Final[dict[Key, Manifest]] = {
    ORDERS: a_product(),
    FORECAST: a_product("forecast", "inventory"),
    GRANT: with_metadata(a_grant(), uid="uid-grant"),
}


def ends(request: Manifest = STANDING, now: str = NOW, **changed: Manifest | None) -> bool:
    """Whether it ends, with the product, the consumer or the grant changed."""
    named = {"product": ORDERS, "consumer": FORECAST, "grant": GRANT}
    world = {**WORLD, **{named[what]: manifest for what, manifest in changed.items()}}
    return consumers.ends_now(request, world.get, parse_time(now))


def _grant(**spec: Any) -> Manifest:
    return with_metadata(a_grant(**spec), uid="uid-grant")


@pytest.mark.parametrize(
    ("over", "look"),
    [
        (False, ends),
        (False, lambda: ends(a_request())),
        (True, lambda: ends(with_metadata(STANDING, deletionTimestamp=NOW))),
        (True, lambda: ends(now=END)),
        (False, lambda: ends(with_status(a_request(), grantRef=REF), now=END)),
        (True, lambda: ends(grant=None)),
        (True, lambda: ends(grant=with_metadata(a_grant(), uid="another"))),
        (True, lambda: ends(grant=with_metadata(_grant(), deletionTimestamp=NOW))),
        (True, lambda: ends(grant=_grant(decision="Deny", validUntil=None))),
        (True, lambda: ends(grant=_grant(validUntil=NOW))),
        (False, lambda: ends(grant=_grant(validUntil=END))),
        (False, lambda: ends(grant=_grant(validUntil=None, permanent=True))),
        (True, lambda: ends(product=None)),
        (True, lambda: ends(product=a_product(lifecycle="retired"))),
        (True, lambda: ends(product=a_product(lifecycle="draft"))),
        (False, lambda: ends(product=a_product(lifecycle="deprecated"))),
        (False, lambda: ends(product=with_metadata(a_product(), deletionTimestamp=NOW))),
        (True, lambda: ends(product=with_metadata(annotated(a_product(), force_delete="orders"), deletionTimestamp=NOW))),
        (False, lambda: ends(product=annotated(a_product(), force_delete="orders"))),
        (True, lambda: ends(consumer=None)),
    ],
)
def test_the_quick_look_sees_what_has_clearly_ended(over: bool, look: Callable[[], bool]) -> None:
    assert look() is over


WHOLE: Final[dict[str, Any]] = {"consumerNamespace": "inventory", "requestRef": None, "outputPort": None, "consumer": None, "mode": None}


@pytest.mark.parametrize(
    ("refused", "spec"),
    [
        (True, {}),
        (False, {"decision": "Approve"}),
        (False, {"dataProductRef": {"name": "returns"}}),
        (False, {"outputPort": {"name": "daily", "version": "2.0.0"}}),
        (True, {"outputPort": {"name": "daily", "version": "1.5.0"}}),
        (False, {"mode": "ReadWrite"}),
        (False, {"consumer": {"serviceAccountRef": {"name": "forecast"}}}),
        (True, WHOLE),
        (True, {**WHOLE, "outputPort": {"name": "daily", "version": "1.0.0"}}),
        (False, {**WHOLE, "outputPort": {"name": "hourly", "version": "1.0.0"}}),
    ],
)
def test_the_quick_look_sees_a_refusal(refused: bool, spec: dict[str, Any]) -> None:
    """Of the grants that name the request or its namespace."""
    denial = a_grant(**{"decision": "Deny", "validUntil": None, **spec})
    assert consumers.is_refused(STANDING, [a_grant("yes"), denial]) is refused
    assert not consumers.is_refused(a_request(), [denial])
    assert not consumers.is_refused(STANDING, [with_metadata(denial, deletionTimestamp=NOW)])


def test_the_quick_look_reads_ends_in_any_zone() -> None:
    just = parse_time(END) - timedelta(seconds=1)
    request = with_status(a_request(), grantRef=REF, validUntil="2026-04-01T02:00:00+02:00")
    assert not consumers.ends_now(request, WORLD.get, just)
    assert consumers.ends_now(request, WORLD.get, parse_time(END))
