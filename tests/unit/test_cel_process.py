"""The engine of policies in its process: what a rule may cost, and what a hostile one costs the others."""

import contextlib
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.cel import process, rules
from clouddatamesh.cel.bounds import CPU, DEATHS, SLOW
from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.cel.process import CelProcess
from clouddatamesh.errors import Transient
from clouddatamesh.model.judging import Outcome, RuleFailure

MANY_FILES = 1100
"""More than select() takes."""
GROWN = "'x'" + f".replace('x', '{'x' * 900}')" * 4 + ".size() > 0"
"""Some 900 to the power of four characters."""
FED = "object.text" + ".replace('x', object.text)" * 3 + ".size() > 0"
"""The same, fed by an object: of the fourth power of its text's length."""
DIGITS = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
ENDLESS = "".join(f"{DIGITS}.all({name}, " for name in "abcdefgh") + "true" + ")" * 8
DEEP = "(" * 300 + "true" + ")" * 300


@pytest.fixture(scope="module")
def engine() -> Iterator[CelProcess]:
    engine = CelProcess()
    yield engine
    engine.close()


def test_it_answers_as_the_library_does_in_this_process(engine: CelProcess) -> None:
    data = {"object": {"a": 1, "b": "text", "c": [1, 2], "d": None, "e": 1.5}, "oldObject": None, "domain": {}, "live": {}}
    asked = """
        object.a == 1; object.b.startsWith('t'); object.c.exists(one, one >= params.least); object.missing == 1; oldObject == null
        object.e > 1.0; object.a; has(object.d); object.b.matches('^x')
    """
    rules = [(rule.strip(), {"least": 2}) for line in asked.strip().splitlines() for rule in line.split(";")]
    assert engine.judge(rules, data) == DirectExpressions().judge(rules, data)


@pytest.mark.parametrize("rule", [GROWN, ENDLESS, DEEP], ids=["a text that grows", "an endless loop", "deep nesting"])
def test_a_rule_that_costs_too_much_on_nothing_is_no_rule_or_fails_quickly(engine: CelProcess, rule: str) -> None:
    assert engine.compile(rule).fault or isinstance(engine.judge([(rule, {})], {"object": {}})[0], RuleFailure)


def test_a_hostile_object_costs_no_other_rule_its_answer_and_is_not_tried_again(engine: CelProcess) -> None:
    rules: list[tuple[str, dict[str, Any]]] = [("true", {}), (FED, {}), ("1 == 2", {})]
    hostile, plain = ({"object": {"text": "x" * size}} for size in (1000, 1))
    assert engine.compile(FED).fault == ""
    assert engine.judge(rules, hostile) == (Outcome.HOLDS, Outcome.EXHAUSTED, Outcome.BROKEN)
    assert engine.judge(rules, hostile) == (Outcome.HOLDS, Outcome.EXHAUSTED, Outcome.BROKEN)
    assert engine.judge(rules, plain) == (Outcome.HOLDS, Outcome.HOLDS, Outcome.BROKEN)
    assert not engine.is_exhausting(FED, {}, "")


def test_a_rule_that_costs_too_much_on_many_objects_is_known() -> None:
    engine = CelProcess(many=2)
    known = []
    for number in range(2):
        engine.judge([(FED, {})], {"object": {"text": "x" * (1000 + number)}})
        known.append(engine.is_exhausting(FED, {}, ""))
    engine.close()
    assert known == [False, True]


@pytest.mark.parametrize(
    ("expression", "reads"),
    [
        ("true", set()),
        ("object.a == params.b", {"object", "params"}),
        ("oldObject == null || domain.spec.x == 'live'", {"oldObject", "domain"}),
        ("[1].all(live, live == 1)", set()),
        ("live.bucket.tlsOnly", {"live"}),
    ],
)
def test_which_variables_a_rule_reads_is_known(engine: CelProcess, expression: str, reads: set[str]) -> None:
    assert engine.compile(expression).reads == reads


@pytest.mark.parametrize(
    "expression",
    [
        "nobody == 1", "object.", "1 + 1", "'a' + 1 == 2", "cel.bind(a, 1, a == 1)", "sets.contains([1], [1])", "quantity('1').isInteger()",
        "isURL('a')", "object.a.find('b') == ''", "[1].sum() == 1", "now() > 1", "semver('1.0.0').major() == 1",
    ],
)  # fmt: skip
def test_what_the_api_server_and_the_library_do_not_have_in_common_is_refused(engine: CelProcess, expression: str) -> None:
    found = engine.compile(expression)
    assert found.fault
    assert "\n" not in found.fault


def test_it_knows_nothing_of_the_operators_environment(engine: CelProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    engine.close()
    assert engine.judge([("true", {})], {"object": {}}) == (Outcome.HOLDS,)
    process = engine._process
    assert process is not None
    with Path(f"/proc/{process.pid}/environ").open(encoding="utf-8") as environment:
        assert "planted" not in environment.read()


def test_a_process_that_does_not_start_is_a_fault_of_ours_and_of_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    engine = CelProcess()
    with pytest.raises(Transient, match="does not start"):
        engine.judge([("true", {})], {"object": {}})
    with pytest.raises(Transient, match="does not start"):
        engine.compile("true")


def test_a_process_that_the_kernel_ends_is_no_rules_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the whole Pod has too little memory."""
    engine = CelProcess()
    assert engine.judge([("true", {})], {"object": {}}) == (Outcome.HOLDS,)
    read = engine._read_line

    def killed(process: subprocess.Popen[bytes]) -> bytes:
        process.send_signal(signal.SIGKILL)
        return read(process)

    monkeypatch.setattr(engine, "_exchange", lambda process, _: killed(process))
    with pytest.raises(Transient, match="gave no answer"):
        engine.judge([("true", {})], {"object": {}})
    monkeypatch.undo()
    assert engine.judge([("true", {})], {"object": {}}) == (Outcome.HOLDS,)
    engine.close()


def an_engine(monkeypatch: pytest.MonkeyPatch, place: Path, script: str, patience: float = process.PATIENCE) -> CelProcess:
    """One whose process is this script."""
    program = place / "engine"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    return CelProcess(patience=patience, asleep=0.2)


def test_a_process_that_sleeps_in_place_of_work_is_another_one_soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Seen under load, for a whole minute in which no object of the mesh was judged."""
    slept = tmp_path / "slept"
    once = f'[ -e {slept} ] && exec {sys.executable} "$@"; touch {slept}; echo ready; read -r line; exec sleep 50'
    with contextlib.closing(an_engine(monkeypatch, tmp_path, once)) as engine:
        assert engine.judge([("true", {}), ("1 == 2", {})], {"object": {}}) == (Outcome.HOLDS, Outcome.BROKEN)
        assert slept.exists()
        slept.unlink()
        engine.close()
        assert engine.compile("object.a == 1").fault == ""


def test_a_rule_on_which_it_sleeps_twice_takes_too_much(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    began = time.monotonic()
    with contextlib.closing(an_engine(monkeypatch, tmp_path, "echo ready; read -r line; exec sleep 50")) as engine:
        assert engine.judge([("true", {})], {"object": {}}) == (Outcome.EXHAUSTED,)
        assert "takes more time" in engine.compile("true").fault
    assert time.monotonic() - began < process.PATIENCE / 2


def test_a_process_that_reads_nothing_is_stuck_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """More than a pipe holds is asked of it."""
    with contextlib.closing(an_engine(monkeypatch, tmp_path, "echo ready; exec sleep 50")) as engine:
        assert engine.judge([("true", {})], {"object": {"text": "x" * 200_000}}) == (Outcome.EXHAUSTED,)
    with contextlib.closing(CelProcess()) as engine:
        monkeypatch.undo()
        assert engine.judge([("size(object.text) == 200000", {})], {"object": {"text": "x" * 200_000}}) == (Outcome.HOLDS,)


@pytest.mark.parametrize("script", ["exec sleep 50", "echo ready; read -r line; while :; do :; done"], ids=["before it began", "at work"])
def test_what_is_no_rules_fault_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    with contextlib.closing(an_engine(monkeypatch, tmp_path, script, patience=1.0)) as engine, pytest.raises(Transient):
        engine.judge([("true", {})], {"object": {}})


def test_it_works_in_a_process_with_a_thousand_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY_FILES + 100:
        pytest.skip("no process may have so many files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY_FILES + 100), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(MANY_FILES):
            stack.enter_context(Path("/dev/null").open("rb"))
        engine = CelProcess()
        assert engine.judge([("true", {})], {"object": {}}) == (Outcome.HOLDS,)
        engine.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_is_full_of_other_rules_is_no_fault_of_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library keeps memory of what it compiled: after some 1,300 rules it has none for the next one."""

    class Full:
        def compile(self, _: str) -> None:
            raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(rules, "_environment", lambda *_: Full())
    with pytest.raises(MemoryError):
        rules.compile_rule("true")


def test_a_rule_on_which_a_process_ended_is_asked_once_more_in_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, ask, asked = CelProcess(), CelProcess._ask, []

    def first_ends(self: CelProcess, request: dict[str, Any]) -> list[Any]:
        asked.append(request)
        if len(asked) == 1:
            raise process._Costly
        return ask(self, request)

    monkeypatch.setattr(CelProcess, "_ask", first_ends)
    with contextlib.closing(engine):
        assert engine.compile("object.a == 1").fault == ""
    assert len(asked) == 2


def a_text_on_which_it_takes(engine: CelProcess, seconds: float) -> str:
    """The shortest of some texts on which one rule takes as long, on this machine."""
    rules: list[tuple[str, dict[str, Any]]] = [("object.text.replace('x', object.text).size() > 0", {})]
    texts = ("x" * size for size in range(1000, 9000, 500))

    def takes_it(text: str) -> bool:
        """Each time: once it may have taken as long by what else the machine did."""
        return all(engine._ask({"rules": rules, "data": {"object": {"text": text}}})[0][1] > seconds for _ in range(3))

    return next(filter(takes_it, texts))


def test_rules_that_answer_slowly_take_bounded_time_together_and_those_that_come_first_are_asked() -> None:
    """Each stays below what one rule may take: a team may write as many as it likes."""
    slow: list[tuple[str, dict[str, Any]]] = [(f"object.text.replace('x', object.text).size() > {number}", {}) for number in range(100)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with contextlib.closing(CelProcess()) as engine:
        text = {"object": {"text": a_text_on_which_it_takes(engine, 3 * CPU / len(slow))}}
        asked = [("true", {}), *slow, ("1 == 2", {})]
        begun, answers = engine._process, engine.judge(asked, text)
        assert engine.judge(asked, text)[:2] == answers[:2]
        assert engine._process is begun, "it ends by none of them, however often they are asked"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert answers[:2] == (Outcome.HOLDS, Outcome.HOLDS)
    assert answers[-1] is Outcome.EXHAUSTED
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4.0


def test_rules_that_are_slow_on_many_objects_are_known_though_they_answer() -> None:
    rule = "object.text.replace('x', object.text).size() > 0"
    with contextlib.closing(CelProcess(many=2)) as engine:
        text = a_text_on_which_it_takes(engine, 3 * SLOW)
        one, other = {"object": {"text": text}}, {"object": {"text": f"{text}x"}}
        assert engine.judge([(rule, {})], one) == engine.judge([(rule, {})], one) == (Outcome.HOLDS,)
        assert not engine.is_exhausting(rule, {}, "")
        engine.judge([(rule, {})], other)
        assert engine.is_exhausting(rule, {}, "")


def test_after_some_deaths_on_one_object_the_rest_is_not_asked_then_and_is_not_blamed() -> None:
    hostile = {"object": {"text": "x" * 1000}}
    costly: list[tuple[str, dict[str, Any]]] = [(f"{FED} || false{' ' * number}", {}) for number in range(DEATHS + 1)]
    with contextlib.closing(CelProcess(many=1)) as engine:
        rules = [("true", {}), *costly, ("1 == 2", {})]
        assert engine.judge(rules, hostile) == (Outcome.HOLDS, *[Outcome.EXHAUSTED] * (DEATHS + 2))
        assert [engine.is_exhausting(rule, {}, "") for rule, _ in rules] == [False, *[True] * DEATHS, False, False]
        assert engine.judge(rules, hostile) == (Outcome.HOLDS, *[Outcome.EXHAUSTED] * (DEATHS + 1), Outcome.BROKEN)


def test_neither_the_params_nor_the_objects_of_others_end_a_rule() -> None:
    rule = "object.text.replace('x', params.by).replace('x', params.by).replace('x', params.by).size() > 0"
    own, theirs = ({"object": {"text": "x" * 1000, "metadata": {"namespace": place}}} for place in ("own", "theirs"))
    with contextlib.closing(CelProcess(many=1)) as engine:
        assert engine.judge([(rule, {"by": "x" * 1000})], theirs) == (Outcome.EXHAUSTED,)
        assert engine.judge([(rule, {"by": "x"})], own) == (Outcome.HOLDS,)
        blamed = [engine.is_exhausting(rule, {"by": "x" * size}, place) for size in (1000, 1) for place in ("theirs", "own")]
    assert blamed == [True, False, False, False]
