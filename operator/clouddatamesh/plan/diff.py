"""Differences between what is wanted and what was read, by meaning and not as text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from clouddatamesh.model.bucket import Bucket, BucketPath, Delta
from clouddatamesh.model.objects import Manifest

_ATTRIBUTES: Final[dict[BucketPath, str]] = {
    "tags": "tags",
    "publicAccessBlock": "public_access_blocked",
    "ownership": "ownership_enforced",
    "policy": "policy",
    "encryption": "encryption",
    "versioning": "versioning",
    "lifecycle": "lifecycle",
}
"""In the order in which a new bucket is made safe."""

_SUFFIXES: Final = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY: Final = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<suffix>[numkMGTPE]?|[KMGTPE]i)")


def diff_bucket(observed: Bucket, want: Bucket) -> Delta:
    """The settings of `want` that `observed` does not have; a setting that is not wanted never differs."""
    return tuple(path for path, name in _ATTRIBUTES.items() if _differs(getattr(observed, name), getattr(want, name)))


def _differs(observed: object, want: object) -> bool:
    if want is None:
        return False
    if isinstance(observed, tuple) and isinstance(want, tuple):
        return sorted(observed) != sorted(want)
    return observed != want


def apply_delta(observed: Bucket, want: Bucket, path: BucketPath) -> Bucket:
    """What a bucket is once one setting was written."""
    return replace(observed, **{_ATTRIBUTES[path]: getattr(want, _ATTRIBUTES[path])})


assert {field.name for field in fields(Bucket)} >= set(_ATTRIBUTES.values())  # noqa: S101 - a renamed field must not pass


def parse_quantity(text: object) -> Decimal | None:
    """The number that a Kubernetes quantity represents (`500m`, `1Gi`), None where it is none."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        return None
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"]]


def covers(observed: Any, want: Any, *, path: str = "") -> bool:
    """Whether everything wanted of a child is in what was read.

    Maps may hold more than was wanted where others may add (labels, annotations); everywhere else, and in lists, nothing may be missing
    and nothing may be more: what was wanted before goes.
    """
    if isinstance(want, Mapping):
        return isinstance(observed, Mapping) and _covers_map(observed, want, path)
    if isinstance(want, Sequence) and not isinstance(want, str):
        return (
            isinstance(observed, Sequence)
            and len(observed) == len(want)
            and all(covers(a, b, path=path) for a, b in zip(observed, want, strict=True))
        )
    if path.startswith((".spec.hard", ".spec.limits")) and parse_quantity(want) is not None:
        return parse_quantity(observed) == parse_quantity(want)
    return bool(observed == want)


def _covers_map(observed: Mapping[str, Any], want: Mapping[str, Any], path: str) -> bool:
    open_ended = path in ("", ".metadata", ".metadata.labels", ".metadata.annotations")
    if not open_ended and set(observed) - set(want):
        return False
    return all(key in observed and covers(observed[key], value, path=f"{path}.{key}") for key, value in want.items())


def with_uid(manifest: Manifest, uid: str) -> Manifest:
    """The same manifest, bound to the one object that it is meant for."""
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid}}
