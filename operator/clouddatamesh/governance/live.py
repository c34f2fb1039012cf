"""`live`: what a rule may ask of the world, from what the operator read. Ages are whole days, because CEL here has no clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.facts import conditions_of, moment, part_of
from clouddatamesh.plan.policies import TLS_ONLY_SID


def bucket_facts(bucket: Bucket) -> dict[str, Any]:
    """The settings of a bucket as they were read; what the store cannot do is not done."""
    return {
        "bucket": {
            "name": bucket.name,
            "publicAccessBlocked": bucket.public_access_blocked is True,
            "tlsOnly": any(statement.sid == TLS_ONLY_SID and statement.effect == "Deny" for statement in bucket.policy or ()),
            "encryption": bucket.encryption or "",
            "versioning": bucket.versioning or "Off",
        }
    }


def live_facts(manifest: Manifest, seen: Mapping[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    """What is known of an object besides its spec; None where its bucket is yet to be read by this process."""
    kind, status = manifest["kind"], part_of(manifest, "status")
    facts: dict[str, Any] = {"ageDays": _days(manifest["metadata"].get("creationTimestamp"), now), "conditions": _conditions(manifest)}
    if kind == "DataProduct":
        if seen is None and part_of(status, "storage").get("bucket"):
            return None
        ports = _list(status, "outputPorts")
        facts["outputPorts"] = [{"name": port.get("name"), "version": port.get("version"), "consumers": _used(port)} for port in ports]
        facts["consumers"] = sum(map(_used, ports))
        region = str(part_of(status, "storage").get("region") or "")
        facts |= {**({"region": region} if region else {}), **(seen or {})}
    if kind == "AccessGrant":
        facts["inEffect"] = facts["conditions"].get("InEffect") == "True"
        facts["validUntil"] = str(status.get("validUntil") or "")
    return facts


def awaits_bucket(kind: str, live: Mapping[str, Any] | None) -> bool:
    """Whether a product has no bucket yet: a rule on it must not keep it from being made."""
    return kind == "DataProduct" and live is not None and "bucket" not in live


def _list(status: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = status.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def _used(port: Mapping[str, Any]) -> int:
    return int(port.get("consumers") or 0)


_TOLD: Final = frozenset({"DriftDetected", "InputsReady", "InEffect", "Expired", "Approved"})
"""Conditions that no verdict changes: a rule on the others would be judged by what came of judging it."""


def _conditions(manifest: Manifest) -> dict[str, str]:
    return {str(one.get("type")): str(one.get("status")) for one in conditions_of(manifest) if one.get("type") in _TOLD}


def _days(since: Any, now: datetime) -> int:
    began = moment(since)
    return max((now - began).days, 0) if began is not None else 0
