"""One manifest of ours: what the API server would say of it as a new object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clouddatamesh.checking.faults import BLOCKING, UNKNOWN, Fault, wrong_type
from clouddatamesh.checking.metadata import KNOWN, check_metadata
from clouddatamesh.checking.rules import Judge, check_rules
from clouddatamesh.checking.schema import Match, Schema, check_value, find_unknown, with_defaults


@dataclass(frozen=True)
class Definition:
    """What is known of a kind: its schema, and whether its objects are in namespaces."""

    schema: Schema
    namespaced: bool


@dataclass(frozen=True)
class Engine:
    """The language of rules and patterns, which an adapter provides."""

    match: Match
    judge: Judge


def check_manifest(manifest: Mapping[str, Any], definition: Definition, engine: Engine) -> list[Fault]:
    """All faults; empty where the API server would take it. The kind is known already."""
    schema = definition.schema
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        return [wrong_type(("metadata",), metadata, "object")]
    unknown = [*_unknown_metadata(metadata), *find_unknown({**manifest, "metadata": {}}, schema)]
    if unknown:
        return unknown
    whole = with_defaults(dict(manifest), schema)
    faults = [*check_metadata(manifest, namespaced=definition.namespaced), *check_value(_asked(whole), schema, engine.match)]
    if any(fault.reason in BLOCKING for fault in faults):
        return faults
    return [*faults, *check_rules(_with_name(whole), schema, engine.judge)]


def _asked(whole: dict[str, Any]) -> dict[str, Any]:
    """Without status, which the API server drops of what people write."""
    return {name: part for name, part in whole.items() if name != "status"}


def _with_name(whole: dict[str, Any]) -> dict[str, Any]:
    """With a name like the one that the API server would make: rules may ask for it."""
    metadata = whole["metadata"]
    return whole if metadata.get("name") else {**whole, "metadata": {**metadata, "name": f"{metadata['generateName']}xxxxx"}}


def _unknown_metadata(metadata: Mapping[str, Any]) -> Iterator[Fault]:
    yield from (Fault(("metadata", name), UNKNOWN, f'unknown field "metadata.{name}"') for name in metadata if name not in KNOWN)
