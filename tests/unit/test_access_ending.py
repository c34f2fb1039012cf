"""The end of an AccessRequest: what is taken, what is listed where it cannot be taken, and who may hold it."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh.errors import Transient
from clouddatamesh.model.evidence import Absent, Unknown
from clouddatamesh.model.operations import Announce, DeleteChild, Record, ReleaseObject
from clouddatamesh.model.plan import Operation
from clouddatamesh.model.store_operations import DeleteKey, DeletePolicy
from clouddatamesh.plan.access.ending import plan_deletion
from clouddatamesh.plan.marks import FINALIZER
from tests.unit.access_running import running

SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
HELD: Final = (FINALIZER,)


def kinds(operations: tuple[Operation, ...]) -> list[type[Any]]:
    return [type(operation) for operation in operations]


def test_a_request_goes_once_everything_is_seen_to_be_gone() -> None:
    ask, world = running()
    first = plan_deletion(ask, world, HELD, gives_up=False).operations
    assert kinds(first) == [DeletePolicy, DeleteKey, DeleteChild]
    parts = plan_deletion(ask, world, HELD, gives_up=False).parts
    assert {part.name for part in parts if part.each} == {"taking", "former"}, "one call that is refused keeps no other from ending a key"
    gone = replace(world, principal=Absent(), secret=Absent())
    assert kinds(plan_deletion(ask, gone, HELD, gives_up=False).operations) == [ReleaseObject]
    assert plan_deletion(ask, gone, (), gives_up=False).operations == ()


def test_a_request_whose_store_is_silent_goes_only_where_it_is_given_up() -> None:
    ask, world = running()
    silent = replace(world, principal=SILENT, secret=Absent())
    waiting = plan_deletion(ask, silent, HELD, gives_up=False)
    assert [found.stop for found in waiting.parts if found.name == "taking"] == [SILENT.error]
    assert waiting.operations == ()
    given_up = {part.name: part for part in plan_deletion(ask, silent, HELD, gives_up=True).parts}
    assert (given_up["abandoning"].instead_of, kinds(given_up["abandoning"].operations)) == ("taking", [Announce, Record, ReleaseObject])
    assert given_up["release"].operations == ()
    seen = {blocked: plan_deletion(ask, world, HELD, gives_up=True, was_blocked=blocked).parts for blocked in (False, True)}
    assert ["abandoning" in [part.name for part in parts] for parts in seen.values()] == [False, True], "one call that fails is no reason"
    nothing = plan_deletion(replace(ask, place=None), silent, HELD, gives_up=True)
    assert {part.name: kinds(part.operations) for part in nothing.parts}["release"] == [ReleaseObject]


def test_a_request_that_others_hold_keeps_no_record_of_what_is_gone() -> None:
    """Else the grant on which it rested, and the product, would wait for a finalizer that the consumer put there."""
    ask, world = running()
    gone = replace(world, principal=Absent(), secret=Absent())
    assert kinds(plan_deletion(ask, gone, (*HELD, "example.com/theirs"), gives_up=False).operations) == [Record, ReleaseObject]
    assert kinds(plan_deletion(ask, gone, ("example.com/theirs",), gives_up=False).operations) == [Record]
    assert kinds(plan_deletion(ask, world, ("example.com/theirs",), gives_up=False).operations) == [DeletePolicy, DeleteKey, DeleteChild]
    assert plan_deletion(replace(ask, grant_uid=""), gone, ("example.com/theirs",), gives_up=False).operations == ()
