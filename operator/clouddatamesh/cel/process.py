"""The port Expressions: rules of policies, evaluated in a process that may die of them."""

import contextlib
import hashlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.cel.bounds import DEATHS, MANY, SLOW, TOGETHER
from clouddatamesh.errors import Transient
from clouddatamesh.model.judging import Answered, Compiled, Outcome, RuleFailure

_log = logging.getLogger(__name__)
PATIENCE: Final = 60.0
"""Seconds until a process that neither answers nor dies is given up; it ends itself when a request took too much CPU or memory."""
ASLEEP: Final = 3.0
"""Seconds after which a process that has sleep in place of work is stuck: one that waits for a core is ready to run, and does not sleep."""
_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
"""What the process needs to know; the operator's environment may hold credentials."""
_REMEMBERED: Final = 4096
_BY_A_RULE: Final = frozenset({1, *(-number for number in (signal.SIGPROF, signal.SIGABRT, signal.SIGSEGV))})
"""How the process ends by a rule: it took too much CPU, or got no more memory. What else ends it, as the kernel does where the whole Pod
has too little memory, is no rule's fault."""


_Rule = tuple[str, Mapping[str, Any]]
"""An expression with its params."""


class _Costly(Exception):
    """The process died of a request."""


class _Silent(Exception):
    """The process gave no answer."""


class _Stuck(_Silent):
    """The process sleeps in place of work."""


class CelProcess:
    """Thread-safe. The process begins with the first request and is begun again after it died; `close` ends it."""

    def __init__(self, *, patience: float = PATIENCE, asleep: float = ASLEEP, many: int = MANY) -> None:
        self._patience, self._asleep, self._many = patience, asleep, many
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._left = b""
        self._compiled: OrderedDict[str, Compiled] = OrderedDict()
        self._exhausted: OrderedDict[str, None] = OrderedDict()
        """Rules with the data on which they took more than they may: they are not tried again on these."""
        self._slow: OrderedDict[str, None] = OrderedDict()
        """Rules with the data on which they answered, and took more than one rule should."""
        self._costly: OrderedDict[tuple[str, str], int] = OrderedDict()
        """On how many objects of each namespace a rule with its params did either."""

    def compile(self, expression: str) -> Compiled:
        """What an expression reads, or why it is none. One that costs too much where there is nothing to read is none either."""
        known = self._compiled.get(expression)
        if known is not None:
            return known
        try:
            found = self._compile(expression)
        except _Costly:
            found = Compiled(fault="it takes more time or memory than a rule may")
        _remember(self._compiled, expression, found)
        return found

    def _compile(self, expression: str) -> Compiled:
        """Once more in a process of its own where the first one ended: it may have been full of other rules."""
        try:
            (answer,) = self._ask({"compile": [expression]})
        except _Costly:
            (answer,) = self._ask({"compile": [expression]})
        return Compiled(frozenset(answer.get("reads") or ()), str(answer.get("fault") or ""))

    def judge(self, rules: Sequence[_Rule], data: Mapping[str, Any]) -> tuple[Answered, ...]:
        """The answer to each of these rules with its params. One that takes too much is EXHAUSTED, and costs the others nothing.

        Where all of them take too much together, those that come first are asked: so the rules of those above a team come before its own.
        """
        given = _Data(data, _digest(data), str(((data.get("object") or {}).get("metadata") or {}).get("namespace", "")))
        asked = [number for number, rule in enumerate(rules) if given.identity(rule) not in self._exhausted]
        found: dict[int, Answered] = dict.fromkeys(range(len(rules)), Outcome.EXHAUSTED)
        try:
            answers = self._ask({"rules": [rules[number] for number in asked], "data": data}) if asked else []
            for number, (answer, seconds) in zip(asked, answers, strict=True):
                found[number] = read_answer(answer)
                self._note(rules[number], given, seconds)
        except _Costly:
            found |= dict(self._judge_each({number: rules[number] for number in asked}, given))
        return tuple(found[number] for number in range(len(rules)))

    def _judge_each(self, rules: Mapping[int, _Rule], given: "_Data") -> Iterator[tuple[int, Answered]]:
        """The answers of rules of which one ended the process: one after the other, until they took what all of them may."""
        spent, deaths = 0.0, 0
        for number, rule in rules.items():
            if spent > TOGETHER or deaths == DEATHS:
                yield number, Outcome.EXHAUSTED
                continue
            try:
                ((said, seconds),) = self._ask({"rules": [rule], "data": given.value})
            except _Costly:
                deaths += 1
                self._exhaust(rule, given)
                yield number, Outcome.EXHAUSTED
            else:
                spent += seconds
                self._note(rule, given, seconds)
                yield number, read_answer(said)

    def _note(self, rule: _Rule, given: "_Data", seconds: float) -> None:
        if seconds > SLOW and given.identity(rule) not in self._slow:
            _remember(self._slow, given.identity(rule), None)
            self._count(rule, given)

    def _exhaust(self, rule: _Rule, given: "_Data") -> None:
        _log.warning("A rule of a policy took more time or memory than it may on an object: %.200s", rule[0])
        _remember(self._exhausted, given.identity(rule), None)
        if given.identity(rule) not in self._slow:
            self._count(rule, given)

    def _count(self, rule: _Rule, given: "_Data") -> None:
        blamed = _digest(rule), given.namespace
        _remember(self._costly, blamed, self._costly.get(blamed, 0) + 1)

    def is_exhausting(self, expression: str, params: Mapping[str, Any], namespace: str) -> bool:
        """Whether a rule with these params took more time or memory than it may on many objects of a namespace.

        Neither the params of others nor the objects of others end a rule.
        """
        return self._costly.get((_digest((expression, params)), namespace), 0) >= self._many

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, request: Mapping[str, Any]) -> list[Any]:
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._begin()
            try:
                answer: list[Any] = json.loads(self._exchange(process, line))
            except (OSError, ValueError, _Silent) as error:
                died_of_it = isinstance(error, _Stuck) or _code_of(process) in _BY_A_RULE
                self._end()
                if died_of_it:
                    raise _Costly from error
                raise Transient(reasons.INTERNAL, "The process that evaluates the rules of policies gave no answer") from error
            return answer

    def _begin(self) -> subprocess.Popen[bytes]:
        self._end()
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        command = [sys.executable, "-m", "clouddatamesh.cel.worker"]
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=pipe, stdout=pipe, stderr=null, env=environment, bufsize=0
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        os.set_blocking(self._process.stdin.fileno(), False)
        self._left = b""
        try:
            self._read_line(self._process)
        except (OSError, _Silent) as error:
            self._end()
            raise Transient(reasons.INTERNAL, "The process that evaluates the rules of policies does not start") from error
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], line: bytes) -> bytes:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        ready = self._watch(process, process.stdin.fileno(), select.POLLOUT)
        while line:
            next(ready)
            line = line[os.write(process.stdin.fileno(), line) :]
        return self._read_line(process)

    def _read_line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        ready = self._watch(process, process.stdout.fileno(), select.POLLIN)
        while b"\n" not in self._left:
            next(ready)
            part = os.read(process.stdout.fileno(), 65_536)
            if not part:
                raise _Silent
            self._left += part
        answer, _, self._left = self._left.partition(b"\n")
        return answer

    def _watch(self, process: subprocess.Popen[bytes], pipe: int, event: int) -> Iterator[None]:
        """Each time that a pipe is ready. Raises _Silent where it is not in time, or the process sleeps in place of work."""
        end, poll = time.monotonic() + self._patience, select.poll()  # select() fails where a process has a thousand connections
        poll.register(pipe, event)
        while True:
            worked = _work_of(process.pid)
            if poll.poll(max(min(end - time.monotonic(), self._asleep), 0.0) * 1000):
                yield
            elif time.monotonic() >= end:
                raise _Silent
            elif worked is not None and worked == _work_of(process.pid):
                _log.warning("The process that evaluates the rules of policies sleeps in place of work; another one begins")
                raise _Stuck

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclass(frozen=True)
class _Data:
    """What rules are asked about, by what it is known again, and the namespace of the object."""

    value: Mapping[str, Any]
    digest: str
    namespace: str

    def identity(self, rule: _Rule) -> str:
        return _digest((*rule, self.digest))


def read_answer(answer: bool | str | None) -> Answered:
    """What the engine said; a text is the reason why it could not tell, and None that the rules before took all the time."""
    if answer is None:
        return Outcome.EXHAUSTED
    if isinstance(answer, str):
        return RuleFailure(answer)
    return Outcome.HOLDS if answer else Outcome.BROKEN


def _code_of(process: subprocess.Popen[bytes]) -> int | None:
    """How it ended; None where it goes on."""
    try:
        return process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return None


def _work_of(pid: int) -> tuple[str, ...] | None:
    """CPU that a process which sleeps has taken; None where it is at work, waits for a core, or cannot be seen, as on other systems."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return tuple(fields[11:13]) if fields[0] == "S" else None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _remember(memory: OrderedDict[Any, Any], expression: Hashable, value: Any) -> None:
    memory[expression] = value
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
