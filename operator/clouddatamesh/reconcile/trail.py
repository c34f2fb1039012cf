"""Which reconciliation a thread is in and at which step of it, so that every line of log can say so, whoever writes it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from clouddatamesh.model.objects import Key


@dataclass(frozen=True)
class Trail:
    """`id` is of one reconciliation, `step` one of parse, gather, plan, apply, summarize and write, `part` that of the plan."""

    key: Key
    id: str
    step: str = "parse"
    part: str = ""


_CURRENT: Final[ContextVar[Trail | None]] = ContextVar("trail", default=None)


@contextmanager
def reconciling(key: Key) -> Iterator[None]:
    """What runs within is one reconciliation of an object."""
    token = _CURRENT.set(Trail(key, uuid.uuid4().hex))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def at(step: str, part: str = "") -> None:
    """The reconciliation of this thread, if it is in one, comes to a step."""
    trail = _CURRENT.get()
    if trail is not None:
        _CURRENT.set(replace(trail, step=step, part=part))


def current() -> Trail | None:
    """The reconciliation that this thread is in."""
    return _CURRENT.get()
