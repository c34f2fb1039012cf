"""Values of raw manifests as far as they are of the kind that is expected: what is not counts as missing, and never raises."""

from collections.abc import Iterator, Mapping
from typing import Any

from clouddatamesh.model.access import DataTerms, GrantId
from clouddatamesh.model.objects import Key


def map_of(value: Any) -> Mapping[str, Any]:
    """A map; empty where it is none."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> list[Any]:
    """A list; empty where it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def text_of(value: Any) -> str | None:
    """A text."""
    return value if isinstance(value, str) else None


def count(value: Any) -> int | None:
    """A number of things, at least one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def grant_key(reference: Mapping[str, Any]) -> Key | None:
    """A grant on which what is in the store rests."""
    namespace, name = reference.get("namespace"), reference.get("name")
    return Key("AccessGrant", str(namespace), str(name)) if namespace and name else None


def counted(raw: Any) -> Iterator[GrantId]:
    """The grants on which what is in the store rests, where they are several."""
    for reference in map(map_of, list_of(raw)):
        key = grant_key(reference)
        if key is not None and reference.get("uid"):
            yield GrantId(key, str(reference["uid"]))


def data_of(raw: Mapping[str, Any]) -> DataTerms | None:
    """What a product says of its data."""
    classification, personal = raw.get("classification"), raw.get("personalData")
    return DataTerms(classification, personal) if isinstance(classification, str) and isinstance(personal, bool) else None
