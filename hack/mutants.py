"""`make mutants`: whether the fast tests notice that a comparison, a boolean or a constant is another. docs/decisions/0022-mutants.md."""

import argparse
import hashlib
import json
import os
import random
import re
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hack import mutant_tests, mutations
from hack.mutant_tests import BROKEN, CODE, KEPT, KILLED, SAME, SURVIVED
from hack.mutations import ROOT, Mutant

LAYERS = tuple(f"operator/clouddatamesh/{layer}" for layer in ("model", "plan", "governance", "status", "reconcile"))
TESTS = ("tests/unit", "tests/reconcile", "tests/contract", "tests/golden")
VERDICTS = KEPT / "verdicts.jsonl"
PAGE = ROOT / "docs" / "decisions" / "0022-mutants.md"


def say(text: str = "") -> None:
    print(text, flush=True)


def files(paths: Iterable[str], pattern: str) -> list[str]:
    """The files of this name at or below these paths."""
    found = [path for name in paths for path in ([ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob(pattern)))]
    return [str(path.relative_to(ROOT)) for path in found]


def in_forks(works: Sequence[Callable[[], None]]) -> None:
    """All at once."""
    children = []
    for work in works:
        child = os.fork()
        if not child:
            try:
                work()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        children.append(child)
    if any([os.waitpid(child, 0)[1] for child in children]):
        sys.exit("a part of the work ended early")


@dataclass
class Known:
    """Which test runs which line of code, and for how long."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    failed: list[str] = field(default_factory=list)
    dearest: dict[str, float] = field(default_factory=dict)
    """By file of tests. What its tests share is made by one of them when they are measured, and by the first of them in each fork."""

    def add(self, part: dict[str, Any]) -> None:
        self.failed += part["failed"]
        self.seconds.update(part["seconds"])
        for test, seconds in part["seconds"].items():
            self.dearest[_file_of(test)] = max(seconds, self.dearest.get(_file_of(test), 0.0))
        for path, lines in part["lines"].items():
            for line, tests in lines.items():
                self.lines[path][int(line)].update(tests)

    def choose(self, mutant: Mutant, budget: float) -> "Choice":
        """The mutant with the cheapest tests that may notice it, as many as the budget buys, and what they cost."""
        near = self._near(mutant)
        usable = (near | set().union(*self.lines[mutant.path].values()) if mutant.names else near) - set(self.failed)
        chosen, spent = [], 0.0
        for test in sorted(usable, key=lambda test: (test not in near, self.dearest[_file_of(test)], self.seconds[test], test)):
            if spent + self.seconds[test] > budget:
                break
            spent += self.seconds[test]
            chosen.append(test)
        return mutant, chosen, spent

    def _near(self, mutant: Mutant) -> set[str]:
        places = [(mutant.path, line) for line in mutant.lines]
        for name in mutant.names:
            places += _named(name)
        return set().union(*(self.lines[path].get(line, set()) for path, line in places))


def _file_of(test: str) -> str:
    return test.split("::", maxsplit=1)[0]


@cache
def _named(name: str) -> list[tuple[str, int]]:
    """The lines of code in which a name stands."""
    word = re.compile(rf"\b{name}\b")
    return [
        (path, number)
        for path in files([str(CODE.relative_to(ROOT))], "*.py")
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if word.search(line)
    ]


def _digest(test_file: str) -> str:
    texts = [(ROOT / path).read_bytes() for path in (*files([str(CODE.relative_to(ROOT))], "*.py"), test_file)]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def known(options: argparse.Namespace) -> Known:
    """As measured; what has changed since is measured again."""
    wanted = {path: KEPT / f"{path.replace('/', '.')}.json" for path in files(options.tests, "test_*.py")}
    KEPT.mkdir(parents=True, exist_ok=True)

    def is_old(path: str) -> bool:
        return not wanted[path].exists() or (not options.keep and json.loads(wanted[path].read_text())["digest"] != _digest(path))

    old = [path for path in wanted if is_old(path)]
    say(f"{len(old)} of {len(wanted)} files of tests are measured")

    def part(mine: list[str]) -> None:
        measured = mutant_tests.measure(*mine)
        lines = measured.lines()
        for path in mine:
            ran = {test: seconds for test, seconds in measured.seconds.items() if test.split("::")[0] == path}
            failed = [test for test in measured.failed if test in ran]
            text = json.dumps({"digest": _digest(path), "seconds": ran, "failed": failed, "lines": lines.get(path, {})})
            wanted[path].write_text(text)

    in_forks([lambda mine=old[n :: options.jobs]: part(mine) for n in range(options.jobs) if old[n :: options.jobs]])  # type: ignore[misc]
    found = Known()
    for file in wanted.values():
        found.add(json.loads(file.read_text()))
    say(
        "\n".join(
            [f"{len(found.seconds)} tests, {sum(found.seconds.values()):.0f} s", *(f"fails by itself: {test}" for test in found.failed)]
        )
    )
    return found


def sample(options: argparse.Namespace) -> list[Mutant]:
    """As many as asked for, of each file its share, at least one; 0: all of them; or those that survived last time."""
    chance = random.Random(options.seed)  # noqa: S311
    by_file = [found for path in files(options.paths, "*.py") if (found := mutations.of(path))]
    total = sum(map(len, by_file))
    say(f"{total} mutants in {len(by_file)} files")
    if options.again:
        last = {
            (path, number)
            for path, number, verdict, _ in map(json.loads, VERDICTS.read_text().splitlines())
            if verdict in (SURVIVED, BROKEN)
        }
        return [mutant for found in by_file for mutant in found if (mutant.path, mutant.number) in last]
    if not 0 < options.sample < total:
        return [mutant for found in by_file for mutant in found]
    return [mutant for found in by_file for mutant in chance.sample(found, max(1, round(len(found) * options.sample / total)))]


Choice = tuple[Mutant, list[str], float]
Tell = Callable[[Mutant, str, float], None]


def run(chosen: list[Choice], tell: Tell) -> None:
    """One worker's share. The first part is in a fork: it imports the code, which the second must not find imported."""
    in_forks([lambda: run_within([choice for choice in chosen if choice[1] and not choice[0].names], tell)])
    for mutant, tests, seconds in chosen:
        started = time.monotonic()
        if not tests:
            tell(mutant, SURVIVED, 0)
        elif mutant.names:
            tell(mutant, mutant_tests.judge_imported(mutant, tests, seconds), time.monotonic() - started)


def run_within(chosen: list[Choice], tell: Tell) -> None:
    """The mutants within functions."""
    used = sorted({test.split("::")[0] for _, tests, _ in chosen for test in tests})
    code = mutant_tests.run_pytest(mutant_tests.Kill(chosen, tell), *used) if used else 0
    if code not in (0, 5):
        raise RuntimeError(f"pytest ended with {code}: see {mutant_tests.LOG}")


def verdicts(chosen: list[Choice], jobs: int) -> dict[Mutant, str]:
    """What became of each mutant; one that no test runs survived."""
    VERDICTS.write_text("")
    by_id = {(mutant.path, mutant.number): mutant for mutant, _, _ in chosen}

    def tell(mutant: Mutant, verdict: str, seconds: float) -> None:
        with VERDICTS.open("a") as out:
            out.write(json.dumps([mutant.path, mutant.number, verdict, round(seconds, 2)]) + "\n")

    in_forks([lambda mine=chosen[n::jobs]: run(mine, tell) for n in range(jobs)])  # type: ignore[misc]
    told = [json.loads(line) for line in VERDICTS.read_text().splitlines()]
    return {by_id[path, number]: verdict for path, number, verdict, _ in told}


def listed() -> set[tuple[str, str]]:
    """The survivors that the page tells about."""
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", PAGE.read_text(), re.MULTILINE) if PAGE.exists() else []
    return {(f"operator/clouddatamesh/{path}", line.replace("\\|", "|")) for path, line in rows}


def report(found: dict[Mutant, str], ran: dict[Mutant, int]) -> bool:
    """The figures and the survivors; whether each of them is known."""
    page = listed()
    layers: dict[str, Counter[str]] = defaultdict(Counter)
    unknown = 0
    for mutant, verdict in found.items():
        name = verdict if verdict in (SAME, SURVIVED, BROKEN) else KILLED
        if name in (SURVIVED, BROKEN):
            shown = mutations.shown(mutant)
            name = "listed" if (mutant.path, shown) in page else name
            unknown += name != "listed"
            say(f"{name} {mutant.path}:{mutant.line}: {shown} ({ran[mutant]} tests)")
        for layer in (mutant.layer, "all"):
            layers[layer][name] += 1
    say(f"\n{'layer':12}{'mutants':>9}{'killed':>9}{'listed':>9}{'others':>9}")
    for layer, counts in layers.items():
        mutants = counts.total() - counts[SAME]
        others = counts[SURVIVED] + counts[BROKEN]
        share = counts[KILLED] / max(mutants, 1)
        say(f"{layer:12}{mutants:>9}{counts[KILLED]:>9}{counts['listed']:>9}{others:>9}  {share:.1%} killed")
    return not unknown


def main() -> None:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=600, help="how many mutants, about; 0: all")
    parser.add_argument("--seed", default="1", help="which ones")
    parser.add_argument("--paths", nargs="+", default=LAYERS, help="the code that is changed")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="the tests that may notice")
    parser.add_argument("--budget", type=float, default=20, help="seconds of tests that one mutant is worth")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--keep", action="store_true", help="take which test runs which line as once measured, whatever has changed since")
    parser.add_argument("--again", action="store_true", help="only the mutants that survived last time")
    options = parser.parse_args()
    os.chdir(ROOT)
    started = time.monotonic()
    measured = known(options)
    chosen = [measured.choose(mutant, options.budget) for mutant in sample(options)]
    found = verdicts(chosen, options.jobs)
    is_known = report(found, {mutant: len(tests) for mutant, tests, _ in chosen})
    say(f"{(time.monotonic() - started) / 60:.1f} minutes")
    sys.exit(0 if is_known else 1)


if __name__ == "__main__":
    main()
