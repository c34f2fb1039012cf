"""The process in which rules of policies are evaluated: no credentials, bounded memory. One line of JSON in, one line of JSON out.

A rule may be written by a tenant. Whatever it costs, it costs this process alone, and the operator begins another one.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from clouddatamesh.cel.bounds import CPU, MEMORY, SLOW, TOGETHER
from clouddatamesh.cel.rules import compile_rule, evaluate, prepare, read_json

READY: Final = "ready"
"""The first line of output: what fails before it is no rule's fault."""


def main() -> None:
    """Answer until the input ends."""
    evaluate("true", {})
    _bound_memory()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    print(READY, flush=True)  # noqa: T201
    try:
        for line in sys.stdin:
            print(json.dumps(_answer(read_json(line))), flush=True)  # noqa: T201
    except MemoryError:
        os._exit(1)  # at once: what ends in the ordinary way runs code of the library, which has no memory left


def _answer(request: Mapping[str, Any]) -> list[Any]:
    if "compile" in request:
        with _bounded():
            return [_compile(expression) for expression in request["compile"]]
    for expression, _ in request["rules"]:
        with _bounded():
            prepare(expression)
    with _bounded():
        return list(_judge_all(request["rules"], request["data"]))


def _judge_all(rules: Sequence[tuple[str, Mapping[str, Any]]], data: Mapping[str, Any]) -> Iterator[tuple[bool | str | None, float]]:
    """An answer for each; None for those before which all the time was spent."""
    end = time.process_time() + TOGETHER
    for expression, params in rules:
        yield _judge(expression, {**data, "params": params}) if time.process_time() <= end else (None, 0.0)


def _judge(expression: str, data: Mapping[str, Any]) -> tuple[bool | str, float]:
    """The answer, and the seconds of CPU that it took; of a slow one the better of two: Python collects garbage at times."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        answer = evaluate(expression, data)
        taken.append(time.process_time() - began)
        if not SLOW < taken[-1] < 4 * SLOW:
            break
    return answer, min(taken)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, CPU)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0.0)


def _compile(expression: str) -> dict[str, Any]:
    """With a trial on nothing: what costs too much there does so whatever it is asked of."""
    found = compile_rule(expression)
    if "fault" not in found:
        evaluate(expression, {"object": {}, "oldObject": None, "params": {}, "domain": {}, "live": {}})
    return found


def _bound_memory() -> None:
    """The operator runs on Linux; whoever checks files of their own elsewhere has the bound of CPU alone."""
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
