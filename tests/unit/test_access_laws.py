"""Laws of the decision on access over any set of grants, in any of the worlds that the table does not think of."""

from datetime import timedelta
from typing import Any, Final

from clouddatamesh.plan.terms import created_at, is_answer
from hypothesis import given, settings
from hypothesis import strategies as st

from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from tests.unit.access_scene import NOW, Scene, approve, deny, deny_all

DAYS = st.integers(-60, 60)
LENGTHS = st.sampled_from((None, None, "10d", "45d", "365d"))


def _moment(days: int) -> str:
    return f"{parse_time(NOW) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


@st.composite
def approvals(draw: st.DrawFn, name: str = "") -> AccessGrant:
    """An approval that answers the request, with any creation and any end."""
    made = _moment(draw(st.integers(-60, 0)))
    end: dict[str, Any] = {"permanent": True} if draw(st.booleans()) else {"validUntil": _moment(draw(DAYS))}
    return approve(name or draw(st.sampled_from("abcdefgh")), made=made, **end)


PRODUCTS: Final[tuple[dict[str, Any], ...]] = (
    *({} for _ in range(5)),
    {"lifecycle": "deprecated"},
    {"lifecycle": "draft"},
    {"suspend": True},
    {"mode": "Plan"},
)
WISHES: Final[tuple[dict[str, Any], ...]] = ({}, {"permanent": True, "duration": None}, {"renewal": {"requestedAt": _moment(-5)}})
ELSEWHERE: Final[tuple[dict[str, Any], ...]] = (
    {"dataProductRef": {"name": "returns"}},
    {"outputPort": {"name": "hourly", "version": "1.0.0"}},
    {"outputPort": {"name": "daily", "version": "2.0.0"}},
    {"requestRef": {"namespace": "inventory", "name": "other"}},
    {"requestRef": {"namespace": "support", "name": "orders-for-forecast"}},
    {"consumer": {"dataProductRef": {"name": "other"}}},
    {"consumer": {"serviceAccountRef": {"name": "forecast"}}},
    {"mode": "ReadWrite"},
)
REFUSALS = st.sampled_from((deny(), deny(validUntil=_moment(-1)), deny_all(), deny_all(outputPort={"name": "daily", "version": "1.5.0"})))
GRANTS = st.lists(approvals(), max_size=5, unique_by=lambda grant: grant.metadata.name).map(tuple)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any port, product and standing of access, with any approvals."""
    grants = draw(GRANTS)
    drains = draw(st.sampled_from((False, False, False, True)))
    return Scene(
        product=draw(st.sampled_from(PRODUCTS)),
        asks=draw(st.sampled_from(WISHES)),
        access={"approval": draw(st.sampled_from(("Auto", "Manual"))), "maxDuration": draw(LENGTHS), "allowPermanent": draw(st.booleans())},
        port={} if drains else None,
        seen={"name": "daily", "version": "1.0.0", "path": "daily/"} if drains else None,
        runs_on=draw(st.sampled_from(("", *(grant.metadata.name for grant in grants)))),
        told_until=draw(st.sampled_from(("", _moment(7)))),
        ended_before=draw(st.booleans()),
        consumer_domain_exists=draw(st.sampled_from((True, True, True, False))),
        grants=grants,
    )


def _with(scene: Scene, *more: AccessGrant) -> Scene:
    return Scene(**{**vars(scene), "grants": (*scene.grants, *more)})


@settings(deadline=None)
@given(scenes(), REFUSALS)
def test_whatever_else_is_said_a_no_is_a_no(scene: Scene, refusal: AccessGrant) -> None:
    decision = _with(scene, refusal).decide()
    assert not decision.gives
    assert not decision.answer


@settings(max_examples=400, deadline=None)
@given(scenes(), approvals(name="z"))
def test_one_more_yes_never_makes_access_shorter(scene: Scene, more: AccessGrant) -> None:
    before, after = scene.decide(), _with(scene, more).decide()
    if before.gives:
        assert after.gives
        assert after.until is None or (before.until is not None and after.until >= before.until)


@settings(deadline=None)
@given(scenes())
def test_access_ends_in_time(scene: Scene) -> None:
    decision = scene.decide()
    if decision.grant is None:
        return
    assert is_answer(decision.grant, scene.request())
    assert decision.until is None or decision.until > parse_time(scene.now)
    longest = (scene.access or {}).get("maxDuration")
    if scene.seen is None and longest:
        assert decision.until is not None
        assert decision.until <= created_at(decision.grant) + parse_duration(longest)
    named = decision.grant.spec.valid_until
    assert named is None or (decision.until is not None and decision.until <= parse_time(named))
    if scene.seen is None and decision.until is None:
        assert decision.grant.spec.permanent
        assert (scene.access or {})["allowPermanent"]


@settings(deadline=None)
@given(scenes(), st.lists(st.sampled_from(ELSEWHERE), min_size=1, max_size=4), st.booleans())
def test_a_yes_to_something_else_changes_nothing(scene: Scene, others: list[dict[str, Any]], permanent: bool) -> None:
    strangers = tuple(approve(f"z{number}", **{**other, "permanent": permanent}) for number, other in enumerate(others))
    assert _with(scene, *strangers).decide() == scene.decide()
    assert not Scene(**{**vars(scene), "grants": strangers}).decide().gives


@settings(deadline=None)
@given(scenes(), st.permutations(range(5)))
def test_the_order_of_grants_does_not_matter(scene: Scene, order: list[int]) -> None:
    mixed = tuple(scene.grants[place] for place in order if place < len(scene.grants))
    before, after = scene.decide(), Scene(**{**vars(scene), "grants": mixed}).decide()
    assert (before.grant, before.until, before.reason, before.answer) == (after.grant, after.until, after.reason, after.answer)
