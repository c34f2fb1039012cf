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
_GAP: Final = object()
_MEANT: Final = frozenset(
    {
        ("spec", "endpointUrl"),
        ("spec", "iamEndpointUrl"),
        ("spec", "allowedDomains"),
        ("spec", "storage"),
        ("status", "storage"),
        ("status", "producer"),
    }
)
"""Where there is none of these, another store is meant, every domain, or nothing that was ever made: that is not for us to say."""


def parse(model: type[R], manifest: Manifest) -> R:
    """The manifest as a model. What does not fit is Terminal(InvalidSpec); values are never echoed, they may be secrets."""
    try:
        return model.model_validate(manifest)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False, include_url=False)]
        raise Terminal(reasons.INVALID_SPEC, "; ".join(sorted(faults)[:_SHOWN])) from None


def read_leniently(model: type[R], manifest: Manifest) -> R:
    """The manifest without what cannot be read of it: for what goes or takes away, which must not fail over a field that it does not need.

    Every default of our models is the cautious one, but for those in `_MEANT`. What is required is taken out with what it is part of;
    where that cannot be missing it is Terminal(InvalidSpec).
    """
    left: Any = manifest
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(left)
        except ValidationError as error:
            places = [fault["loc"] for fault in error.errors(include_input=False, include_url=False)]
        left = deepcopy(dict(manifest)) if left is manifest else left
        if not any([_drop(left, place) for place in places]):
            break
        left = _without_gaps(left)
    return parse(model, manifest)


def _drop(left: Any, place: tuple[int | str, ...]) -> bool:
    """Take out the innermost thing that a place names, or what that is part of; whether there was one. Metadata is kept as a whole."""
    around = (place[: number + 1] for number in reversed(range(1, len(place))) if place[0] != "metadata")
    return any(wider not in _MEANT and _cut(left, wider) for wider in (place, *around))


def _cut(left: Any, place: tuple[int | str, ...]) -> bool:
    """Leave a gap, so that the places of other list entries stay as they were told."""
    for part in place:
        inside = isinstance(left, list) and isinstance(part, int) and part < len(left)
        if not inside and not (isinstance(left, dict) and part in left):
            return False
        around, left = left, left[part]
    around[place[-1]] = _GAP
    return True


def _without_gaps(left: Any) -> Any:
    if isinstance(left, dict):
        return {name: _without_gaps(value) for name, value in left.items() if value is not _GAP}
    return [_without_gaps(value) for value in left if value is not _GAP] if isinstance(left, list) else left


def find_unreadable(model: type[R], manifest: Manifest) -> Terminal | None:
    """What of a manifest cannot be read; None where all can."""
    try:
        parse(model, manifest)
    except Terminal as error:
        return error
    return None


def is_readable(model: type[R], manifest: Manifest) -> bool:
    """Whether the whole manifest can be read by this version of the operator."""
    try:
        model.model_validate(manifest)
    except ValidationError:
        return False
    return True
