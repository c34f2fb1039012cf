"""Step 1: a manifest becomes a model, or a sentence that names the field."""

from copy import deepcopy
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from clouddatamesh import reasons
from clouddatamesh.api.base import Resource
from clouddatamesh.errors import Terminal
from clouddatamesh.model.objects import Manifest

R = TypeVar("R", bound=Resource)
_SHOWN = 3
_ROUNDS: Final = 8


def parse(model: type[R], manifest: Manifest) -> R:
    """The manifest as a model. What does not fit is Terminal(InvalidSpec); values are never echoed, they may be secrets."""
    try:
        return model.model_validate(manifest)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False, include_url=False)]
        raise Terminal(reasons.INVALID_SPEC, "; ".join(sorted(faults)[:_SHOWN])) from None


def read_leniently(model: type[R], manifest: Manifest) -> R:
    """The manifest without what cannot be read of it: for what goes or takes away, which must not fail over a field that it does not need.

    Every default of our models is the cautious one. What is required and cannot be read is Terminal(InvalidSpec).
    """
    left = deepcopy(dict(manifest))
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(left)
        except ValidationError as error:
            places = [fault["loc"] for fault in error.errors(include_input=False, include_url=False)]
        if not any([_drop(left, place) for place in sorted(places, key=_deepest_first)]):
            break
    return parse(model, manifest)


def _deepest_first(place: tuple[int | str, ...]) -> tuple[int, list[str]]:
    return -len(place), [f"{part:08}" if isinstance(part, int) else part for part in place][::-1]


def _drop(left: Any, place: tuple[int | str, ...]) -> bool:
    """Take the innermost thing that a place names out; whether there was one."""
    for part in place[:-1]:
        inside = isinstance(left, list) and isinstance(part, int) and part < len(left)
        if not inside and not (isinstance(left, dict) and part in left):
            return False
        left = left[part]
    last = place[-1]
    if isinstance(left, dict) and last in left:
        del left[last]
        return True
    return False


def is_readable(model: type[R], manifest: Manifest) -> bool:
    """Whether the whole manifest can be read by this version of the operator."""
    try:
        model.model_validate(manifest)
    except ValidationError:
        return False
    return True
