"""Which worker runs which test file."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from hack.tools.children import ROOT
from tests.support.distribution import COMPUTING, LONGEST, SHARED, Distribution, only_computes, put_groups_together

UNIT, LAWS, TABLE, CHART, FIRST, SECOND = (
    "tests/unit/test_api.py",
    "tests/reconcile/test_laws.py",
    "tests/e2e/test_table.py",
    "tests/chart/test_chart.py",
    *SHARED["mesh"][:2],
)
NODE, POD = SHARED["node"], SHARED["pod"]
TESTS = [f"{file}::test_{number}" for file in (CHART, FIRST, SECOND, TABLE, LAWS, UNIT) for number in range(4)]


@dataclass(eq=False)
class Worker:
    """What the scheduler asks of a worker; `ran` is what it was given, file by file."""

    id: str
    given: list[int] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    shutting_down: bool = False

    @property
    def gateway(self) -> SimpleNamespace:
        return SimpleNamespace(id=self.id)

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.given += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """A run by so many workers."""

    def __init__(self, count: int, tests: list[str]) -> None:
        self.tests = tests
        self.workers = [Worker(f"gw{number}") for number in range(count)]
        options = SimpleNamespace(loadscopereorder=False)
        self.scheduler = Distribution(SimpleNamespace(getvalue=lambda _: [f"{count}*popen"], option=options))
        for worker in self.workers:
            self.scheduler.add_node(worker)
        for worker in self.workers:
            self.scheduler.add_node_collection(worker, tests)
        self.scheduler.schedule()

    def end(self) -> list[list[str]]:
        """The files that each worker ran, in their order, where all tests take the same time."""
        while any(worker.given for worker in self.workers):
            for worker in self.workers:
                self.step(worker)
        assert self.scheduler.tests_finished
        return [list(dict.fromkeys(test.split("::")[0] for test in worker.ran)) for worker in self.workers]

    def step(self, worker: Worker) -> None:
        if worker.given:
            index = worker.given.pop(0)
            worker.ran.append(self.tests[index])
            self.scheduler.mark_test_complete(worker, index)


def test_the_last_of_three_workers_only_computes() -> None:
    first, second, last = Run(3, TESTS).end()
    assert set(last) == {LAWS, UNIT}
    assert set(first) | set(second) == {CHART, FIRST, SECOND, TABLE}


def test_it_ends_where_nothing_is_to_be_computed() -> None:
    run = Run(3, [test for test in TESTS if not test.startswith(COMPUTING)])
    assert run.end()[2] == []
    assert run.workers[2].shutting_down


def test_the_others_help_it() -> None:
    run = Run(3, [*TESTS, *(f"tests/unit/test_{n}.py::test" for n in range(50))])
    assert any(file.startswith(COMPUTING) for file in run.end()[0])


def test_of_two_workers_both_take_everything() -> None:
    first, second = Run(2, TESTS).end()
    assert set(first) | set(second) == {CHART, FIRST, SECOND, TABLE, LAWS, UNIT}
    assert not only_computes("gw1", 2)


def test_one_that_replaces_another_takes_everything() -> None:
    assert [only_computes(f"gw{number}", 4) for number in range(6)] == [False, False, False, True, False, False]


def test_what_takes_longest_begins_first_and_a_group_is_on_one_worker() -> None:
    first, second, _ = Run(3, TESTS).end()
    assert first == [FIRST, SECOND]
    assert second == [TABLE, CHART]


def test_files_of_a_group_come_one_after_the_other() -> None:
    names = [FIRST, CHART, SECOND, TABLE]
    items = [SimpleNamespace(nodeid=f"{name}::test_{number}") for name in names for number in range(2)]
    put_groups_together(items)  # type: ignore[arg-type]
    assert [item.nodeid.split("::")[0] for item in items[::2]] == [FIRST, SECOND, CHART, TABLE]


def test_what_starts_a_node_is_on_one_worker_and_one_after_the_other() -> None:
    items = [SimpleNamespace(nodeid=f"{name}::test_it") for name in sorted((*NODE, *POD, CHART))]
    put_groups_together(items)  # type: ignore[arg-type]
    files = [item.nodeid.split("::")[0] for item in items]
    assert files == [CHART, *NODE, *POD]
    ran = Run(4, [f"{file}::test_{number}" for file in (*files, TABLE, FIRST, SECOND) for number in range(4)]).end()
    assert [worker for worker in ran if {*NODE, *POD} & set(worker)] == [[*NODE, *POD]]


@pytest.mark.parametrize("file", [*(file for files in SHARED.values() for file in files), *(file for file in LONGEST if "/" in file)])
def test_the_file_exists(file: str) -> None:
    assert (ROOT / file).is_file()


def test_what_only_computes_asks_for_no_real_part() -> None:
    """The worker that runs it steps back, and so would what it starts."""
    shared = {file for files in SHARED.values() for file in files}
    found = [path for folder in COMPUTING for path in (ROOT / folder).rglob("test_*.py") if path != Path(__file__)]
    own = [path for path in found if path.relative_to(ROOT).as_posix() not in shared]
    assert len(own) > 100
    real = ("hack.tools.controlplane", "hack.tools.s3_", "hack.tools.store", "support.installation import Inst", "mark.real")
    assert [path.name for path in own if any(word in path.read_text(encoding="utf-8") for word in real)] == []
