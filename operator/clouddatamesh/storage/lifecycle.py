"""Lifecycle rules as values: ours by ID, the rest carried through with its meaning untouched. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clouddatamesh.model.bucket import PREFIX, LifecycleRule

_PARTS: Final = {"ID", "Status", "Filter", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}
_ALLOWED: Final = {
    "Filter": {"Prefix"},
    "Expiration": {"Days"},
    "NoncurrentVersionExpiration": {"NoncurrentDays"},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation"},
}


def parse_rules(rules: Iterable[Mapping[str, Any]]) -> tuple[tuple[LifecycleRule, ...], tuple[str, ...]]:
    """Our rules, sorted by id, and the foreign ones as canonical JSON."""
    ours: list[LifecycleRule] = []
    foreign: list[str] = []
    for raw in map(_with_filter, rules):
        if str(raw.get("ID", "")).startswith(PREFIX):
            ours.append(_parse(raw))
        else:
            foreign.append(json.dumps(raw, sort_keys=True, default=str))
    return tuple(sorted(ours, key=lambda rule: rule.id)), tuple(sorted(foreign))


def build_rules(ours: Iterable[LifecycleRule], foreign: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Rules as the S3 API takes them."""
    return [*map(json.loads, foreign), *(_build(rule) for rule in ours)]


def _with_filter(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The old way to write a prefix in the new one: S3 refuses both in one configuration, and RGW reads an empty filter back as the old."""
    if "Filter" in raw:
        return {**raw, "Filter": raw["Filter"] or {"Prefix": ""}}
    rest = {key: value for key, value in raw.items() if key != "Prefix"}
    return {**rest, "Filter": {"Prefix": raw.get("Prefix") or ""}}


def _parse(raw: Mapping[str, Any]) -> LifecycleRule:
    plain = raw.get("Status") in ("Enabled", "Disabled") and not set(raw) - _PARTS
    return LifecycleRule(
        id=raw["ID"],
        prefix=str(raw["Filter"].get("Prefix") or ""),
        expire_days=raw.get("Expiration", {}).get("Days"),
        expire_noncurrent_days=raw.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        abort_uploads_days=raw.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        enabled=raw.get("Status") != "Disabled",
        readable=plain and all(_says_no_more(raw.get(part, {}), parts) for part, parts in _ALLOWED.items()),
    )


def _says_no_more(found: Mapping[str, Any], parts: set[str]) -> bool:
    """A value that says nothing, as `ExpiredObjectDeleteMarker: false`, adds no meaning."""
    return {key for key, value in found.items() if value} <= parts


def _build(rule: LifecycleRule) -> dict[str, Any]:
    built: dict[str, Any] = {"ID": rule.id, "Status": "Enabled" if rule.enabled else "Disabled", "Filter": {"Prefix": rule.prefix}}
    if rule.expire_days is not None:
        built["Expiration"] = {"Days": rule.expire_days}
    if rule.expire_noncurrent_days is not None:
        built["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.expire_noncurrent_days}
    if rule.abort_uploads_days is not None:
        built["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.abort_uploads_days}
    return built
