"""Principals without a living owner: seen for five minutes, disabled, and ended a minute later; a bounded number, and never most of all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.bucket import Statement
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.plan import Operation, Plan
from clouddatamesh.model.store_operations import DeleteKey, DeletePolicy, DeletePrincipal, DisableKey
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan.names import principal_path
from clouddatamesh.plan.sweep import MOST, due_orphans, find_orphans, is_braked, orphan_fields, orphan_findings, plan_sweep
from tests.support.worlds import CLUSTER, SETTINGS, START, the_store

PATH: Final = principal_path("acme", CLUSTER)


def ago(**delta: float) -> str:
    return f"{START - timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"


def a_store(**orphans: dict[str, str]) -> ObjectStore:
    """A store whose status tells of orphans: since when each was seen, and when it was disabled."""
    entries = [{"name": name, **told} for name, told in orphans.items()]
    return ObjectStore.model_validate({**the_store().model_dump(by_alias=True), "status": {"orphans": entries}})


def a_world(*orphans: str, known: int = 1000, **parts: Any) -> StoreWorld:
    """A world with these orphans among so many principals."""
    return StoreWorld(**{"now": START, "settings": SETTINGS, "cluster": CLUSTER, "orphans": orphans, "principals": known, **parts})


def a_user(name: str = "x", keys: str = "A", **differs: Any) -> Principal:
    """A user with one policy; a key in lower case is switched off."""
    found = tuple(AccessKey(key.upper(), active=key.isupper()) for key in keys)
    return replace(Principal(name, PATH, policy=(Statement("s", "Allow", ("s3:GetObject",), ("x",)),), keys=found), **differs)


def swept(store: ObjectStore, world: StoreWorld) -> tuple[Operation, ...]:
    """Every operation, in order."""
    return Plan(tuple(plan_sweep(store, world, after=()))).operations


def numbered(count: int) -> tuple[str, ...]:
    return tuple(f"u{n:02}" for n in range(count))


def test_what_nobody_owns_is_an_orphan() -> None:
    assert find_orphans(["c", "a", "b"], ["b", "d"]) == ("a", "c")


@pytest.mark.parametrize(("minutes", "due"), [(0, ()), (4.9, ()), (5, ("x",)), (900, ("x",))])
def test_an_orphan_is_due_after_five_minutes(minutes: float, due: tuple[str, ...]) -> None:
    assert due_orphans(a_store(x={"seenAt": ago(minutes=minutes)}), a_world("x")) == due


def test_an_orphan_that_was_not_seen_before_is_not_due() -> None:
    assert due_orphans(a_store(), a_world("x")) == ()
    assert due_orphans(a_store(y={"seenAt": ago(days=1)}), a_world("x")) == ()


def test_by_a_clock_that_is_not_trusted_nothing_is_due() -> None:
    assert due_orphans(a_store(x={"seenAt": ago(days=1)}), a_world("x", is_time_trusted=False)) == ()


@pytest.mark.parametrize(
    ("orphans", "known", "braked"),
    [(20, 20, False), (21, 21, True), (21, 41, True), (21, 42, False), (21, 1000, False), (600, 1000, True), (500, 1000, False)],
)
def test_the_brake_holds_where_most_of_all_are_orphans(orphans: int, known: int, braked: bool) -> None:
    world = a_world(*numbered(orphans), known=known)
    assert is_braked(world) is braked
    store = a_store(u00={"seenAt": ago(days=1)})
    assert bool(due_orphans(store, world)) is not braked
    (finding,) = orphan_findings(world)
    assert ("are left alone" in finding.message) is braked


def test_a_crowd_of_orphans_shields_none_of_them() -> None:
    """One who makes many at once delays the end of the others by rounds, and never for good."""
    crowd = numbered(45)
    store = a_store(**{name: {"seenAt": ago(days=1)} for name in crowd[: MOST + 1]})
    first = due_orphans(store, a_world(*crowd))
    assert first == crowd[:MOST]
    rest = crowd[MOST:]
    later = a_store(**{name: {"seenAt": ago(days=1)} for name in rest[: MOST + 1]})
    assert due_orphans(later, a_world(*rest)) == rest[:MOST]


def test_keys_are_disabled_first_and_ended_a_minute_later() -> None:
    world = a_world("x", due_orphans=(a_user(keys="AB"),))
    seen = {"seenAt": ago(minutes=6)}
    assert swept(a_store(x=seen), world) == (DisableKey("x", "A"), DisableKey("x", "B"))
    half = replace(world, due_orphans=(a_user(keys="aB"),))
    assert swept(a_store(x=seen), half) == (DisableKey("x", "B"),)
    off = replace(world, due_orphans=(a_user(keys="ab"),))
    assert swept(a_store(x={**seen, "disabledAt": ago(seconds=59)}), off) == ()
    ended = swept(a_store(x={**seen, "disabledAt": ago(seconds=60)}), off)
    assert [type(operation) for operation in ended] == [DeletePolicy, DeleteKey, DeleteKey, DeletePrincipal]


def test_each_has_a_part_of_its_own_whose_failure_is_no_failure_of_the_store() -> None:
    seen = {"seenAt": ago(minutes=6)}
    parts = tuple(plan_sweep(a_store(x=seen, y=seen), a_world("x", "y", due_orphans=(a_user("x"), a_user("y"))), after=("marker",)))
    assert [(part.name, part.condition, part.after, part.takes, part.minor) for part in parts] == [
        (f"sweep {name}", "PrincipalsOrphaned", ("marker",), True, True) for name in ("x", "y")
    ]
    assert [part.operations for part in parts] == [(DisableKey("x", "A"),), (DisableKey("y", "A"),)]


@pytest.mark.parametrize("path", ["/", "/clouddatamesh/acme/", "/clouddatamesh/other/abc/", principal_path("acme", "another-cluster")])
def test_a_user_of_another_cluster_is_never_ended(path: str) -> None:
    store = a_store(x={"seenAt": ago(days=1), "disabledAt": ago(days=1)})
    assert swept(store, a_world("x", due_orphans=(a_user(path=path),))) == ()


def test_a_user_that_status_does_not_tell_of_is_not_ended() -> None:
    assert swept(a_store(), a_world("x", due_orphans=(a_user(),))) == ()


def test_since_when_each_is_seen_is_remembered_until_it_is_gone() -> None:
    store = a_store(x={"seenAt": ago(minutes=3)}, gone={"seenAt": ago(minutes=3)})
    assert orphan_fields(store, a_world("x", "y")) == {
        "orphans": [{"name": "x", "seenAt": ago(minutes=3)}, {"name": "y", "seenAt": ago(seconds=0)}]
    }
    assert orphan_fields(store, a_world()) == {}
    assert orphan_findings(a_world()) == ()


@pytest.mark.parametrize(("keys", "disabled"), [("A", False), ("aB", False), ("ab", True), ("", True)])
def test_it_is_told_as_disabled_once_no_key_is_active(keys: str, disabled: bool) -> None:
    store = a_store(x={"seenAt": ago(minutes=6)})
    (entry,) = orphan_fields(store, a_world("x", due_orphans=(a_user(keys=keys),)))["orphans"]
    assert ("disabledAt" in entry) is disabled
    again = a_store(x={"seenAt": ago(minutes=6), "disabledAt": ago(seconds=30)})
    (kept,) = orphan_fields(again, a_world("x", due_orphans=(a_user(keys=keys),)))["orphans"]
    assert kept["disabledAt"] == ago(seconds=30)


def test_status_has_room_for_one_more_than_a_round() -> None:
    fields = orphan_fields(a_store(), a_world(*numbered(400)))
    assert len(fields["orphans"]) == MOST + 1
    assert ObjectStore.model_validate({**the_store().model_dump(by_alias=True), "status": fields}).status.orphans
    (finding,) = orphan_findings(a_world(*numbered(400)))
    assert "and 395 more" in finding.message
