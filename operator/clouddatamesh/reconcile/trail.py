"""Which reconciliation a thread is in and at which step of it, so that every line of log and every trace can say so."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final, ParamSpec, TypeAlias, TypeVar

from clouddatamesh.model.objects import Key

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Trail:
    """`id` is of one reconciliation, `step` one of parse, gather, plan, apply, summarize, write and end, `part` that of the plan.

    `failures` are the reasons of what failed; they are known at the end.
    """

    key: Key
    id: str
    step: str = "parse"
    part: str = ""
    failures: tuple[str, ...] = ()


Follower: TypeAlias = Callable[[Trail | None], object]
"""Called at each step of a reconciliation, in its thread, and with None at its end."""


@dataclass(frozen=True)
class _Followed:
    trail: Trail
    follow: Follower


_CURRENT: Final[ContextVar[_Followed | None]] = ContextVar("trail", default=None)


def nobody(_: Trail | None) -> None:
    """Follows nothing."""


@contextmanager
def reconciling(key: Key, follow: Follower = nobody) -> Iterator[None]:
    """What runs within is one reconciliation of an object."""
    trail = Trail(key, uuid.uuid4().hex)
    token = _CURRENT.set(_Followed(trail, follow))
    follow(trail)
    try:
        yield
    finally:
        _CURRENT.reset(token)
        follow(None)


def at(step: str, part: str = "", *, failures: tuple[str, ...] = ()) -> None:
    """The reconciliation of this thread, if it is in one, comes to a step, or goes on with it."""
    followed = _CURRENT.get()
    if followed is not None and (followed.trail.step, followed.trail.part) != (step, part):
        trail = replace(followed.trail, step=step, part=part, failures=failures)
        _CURRENT.set(replace(followed, trail=trail))
        followed.follow(trail)


def during(step: str, act: Callable[P, T]) -> Callable[P, T]:
    """The same function as a step."""

    def stepped(*args: P.args, **named: P.kwargs) -> T:
        at(step)
        return act(*args, **named)

    return stepped


def current() -> Trail | None:
    """The reconciliation that this thread is in."""
    followed = _CURRENT.get()
    return followed.trail if followed is not None else None
