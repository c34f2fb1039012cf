"""How a plan is carried out: which part keeps which others from being tried, when nothing is left to do, and what does not settle."""

from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import DeleteChild, Record
from clouddatamesh.model.outcome import Failure, Finding, Outcome
from clouddatamesh.model.plan import Operation, Part, Plan, Steps
from clouddatamesh.reconcile.pipeline import Flow, carry_out, is_settled, is_store_ready, settle, take_all
from clouddatamesh.reconcile.visit import Progress
from tests.reconcile.test_dispatch import UNREADY, put, seen
from tests.support.manifests import a_store
from tests.support.mesh import Mesh

WRONG: Final = Terminal(reasons.INVALID_SPEC, "spec.storage: missing")
SLOW: Final = Transient(reasons.THROTTLED, "The store asked for fewer requests")


def remove(name: str) -> Operation:
    return DeleteChild(Key("ConfigMap", "sales", name), "uid-1")


def part(name: str, *names: str, stop: MeshError | None = None, **more: Any) -> Part:
    """A part that removes these objects."""
    return Part(name, Steps(tuple(map(remove, names)), stop), **more)


class Doing:
    """Carries everything out but for what meets an error."""

    def __init__(self, errors: dict[str, MeshError] | None = None) -> None:
        self.errors = errors or {}
        self.tried: list[str] = []

    def run(self, operation: Operation) -> None:
        assert isinstance(operation, DeleteChild | Record)
        name = operation.key.name if isinstance(operation, DeleteChild) else "record"
        self.tried.append(name)
        if name in self.errors:
            raise self.errors[name]


@pytest.mark.parametrize(
    ("parts", "errors", "tried", "broken"),
    [
        ([part("a", "1", "2"), part("b", "3")], {}, "123", ""),
        ([part("a", "1", "2"), part("b", "3")], {"1": WRONG}, "13", "a"),
        ([part("a", "1", "2", each=True), part("b", "3")], {"1": WRONG}, "123", "a"),
        ([part("a", "1"), part("b", "2", after=("a",))], {}, "12", ""),
        ([part("a", "1"), part("b", "2", after=("a",))], {"1": WRONG}, "1", "a"),
        ([part("a", "1", stop=WRONG), part("b", "2", after=("a",)), part("c", "3")], {}, "13", ""),
        ([part("a", "1"), part("b", "2", after=("a",)), part("c", "3", after=("b",))], {"1": WRONG}, "1", "a"),
    ],
    ids=[
        "all is well",
        "an error stops its own part",
        "each operation is tried",
        "what comes after it",
        "an error stops what comes after it",
        "what must be waited for stops what comes after it",
        "and what comes after that",
    ],
)
def test_an_error_stops_its_part_and_those_that_come_after_it(
    parts: list[Part], errors: dict[str, MeshError], tried: str, broken: str
) -> None:
    doing: Any = Doing(errors)
    progress = Progress()
    assert carry_out(Plan(tuple(parts)), doing, progress) is bool({*tried} - {*errors})
    assert ("".join(doing.tried), "".join(progress.broken)) == (tried, broken)
    assert all(failure.error is WRONG for failure in progress.broken.values())


@pytest.mark.parametrize(
    ("parts", "errors", "tried"),
    [
        ([part("a", "1"), part("b", "2", instead_of="a")], {}, "1"),
        ([part("a", "1"), part("b", "2", instead_of="a")], {"1": WRONG}, "12"),
        ([part("a", "1"), part("b", "2", instead_of="a")], {"1": SLOW}, "1"),
        ([part("a", "1", stop=WRONG), part("b", "2", instead_of="a")], {}, "12"),
        ([part("a", "1", stop=SLOW), part("b", "2", instead_of="a")], {}, "1"),
        ([part("a", "1"), part("b", "2", after=("a",)), part("c", "3", instead_of="b")], {"1": WRONG}, "13"),
        ([part("a", "1"), part("b", "2", after=("a",)), part("c", "3", instead_of="b")], {"1": SLOW}, "1"),
        ([part("z", "0"), part("a", "1"), part("b", "2", instead_of="a")], {"0": SLOW, "1": WRONG}, "012"),
    ],
    ids=[
        "it is well",
        "it fails",
        "it fails for a moment",
        "it stops",
        "it stops for a moment",
        "what it comes after fails",
        "what it comes after fails for a moment",
        "something else fails for a moment",
    ],
)
def test_what_is_done_instead_of_a_part_is_done_only_where_that_fails_for_good(
    parts: list[Part], errors: dict[str, MeshError], tried: str
) -> None:
    doing: Any = Doing(errors)
    carry_out(Plan(tuple(parts)), doing, Progress())
    assert "".join(doing.tried) == tried


def test_a_part_that_broke_in_an_earlier_look_is_not_tried_again() -> None:
    doing: Any = Doing()
    progress = Progress(broken={"a": Failure("a", "", WRONG)})
    assert not carry_out(Plan((part("a", "1"), part("b", "2", after=("a",)))), doing, progress)
    assert doing.tried == []


# Until nothing is left

READY: Final = Finding("Ready", "True", reasons.READY)


def settled(plans: list[Plan], errors: dict[str, MeshError] | None = None) -> tuple[Outcome, list[str]]:
    """The outcome of a world in which these plans follow each other, the last one for good; and what was tried."""
    doing: Any = Doing(errors)
    looks = iter([*plans, *[plans[-1]] * 20])
    flow: Flow[None] = Flow(lambda: None, lambda _: next(looks), lambda _: doing, lambda *_: Outcome(READY))
    return settle(flow, Progress()), doing.tried


def told(outcome: Outcome) -> dict[str, str]:
    return {failure.part: f"{failure.error.reason}: {failure.error.message}" for failure in outcome.failures}


def test_it_goes_on_until_nothing_is_left_to_do() -> None:
    outcome, tried = settled([Plan((part("a", "1"),)), Plan((part("a", "2"),)), Plan((part("a"),))])
    assert (tried, outcome.failures) == (["1", "2"], ())


def test_what_fails_and_what_stops_is_told() -> None:
    outcome, tried = settled([Plan((part("a", "1"), part("b", stop=WRONG), part("c")))], {"1": SLOW})
    assert tried == ["1"]
    assert {failure.part: failure.error for failure in outcome.failures} == {"a": SLOW, "b": WRONG}


def test_what_never_settles_is_told_with_what_would_be_next() -> None:
    silent = Part("silent", Steps((Record((("phase", "Creating"),)),)))
    plan = Plan((part("a", "1", "2"), part("b", "3"), part("c", "4", stop=WRONG), silent, part("done")))
    outcome, tried = settled([plan], {"3": SLOW})
    assert told(outcome) == {
        "a": f"{reasons.CONFLICT}: The object does not settle; next would be: delete ConfigMap sales/1",
        "b": f"{reasons.THROTTLED}: {SLOW.message}",
        "c": f"{reasons.INVALID_SPEC}: {WRONG.message}",
        "silent": f"{reasons.CONFLICT}: The object does not settle; next would be: nothing",
    }
    assert tried.count("3") == 1 < tried.count("1")


def take(looks: list[Steps], errors: dict[str, MeshError] | None = None) -> list[str]:
    """What is tried of what an object left, where these looks follow each other."""
    doing: Any = Doing(errors)
    steps = iter(looks)
    try:
        take_all(lambda: (next(steps), doing))
    except MeshError as error:
        doing.tried.append(error.reason)
    return [*doing.tried, *(f"not looked at: {left}" for left in steps)]


ONE, TWO, NONE = Steps((remove("1"),)), Steps((remove("1"), remove("2"))), Steps()


@pytest.mark.parametrize(
    ("looks", "errors", "tried"),
    [
        ([ONE, ONE, NONE], {}, ["1", "1"]),
        ([NONE], {}, []),
        ([TWO], {"1": SLOW}, ["1", "2", reasons.THROTTLED]),
        ([Steps((remove("1"),), WRONG)], {}, ["1", reasons.INVALID_SPEC]),
    ],
    ids=["until nothing is left", "nothing is left", "one is kept", "what is left must not go"],
)
def test_what_an_object_left_is_ended_and_what_keeps_it_is_told(looks: list[Steps], errors: dict[str, MeshError], tried: list[str]) -> None:
    assert take(looks, errors) == tried


# What is Ready

STORE: Final = seen(a_store())


@pytest.mark.parametrize(
    ("store", "ready"),
    [
        (STORE, True),
        (seen(a_store(), ready=False), False),
        (seen(a_store(), generation=2), False),
        (seen(a_store(), status={"conditions": []}), False),
        (seen(a_store(), generation=2, status={"conditions": [UNREADY]}), False),
        ({**STORE, "status": None}, False),
        (None, False),
    ],
    ids=["Ready", "not Ready", "changed", "without conditions", "changed and not Ready", "new", "gone"],
)
def test_a_store_is_ready_where_it_says_so_of_what_it_is_now(store: dict[str, Any] | None, ready: bool) -> None:
    assert is_store_ready("main", put(Mesh(), *([store] if store else [])).ports) is ready
    assert store is None or is_settled(store) is ready
