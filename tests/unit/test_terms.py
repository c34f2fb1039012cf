"""What grants and ports mean, where the table of the decision does not show it: warnings, fingerprints, and a product that is gone."""

from datetime import timedelta
from typing import Any

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Home, Port
from clouddatamesh.plan.access.terms import (
    Difference,
    came_before,
    digest,
    find_differences,
    is_expiring,
    is_for_others,
    name_of,
    port_of,
    warns_at,
)
from tests.unit.access_scene import MADE, Scene, approve, deny, deny_all, read

PORT = Port("daily", "1", "1.0.0", "daily/", allow_permanent=True)
ASK = Scene().ask()


def test_a_product_that_is_gone_has_no_port() -> None:
    assert port_of(ASK, None) is None


@pytest.mark.parametrize(("end", "moment"), [("2026-06-01", "2026-05-18"), ("2026-02-11", "2026-02-06"), ("2026-03-01", "2026-02-15")])
def test_the_end_is_near_for_two_weeks_or_half_of_a_shorter_term(end: str, moment: str) -> None:
    grant, near = read(approve(validUntil=f"{end}T00:00:00Z")), parse_time(f"{moment}T00:00:00Z")
    assert warns_at(grant, PORT, ASK) == near
    assert (is_expiring(grant, PORT, ASK, near - timedelta(seconds=1)), is_expiring(grant, PORT, ASK, near)) == (False, True)


def test_no_end_is_never_near() -> None:
    assert warns_at(read(approve(permanent=True)), PORT, ASK) is None
    assert not is_expiring(read(approve(permanent=True)), PORT, ASK, parse_time("9000-01-01T00:00:00Z"))


def test_a_grant_that_is_older_than_its_end_warns_from_its_creation_on() -> None:
    grant = read(approve(validUntil=MADE))
    assert warns_at(grant, PORT, ASK) == parse_time(MADE)


def test_the_fingerprint_is_as_it_was() -> None:
    """It is in the status of living objects: a change here makes every owner look again."""
    assert digest(ASK) == "1cbffa6cb56a9d2b"


@pytest.mark.parametrize(
    "asks",
    [
        {"dataProductRef": {"namespace": "sales", "name": "returns"}},
        {"dataProductRef": {"namespace": "support", "name": "orders"}},
        {"outputPort": {"name": "hourly", "version": "1.0.0"}},
        {"outputPort": {"name": "daily", "version": "2.0.0"}},
        {"consumer": {"dataProductRef": {"name": "other"}}},
        {"consumer": {"serviceAccountRef": {"name": "forecast"}}},
        {"mode": "ReadWrite"},
    ],
    ids=str,
)
def test_the_fingerprint_tells_everything_that_a_yes_means(asks: dict[str, object]) -> None:
    assert digest(Scene(asks=asks).ask()) != digest(ASK)


@pytest.mark.parametrize(
    "asks",
    [
        {"outputPort": {"name": "daily", "version": "1.4.0"}},
        {"purpose": "something else"},
        {"duration": "10d"},
        {"secretName": "other"},
        {"renewal": {"requestedAt": MADE}},
    ],
    ids=str,
)
def test_the_fingerprint_tells_nothing_else(asks: dict[str, object]) -> None:
    assert digest(Scene(asks=asks).ask()) == digest(ASK)


def test_no_part_of_the_fingerprint_runs_into_the_next() -> None:
    one = {"dataProductRef": {"namespace": "a", "name": "b"}, "outputPort": {"name": "daily", "version": "1.0.0"}}
    other = {"dataProductRef": {"namespace": "a", "name": "b1"}, "outputPort": {"name": "daily", "version": "11.0.0"}}
    assert digest(Scene(asks=one).ask()) != digest(Scene(asks=other).ask())


def test_a_grant_is_named_with_its_namespace() -> None:
    assert name_of(read(approve())) == "sales/yes"


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({}, []),
        ({"dataProductRef": {"name": "returns"}}, ["dataProductRef"]),
        ({"outputPort": {"name": "hourly", "version": "1.0.0"}, "mode": "ReadWrite"}, ["outputPort", "mode"]),
        ({"requestRef": {"namespace": "inventory", "name": "other"}}, ["requestRef"]),
        ({"consumer": None, "mode": None, "outputPort": None}, ["outputPort", "consumer", "mode"]),
        ({"requestRef": None, "consumerNamespace": "inventory"}, ["consumerNamespace"]),
    ],
    ids=str,
)
def test_the_fields_in_which_an_approval_differs_are_named(spec: dict[str, Any], fields: list[str]) -> None:
    assert [one.field for one in find_differences(read(approve(**spec)), ASK)] == fields


def test_a_difference_says_what_both_say() -> None:
    told = find_differences(read(approve(mode="ReadWrite", outputPort={"name": "hourly", "version": "2.1.0"}, consumer=None)), ASK)
    assert list(told) == [
        Difference("outputPort", "hourly 2.x", "daily 1.x"),
        Difference("consumer", "", "DataProduct inventory/forecast"),
        Difference("mode", "ReadWrite", "ReadOnly"),
    ]


def test_a_refusal_of_a_namespace_repeats_no_more_than_it_refuses() -> None:
    assert list(find_differences(read(deny_all()), ASK)) == []
    (only,) = find_differences(read(deny_all(consumerNamespace="support")), ASK)
    assert only == Difference("consumerNamespace", "support", "inventory")
    assert list(find_differences(read(deny(consumer=None, mode=None, outputPort=None)), ASK)) == []


def test_which_of_two_approvals_came_before_is_always_the_same() -> None:
    grants = [
        read(approve("a", made="2026-01-31T00:00:00Z", permanent=True)),
        read(approve("b")),
        read(approve("c")),
        read(approve("a", validUntil="2026-05-01T00:00:00Z")),
        read(approve("a", permanent=True)),
        read(approve("b", permanent=True)),
        read(approve("a", made="2026-02-01T00:00:01Z", validUntil=MADE)),
    ]
    for place, grant in enumerate(grants):
        assert [came_before(grant, other) for other in grants] == [place < number for number in range(len(grants))]


@pytest.mark.parametrize(
    ("given_to", "home", "others"),
    [
        ({"domain": "inventory", "namespaceUid": "uid-inventory"}, Home("inventory"), False),
        ({"domain": "inventory", "namespaceUid": "uid-before"}, Home("inventory"), False),
        ({"domain": "support", "namespaceUid": "uid-before"}, Home("inventory"), True),
        ({"domain": "support", "namespaceUid": "uid-inventory"}, Home("inventory"), False),
        ({"domain": "support", "namespaceUid": "uid-before"}, None, False),
        ({}, Home("inventory"), False),
    ],
)
def test_a_domain_does_not_inherit_what_the_one_before_it_was_given(given_to: dict[str, str], home: Home | None, others: bool) -> None:
    world = Scene(consumer_home=home).world()
    assert is_for_others(read({**approve(), "status": {"consumer": given_to}}), world) is others
    assert not is_for_others(read({**deny(), "status": {"consumer": given_to}}), world)
