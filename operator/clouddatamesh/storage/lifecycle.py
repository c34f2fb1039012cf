"""Lifecycle rules as values: ours by ID, the rest carried through untouched. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clouddatamesh.model.bucket import PREFIX, LifecycleRule

_PARTS: Final = {"ID", "Status", "Filter", "Prefix", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}


def parse_rules(rules: Iterable[Mapping[str, Any]]) -> tuple[tuple[LifecycleRule, ...], tuple[str, ...]]:
    """Our rules, sorted by id, and the foreign ones as canonical JSON."""
    ours: list[LifecycleRule] = []
    foreign: list[str] = []
    for raw in rules:
        if str(raw.get("ID", "")).startswith(PREFIX):
            ours.append(_parse(raw))
        else:
            foreign.append(json.dumps(raw, sort_keys=True, default=str))
    return tuple(sorted(ours, key=lambda rule: rule.id)), tuple(foreign)


def build_rules(ours: Iterable[LifecycleRule], foreign: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Rules as the S3 API takes them."""
    return [*map(json.loads, foreign), *(_build(rule) for rule in ours)]


def _parse(raw: Mapping[str, Any]) -> LifecycleRule:
    expiration = raw.get("Expiration") or {}
    plain = raw.get("Status") == "Enabled" and not set(raw) - _PARTS and set(expiration) <= {"Days", "ExpiredObjectDeleteMarker"}
    return LifecycleRule(
        id=raw["ID"],
        prefix=_prefix(raw),
        expire_days=expiration.get("Days"),
        expire_noncurrent_days=(raw.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays"),
        abort_uploads_days=(raw.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation"),
        readable=plain,
    )


def _prefix(raw: Mapping[str, Any]) -> str:
    found = (raw.get("Filter") or {}).get("Prefix")
    return str(found if found is not None else raw.get("Prefix") or "")


def _build(rule: LifecycleRule) -> dict[str, Any]:
    built: dict[str, Any] = {"ID": rule.id, "Status": "Enabled", "Filter": {"Prefix": rule.prefix}}
    if rule.expire_days is not None:
        built["Expiration"] = {"Days": rule.expire_days}
    if rule.expire_noncurrent_days is not None:
        built["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.expire_noncurrent_days}
    if rule.abort_uploads_days is not None:
        built["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.abort_uploads_days}
    return built
