"""Laws of the decision on access over any set of grants, in any of the worlds that the table does not think of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.terms import is_answer
from tests.unit.access_scene import NOW, TOO_LONG, Scene, approve, deny, deny_all, going, read, superseded, together

INVENTORY: Final = Home("inventory")
DAYS = st.integers(-60, 60)
LENGTHS = st.sampled_from((None, None, "10d", "45d", "365d"))


def _moment(days: int) -> str:
    return f"{parse_time(NOW) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


@st.composite
def approvals(draw: st.DrawFn, name: str = "") -> Manifest:
    """An approval that answers the request, with any creation and any end."""
    made = _moment(draw(st.integers(-60, 0)))
    end: dict[str, Any] = {"permanent": True} if draw(st.booleans()) else {"validUntil": _moment(draw(DAYS))}
    approver = draw(st.sampled_from((None, "kim", "kim", "lee", "sam")))
    found = approve(name or draw(st.sampled_from("abcdefgh")), made=made, approver=approver, **end)
    recorded = draw(st.sampled_from((0, 0, 1, 2)))
    return together(found, recorded) if recorded else found


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
GRANTS = st.lists(approvals(), max_size=5, unique_by=lambda grant: grant["metadata"]["name"]).map(tuple)


@st.composite
def ports(draw: st.DrawFn) -> dict[str, Any]:
    """The terms of a port: Auto asks nobody."""
    approvals = draw(st.sampled_from((1, 1, 1, 2, 3)))
    approval = draw(st.sampled_from(("Auto", "Manual"))) if approvals == 1 else "Manual"
    return {"approval": approval, "maxDuration": draw(LENGTHS), "allowPermanent": draw(st.booleans()), "approvals": approvals}


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any port, product and standing of access, with any approvals."""
    grants = draw(GRANTS)
    names = tuple(grant["metadata"]["name"] for grant in grants)
    drains = draw(st.sampled_from((False, False, False, True)))
    return Scene(
        product=draw(st.sampled_from(PRODUCTS)),
        asks=draw(st.sampled_from(WISHES)),
        access=draw(ports()),
        port={} if drains else None,
        seen={"name": "daily", "version": "1.0.0", "path": "daily/"} if drains else None,
        runs_on=(runs_on := draw(st.sampled_from(("", *names)))),
        counted=tuple({runs_on, draw(st.sampled_from(names))}) if runs_on and draw(st.booleans()) else (),
        told_until=draw(st.sampled_from(("", _moment(7)))),
        ended_before=draw(st.booleans()),
        consumer_home=draw(st.sampled_from((INVENTORY, INVENTORY, INVENTORY, None))),
        grants=grants,
    )


def _with(scene: Scene, *more: Manifest) -> Scene:
    return Scene(**{**vars(scene), "grants": (*scene.grants, *more)})


@settings(deadline=None)
@given(scenes(), REFUSALS)
def test_whatever_else_is_said_a_no_is_a_no(scene: Scene, refusal: Manifest) -> None:
    decision = _with(scene, refusal).decide()
    assert not decision.gives
    assert not decision.answer


@settings(max_examples=200, deadline=None)
@given(scenes(), approvals(name="z"))
def test_one_more_yes_never_makes_access_shorter(scene: Scene, more: Manifest) -> None:
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
    assert is_answer(decision.grant, scene.ask())
    assert not decision.grant.deleting and not decision.grant.superseded
    assert decision.until is None or decision.until > parse_time(scene.now)
    longest = (scene.access or {}).get("maxDuration")
    if scene.seen is None and longest:
        assert decision.until is not None
        assert decision.until <= decision.grant.created + parse_duration(longest)
    named = decision.grant.ends
    assert named is None or (decision.until is not None and decision.until <= named)
    if scene.seen is None and decision.until is None:
        assert decision.grant.permanent
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
    assert set(before.superseded) == set(after.superseded)


@settings(deadline=None)
@given(scenes(), st.sampled_from((going, superseded)))
def test_what_is_going_or_superseded_never_gives(scene: Scene, over: Callable[[Manifest], Manifest]) -> None:
    assert not Scene(**{**vars(scene), "grants": tuple(map(over, scene.grants))}).decide().gives


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_what_is_superseded_once_is_no_loss_to_the_present_decision(scene: Scene) -> None:
    """Once the marks are in the grants' status the decision is the same, and there is nothing more to mark."""
    before = scene.decide()
    marked = {answer.uid for answer in before.superseded}
    told = tuple(superseded(grant) if read(grant).uid in marked else grant for grant in scene.grants)
    after = Scene(**{**vars(scene), "grants": told}).decide()
    assert (after.reason, after.until, after.answer, after.superseded) == (before.reason, before.until, before.answer, ())


UNREADABLE: Final[tuple[dict[str, Any], ...]] = (
    {"product": {"classification": "cosmic"}},
    {"product_home": Home("sales", readable=False)},
    {"consumer_home": Home("inventory", readable=False)},
    {"asks": {"purpose": TOO_LONG}},
)


@settings(max_examples=100, deadline=None)
@given(scenes(), st.sampled_from(UNREADABLE))
def test_what_cannot_be_read_gives_nothing_new_and_takes_nothing(scene: Scene, broken: dict[str, Any]) -> None:
    plain = Scene(**{**vars(scene), "product": {}, "consumer_home": INVENTORY, "asks": {}})
    frozen = Scene(**{**vars(plain), **broken}).decide()
    running = tuple(grant for grant in scene.grants if grant["metadata"]["name"] in (scene.runs_on, *scene.counted))
    alone = Scene(**{**vars(plain), "grants": running}).decide()
    assert frozen.gives == (alone.gives and bool(scene.runs_on))
    assert not frozen.gives or frozen.is_frozen
    if frozen.gives and frozen.until != alone.until:
        # A port that asks for fewer people by now gives longer; what is frozen ends as it was given.
        assert scene.counted and frozen.until is not None and (alone.until is None or frozen.until < alone.until)
    assert not frozen.answer
