"""The fast tests as mutants meet them: which of them runs which line, and forks of a warm process in which they run."""

import gc
import importlib.machinery
import importlib.util
import inspect
import math
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import hypothesis
import pytest

from hack import mutations
from hack.mutations import ROOT, Mutant

SHORTEST = 2
CODE = ROOT / "operator" / "clouddatamesh"
KEPT = ROOT / "build" / "mutants"
LOG = KEPT / "pytest.log"
REAL = {"control_plane", "moto", "rgw", "real"}
OPTIONS = ("-q", "--tb=line", "--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
SURVIVED, KILLED, SAME, STOPPED, BROKEN = "survived", "killed", "same", "stopped", "broken"
_CODES = (SURVIVED, KILLED, SAME, BROKEN)


def run_pytest(plugin: object, *files: str) -> int:
    """pytest in this process, silently; each law of hypothesis tries the same examples each time and shrinks none."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, phases=phases)
    hypothesis.settings.load_profile("mutants")
    out = os.dup(1), os.dup(2)
    send_to(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    code = int(pytest.main([*OPTIONS, *files], plugins=[plugin]))
    send_to(*out)
    return code


def send_to(out: int, errors: int | None = None) -> None:
    """What this process prints."""
    os.dup2(out, 1)
    os.dup2(out if errors is None else errors, 2)


def is_fast(item: pytest.Item) -> bool:
    """Whether a test starts nothing real."""
    callspec = getattr(item, "callspec", None)
    asked = {*getattr(item, "fixturenames", ()), *(str(value) for value in (callspec.params.values() if callspec else ()))}
    return not REAL & asked and item.get_closest_marker("real") is None


def run_in_order(
    items: Sequence[pytest.Item], seconds: float, before: Callable[[pytest.Item], None] = lambda _: None
) -> Iterator[pytest.Item]:
    """Run them until they took so many seconds of CPU; each is yielded when it is done.

    A test may take longer than it was measured to: what several tests share is made by the first of them, in each fork anew.
    """
    end = time.process_time() + max(seconds, SHORTEST)
    for item, after in zip(items, [*items[1:], None], strict=True):
        before(item)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        yield item
        if time.process_time() > end:
            return


class Measure:
    """Which tests run which lines, and for how long."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self.coverage = coverage.Coverage(data_file=None, config_file=False, include=[f"{CODE}/*"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        before, started = 0, time.process_time()
        for item in run_in_order([item for item in session.items if is_fast(item)], math.inf, self._switch):
            self.seconds[item.nodeid] = round(time.process_time() - started, 4)
            if session.testsfailed > before:
                self.failed.append(item.nodeid)
            before, started = session.testsfailed, time.process_time()
        return True

    def _switch(self, item: pytest.Item) -> None:
        self.coverage.switch_context(item.nodeid)

    def lines(self) -> dict[str, dict[str, dict[int, list[str]]]]:
        """By file of tests and file of code: the tests of each line."""
        found: dict[str, dict[str, dict[int, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        data = self.coverage.get_data()
        for file in data.measured_files():
            path = str(Path(file).relative_to(ROOT))
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    if test:
                        found[test.split("::")[0]][path][line].append(test)
        return found


def measure(*files: str) -> Measure:
    """Run these files of tests as they are."""
    measured = Measure()
    measured.coverage.start()
    code = run_pytest(measured, *files)
    measured.coverage.stop()
    if code not in (0, 1, 5):
        raise RuntimeError(f"pytest ended with {code}: see {LOG}")
    return measured


def judge(work: Callable[[], str], seconds: float) -> str:
    """What `work` says in a fork, or that it was stopped: for much more time than it takes, or for memory."""
    child = os.fork()
    if child:
        status = os.waitpid(child, 0)[1]
        return _CODES[os.WEXITSTATUS(status)] if os.WIFEXITED(status) else STOPPED
    verdict = BROKEN
    try:
        limit = int(10 + 5 * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
        signal.alarm(60 + 20 * limit)
        send_to(os.open(os.devnull, os.O_WRONLY))
        verdict = work()
    finally:
        os._exit(_CODES.index(verdict))


class Kill:
    """Mutants within functions: each test is collected once, and each mutant gets a fork in which the function has other code."""

    def __init__(self, chosen: Sequence[tuple[Mutant, list[str], float]], tell: Callable[[Mutant, str, float], None]) -> None:
        self.chosen, self.tell = chosen, tell
        self.functions: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename.startswith(str(CODE)):
                self.functions[_place(found.__code__)].append(found)
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        for mutant, tests, seconds in self.chosen:
            started = time.monotonic()
            work = partial(self._run, mutant, session, [items[test] for test in tests], seconds)
            verdict = judge(work, seconds)
            self.tell(mutant, verdict, time.monotonic() - started)
        return True

    def _run(self, mutant: Mutant, session: pytest.Session, items: list[pytest.Item], seconds: float) -> str:
        if not self._change(mutant):
            return SAME
        return KILLED if any(session.testsfailed for _ in run_in_order(items, seconds)) else SURVIVED

    def _change(self, mutant: Mutant) -> bool:
        """Give the functions the mutant's code; False if it is the same code."""
        file = str(ROOT / mutant.path)
        old, new = compile((ROOT / mutant.path).read_text(), file, "exec"), compile(mutations.code(mutant), file, "exec")
        changed = [(a, b) for a, b in zip(_functions(old), _functions(new), strict=True) if a != b]
        for a, b in changed:
            if not self.functions[_place(a)]:
                raise RuntimeError(f"no function has the code of {mutant}")
            for function in self.functions[_place(a)]:
                function.__code__ = b
        return bool(changed)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> Iterator[CodeType]:
    """The functions of a module and its classes; those within functions go with them."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from [const] if const.co_flags & inspect.CO_OPTIMIZED else _functions(const)


class _Changed(importlib.machinery.SourceFileLoader):
    source = ""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile(self.source, self.path, "exec")


class _Finder:
    """Finds the mutant's module in place of its original."""

    def __init__(self, mutant: Mutant) -> None:
        self.file = ROOT / mutant.path
        self.name = ".".join(self.file.relative_to(CODE.parent).with_suffix("").parts).removesuffix(".__init__")
        self.source = mutations.code(mutant)

    def find_spec(self, name: str, *_: object) -> Any:
        if name != self.name:
            return None
        loader = _Changed(name, str(self.file))
        loader.source = self.source
        return importlib.util.spec_from_file_location(name, self.file, loader=loader)


class _First:
    """Runs some tests until one fails."""

    def __init__(self, tests: list[str], seconds: float) -> None:
        self.tests, self.seconds = tests, seconds
        self.failed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        # A test that a mutant's module names otherwise is not there: that is noticed too.
        self.failed = not items.keys() >= set(self.tests) or any(
            session.testsfailed for _ in run_in_order([items[test] for test in self.tests], self.seconds)
        )
        return True


def judge_imported(mutant: Mutant, tests: list[str], seconds: float) -> str:
    """A mutant that counts when its module is imported: everything is imported anew."""

    def run() -> str:
        if "clouddatamesh" in sys.modules:
            raise RuntimeError("the code was imported before it was changed")
        sys.meta_path.insert(0, _Finder(mutant))
        first = _First(tests, seconds)
        code = run_pytest(first, *sorted({test.split("::")[0] for test in tests}))
        return KILLED if first.failed or code not in (0, 5) else SURVIVED

    return judge(run, seconds + 10)
