"""How the tests of upgrades judge a Lease and conditions: a gap and a flap are found where there is one, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.rest import Manifest
from tests.support.rollout import conditions_of, flaps, holders_of, longest_unheld, longest_unrenewed

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float, holder: str | None) -> Manifest:
    """The spec of a Lease that was written so many seconds after the start."""
    return {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": (START + timedelta(seconds=seconds)).isoformat()}


@pytest.mark.parametrize(
    ("states", "end", "unheld"),
    [
        pytest.param([at(0, "a"), at(2, "a"), at(4, "b")], 5, 0, id="renewed in time"),
        pytest.param([at(0, "a"), at(2, "a"), at(3, ""), at(3.5, "b")], 5, 0.5, id="released and taken"),
        pytest.param([at(0, "a"), at(17, "b")], 18, 2, id="lapsed"),
        pytest.param([at(0, "a"), at(2, "a")], 20, 3, id="lapsed at the end"),
        pytest.param([at(0, "a"), at(2, "")], 9, 7, id="released and not taken"),
        pytest.param([at(0, "a"), at(2, None), at(6, "b")], 7, 4, id="released by a null"),
    ],
)
def test_how_long_nobody_holds_a_lease(states: list[Manifest], end: float, unheld: float) -> None:
    assert longest_unheld(states, START + timedelta(seconds=end)) == unheld


def test_who_held_it_and_how_often_it_was_written() -> None:
    states = [at(0, "a"), at(2, "a"), at(3, ""), at(3.5, "b"), at(8, "b"), at(9, "a")]
    assert holders_of(states) == ["a", "b", "a"]
    assert longest_unrenewed(states) == 4.5


def an_object(name: str, *conditions: tuple[str, str, str, str]) -> Manifest:
    keys = ("type", "status", "reason", "lastTransitionTime")
    told = [dict(zip(keys, condition, strict=True)) for condition in conditions]
    return {"kind": "Domain", "metadata": {"name": name}, "status": {"conditions": told}}


@pytest.mark.parametrize(
    "now",
    [("Ready", "False", "Ready", "t"), ("Ready", "True", "Other", "t"), ("Ready", "True", "Ready", "u"), ("Stalled", "True", "Ready", "t")],
)
def test_whatever_a_condition_says_otherwise_is_a_flap(now: tuple[str, str, str, str]) -> None:
    before = conditions_of([an_object("sales", ("Ready", "True", "Ready", "t")), {"kind": "Domain", "metadata": {"name": "new"}}])
    assert flaps(before, before) == {}
    assert ("Domain", now[0]) in flaps(before, conditions_of([an_object("sales", now)]))


def test_an_object_that_is_gone_is_a_flap() -> None:
    before = conditions_of([an_object("sales", ("Ready", "True", "Ready", "t"))])
    assert flaps(before, {}) == {("Domain", "Ready"): "/sales: True Ready since t, now absent"}
