"""What grants and ports mean, where the table of the decision does not show it: warnings, fingerprints, and a product that is gone."""

from datetime import timedelta

import pytest
from clouddatamesh.plan.terms import Port, digest, is_expiring, port_of, warns_at

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.ports import PortAccess
from tests.unit.access_scene import MADE, Scene, approve

PORT = Port("daily/", PortAccess(allow_permanent=True))


def test_a_product_that_is_gone_has_no_port() -> None:
    assert port_of(Scene().request(), None) is None


@pytest.mark.parametrize(("end", "moment"), [("2026-06-01", "2026-05-18"), ("2026-02-11", "2026-02-06"), ("2026-03-01", "2026-02-15")])
def test_the_end_is_near_for_two_weeks_or_half_of_a_shorter_term(end: str, moment: str) -> None:
    grant, near = approve(validUntil=f"{end}T00:00:00Z"), parse_time(f"{moment}T00:00:00Z")
    assert warns_at(grant, PORT) == near
    assert (is_expiring(grant, PORT, near - timedelta(seconds=1)), is_expiring(grant, PORT, near)) == (False, True)


def test_no_end_is_never_near() -> None:
    assert warns_at(approve(permanent=True), PORT) is None
    assert not is_expiring(approve(permanent=True), PORT, parse_time("9000-01-01T00:00:00Z"))


def test_a_grant_that_is_older_than_its_end_warns_from_its_creation_on() -> None:
    grant = approve(validUntil=MADE)
    assert warns_at(grant, PORT) == parse_time(MADE)


def test_the_fingerprint_is_as_it_was() -> None:
    """It is in the status of living objects: a change here makes every owner look again."""
    assert digest(Scene().request()) == "1cbffa6cb56a9d2b"


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
    assert digest(Scene(asks=asks).request()) != digest(Scene().request())


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
    assert digest(Scene(asks=asks).request()) == digest(Scene().request())


def test_no_part_of_the_fingerprint_runs_into_the_next() -> None:
    one = {"dataProductRef": {"namespace": "a", "name": "b"}, "outputPort": {"name": "daily", "version": "1.0.0"}}
    other = {"dataProductRef": {"namespace": "a", "name": "b1"}, "outputPort": {"name": "daily", "version": "11.0.0"}}
    assert digest(Scene(asks=one).request()) != digest(Scene(asks=other).request())
