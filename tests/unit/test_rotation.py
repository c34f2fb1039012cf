"""When a key is replaced, and what is left to do wherever the operator died in between."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.evidence import Present, value_of
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.plan import Operation
from clouddatamesh.model.store_operations import DeleteKey, ReplaceKey, RotateKey
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.request import plan
from tests.unit.access_running import running
from tests.unit.access_scene import NOW

FORMER: Final = {"accessKeyId": "A", "until": "2026-03-01T00:30:00Z"}
OVER: Final = {"accessKeyId": "A", "until": NOW}
SECRET: Final = Key("Secret", "inventory", "orders-access")


def planned(keys: str = "A", **state: Any) -> tuple[Operation, ...]:
    """What is planned in that state."""
    return plan(*running(keys, **state)).operations


def assert_rotates(operations: tuple[Operation, ...], *, until: str = "2026-03-01T01:00:00Z", key: str = "A", token: str = "") -> None:
    """Recorded first, then a second key into this very Secret, then told."""
    record, rotate, told = operations
    handled = (("lastHandledRotate", token),) if token else ()
    assert record == Record((*handled, ("rotation", {"accessKeyId": key, "until": until})))
    assert isinstance(rotate, RotateKey)
    assert (key_of(rotate.secret), rotate.uid) == (SECRET, "uid-secret")
    assert isinstance(told, Announce)


def test_a_key_that_nobody_wants_replaced_stays() -> None:
    assert planned() == ()


def test_a_token_asks_for_a_new_key() -> None:
    assert_rotates(planned(token="1"), token="1")
    assert_rotates(planned(token="2", lastHandledRotate="1"), token="2")


def test_a_token_counts_once() -> None:
    assert planned(token="1", lastHandledRotate="1") == ()


def test_a_long_token_counts_once_too() -> None:
    assert planned(token="x" * 1000, lastHandledRotate="x" * 256) == ()


def test_a_token_that_was_there_before_the_first_key_asks_for_nothing() -> None:
    assert planned(token="1", accessKeyId=None) == ()


@pytest.mark.parametrize(("now", "due"), [("2026-03-02T23:59:59Z", False), ("2026-03-03T00:00:00Z", True)])
def test_a_key_is_replaced_at_the_age_that_the_port_says(now: str, due: bool) -> None:
    operations = planned(access={"rotateAfter": "30d"}, now=now)
    assert any(isinstance(operation, RotateKey) for operation in operations) is due


def test_a_key_whose_age_is_not_known_is_not_replaced_by_age() -> None:
    assert planned(access={"rotateAfter": "1d"}, rotatedAt=None) == ()


def test_dead_after_the_record() -> None:
    assert_rotates(planned(token="1", lastHandledRotate="1", rotation=FORMER), token="1")


def test_dead_after_the_record_for_longer_than_the_old_key_was_to_work() -> None:
    assert_rotates(planned(token="1", lastHandledRotate="1", rotation=OVER), token="1")


def test_dead_after_the_new_key_and_before_the_secret() -> None:
    """Nobody knows the secret half of the new key, so it goes, once, and another is made."""
    lost, *rest = planned("AB", token="1", lastHandledRotate="1", rotation=FORMER)
    assert isinstance(lost, DeleteKey)
    assert lost.key_id == "B"
    assert_rotates(tuple(rest), token="1")


def test_dead_after_the_secret() -> None:
    assert planned("AB", lies="B", token="1", lastHandledRotate="1", rotation=FORMER) == ()


def test_while_the_old_key_works_no_other_is_made() -> None:
    assert planned("AB", lies="B", token="2", lastHandledRotate="1", rotation=FORMER) == ()
    assert planned("AB", lies="B", access={"rotateAfter": "1d"}, rotation=FORMER) == ()


def test_the_old_key_ends_when_its_time_is_over() -> None:
    (operation,) = planned("AB", lies="B", token="1", lastHandledRotate="1", rotation=OVER)
    assert isinstance(operation, DeleteKey)
    assert operation.key_id == "A"


def test_a_token_that_came_meanwhile_is_acted_on_then() -> None:
    first, *rest = planned("AB", lies="B", token="2", lastHandledRotate="1", rotation=OVER)
    assert isinstance(first, DeleteKey)
    assert_rotates(tuple(rest), token="2", key="B")


def test_a_secret_that_lost_its_key_is_replaced_as_a_whole_whatever_was_under_way() -> None:
    _, operation, told = planned("AB", lies="C", token="1", rotation=FORMER)
    assert isinstance(operation, ReplaceKey)
    assert (operation.uid, operation.surplus, operation.keeps) == ("uid-secret", ("B",), "A")
    assert isinstance(told, Announce)


def test_a_key_that_somebody_switched_off_is_replaced_at_once() -> None:
    ask, world = running()
    off = replace(_principal(world), keys=(AccessKey("A", active=False),))
    assert isinstance(plan(ask, replace(world, principal=Present(off))).operations[-1], ReplaceKey)


def _principal(world: AccessWorld) -> Principal:
    found = value_of(world.principal)
    assert found is not None
    return found


def test_the_time_that_the_old_key_works_is_a_setting() -> None:
    ask, world = running(token="1")
    longer = replace(world, settings=replace(world.settings, rotation_grace=parse_time("2026-03-02T00:00:00Z") - parse_time(NOW)))
    assert_rotates(plan(ask, longer).operations, until="2026-03-02T00:00:00Z", token="1")


def test_by_a_clock_that_is_not_trusted_no_key_is_replaced_and_no_former_one_ends() -> None:
    assert planned(token="1", trusted=False) == ()
    assert planned("AB", lies="B", rotation=OVER, trusted=False) == ()


def test_access_that_is_in_trouble_is_left_as_it_is() -> None:
    ask, world = running(token="1")
    assert world.offer is not None
    missing = replace(world, offer=replace(world.offer, storage_reason=reasons.BUCKET_MISSING, storage_message="Gone"))
    assert plan(ask, missing).operations == ()
    assert plan(replace(ask, readable=False), replace(world, request=None)).operations == ()
