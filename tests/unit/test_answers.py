"""The grant that a port with approval Auto gives: what it says, for how long, and under which name."""

from datetime import timedelta
from typing import Any

import pytest

from clouddatamesh.api.fields import parse_duration
from clouddatamesh.plan.access.grants import answer_name, answer_of, cap_of
from tests.unit.access_scene import Scene


def answer(access: dict[str, Any] | None = None, **asks: Any) -> dict[str, Any]:
    """What is given at NOW, the first of March 2026, at midnight."""
    scene = Scene(access={"approval": "Auto", **(access or {})}, asks=asks)
    world = scene.world()
    assert world.offer is not None
    return dict(answer_of(scene.ask(), world.offer.ports[0], world))


@pytest.mark.parametrize(
    ("asked", "access", "until"),
    [
        ("10d", {}, "2026-03-11T00:00:00Z"),
        ("400d", {}, "2027-04-05T00:00:00Z"),
        ("400d", {"maxDuration": "180d"}, "2026-08-28T00:00:00Z"),
        ("10d", {"maxDuration": "180d"}, "2026-03-11T00:00:00Z"),
        ("1m", {}, "2026-03-01T01:00:00Z"),
        ("1h", {"minDuration": "2h"}, "2026-03-01T02:00:00Z"),
    ],
)
def test_it_gives_for_as_long_as_is_asked_and_the_port_allows(asked: str, access: dict[str, str], until: str) -> None:
    given = answer(access, duration=asked)["spec"]
    assert given["validUntil"] == until
    assert "permanent" not in given


def test_a_request_without_an_end_gets_a_grant_without_an_end() -> None:
    given = answer({"allowPermanent": True}, duration=None, permanent=True)["spec"]
    assert given["permanent"] is True
    assert "validUntil" not in given


@pytest.mark.parametrize("consumer", [{"dataProductRef": {"name": "forecast"}}, {"serviceAccountRef": {"name": "etl"}}])
def test_it_names_exactly_what_was_asked_for(consumer: dict[str, Any]) -> None:
    given = answer(consumer=consumer, mode="ReadWrite", outputPort={"name": "daily", "version": "1.4.2"})["spec"]
    assert given["consumer"] == consumer
    assert given["outputPort"] == {"name": "daily", "version": "1.4.2"}
    assert given["mode"] == "ReadWrite"
    assert given["requestRef"] == {"namespace": "inventory", "name": "orders-for-forecast"}


def test_its_name_tells_the_request_and_is_one_that_kubernetes_takes_however_long_the_request_is_named() -> None:
    def name_of(name: str) -> str:
        return answer_name(Scene(asks={"name": name}).ask(), "acme")

    assert name_of("short").startswith("auto-inventory-short-")
    assert name_of("a" * 253).startswith(f"auto-inventory-{'a' * 60}-")
    assert name_of(f"{'a' * 59}.b").startswith(f"auto-inventory-{'a' * 59}-")
    assert name_of("short") != name_of("shorter")


def test_each_renewal_is_answered_by_a_grant_of_its_own() -> None:
    renewed = answer(renewal={"requestedAt": "2026-03-01T00:00:00Z"})["metadata"]["name"]
    again = answer(renewal={"requestedAt": "2026-03-02T00:00:00Z"})["metadata"]["name"]
    assert len({answer()["metadata"]["name"], renewed, again}) == 3


@pytest.mark.parametrize(
    ("cap", "text"),
    [
        (timedelta(days=180), "180d0h0m"),
        (timedelta(hours=25, minutes=61), "1d2h1m"),
        (timedelta(minutes=59, seconds=59), "0d0h59m"),
        (timedelta(days=1, minutes=-1), "0d23h59m"),
    ],
)
def test_a_cap_is_recorded_so_that_it_can_be_read_again(cap: timedelta, text: str) -> None:
    assert cap_of(cap) == text
    assert parse_duration(text) <= cap < parse_duration(text) + timedelta(minutes=1)
