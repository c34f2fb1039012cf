"""Who uses and who asks for a product, read from raw requests: it is counted over thousands of them at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks


def asked_product(request: Manifest) -> Key:
    """The product that a request asks for."""
    product = _spec(request).get("dataProductRef") or {}
    return Key("DataProduct", str(product.get("namespace")), str(product.get("name")))


def consumer_key(request: Manifest) -> Key:
    """The product or ServiceAccount that is to use the access."""
    consumer, namespace = _spec(request).get("consumer") or {}, request["metadata"]["namespace"]
    kind, reference = ("DataProduct", "dataProductRef") if consumer.get("dataProductRef") else ("ServiceAccount", "serviceAccountRef")
    return Key(kind, namespace, str((consumer.get(reference) or {}).get("name")))


def asked_port(request: Manifest) -> tuple[str, str]:
    """Name and major version of the port."""
    port = _spec(request).get("outputPort") or {}
    return str(port.get("name")), str(port.get("version")).split(".", maxsplit=1)[0]


def has_access(request: Manifest) -> bool:
    """Whether anything stands, or is just being made or taken away."""
    return bool(_status(request).get("grantRef"))


def holds_principal(request: Manifest) -> bool:
    """Whether a user in the store may be this request's: its record says so, or it was not decided yet."""
    return bool(_status(request).get("principal")) or not any(c["type"] == "Ready" for c in _conditions(request))


def is_in_effect(request: Manifest) -> bool:
    """Whether access was read back as standing."""
    return has_access(request) and any(c["type"] == "Provisioned" and c["status"] == "True" for c in _conditions(request))


def is_pending(request: Manifest) -> bool:
    """Whether the owner has something to decide: a request without an answer, or a renewal that is newer than the last one."""
    if request["metadata"].get("deletionTimestamp"):
        return False
    ready = next((c for c in _conditions(request) if c["type"] == "Ready"), None)
    asked = (_spec(request).get("renewal") or {}).get("requestedAt")
    decided = _status(request).get("decidedAt")
    if asked and decided and _moment(asked) > _moment(decided):
        return ready is not None and ready["reason"] != reasons.DENIED
    return ready is not None and ready["reason"] == reasons.AWAITING_GRANT


def standing_of(request: Manifest | None) -> tuple[Any, ...]:
    """What of a request's status others rest on: its grant, and how it stands."""
    if request is None:
        return ()
    found = [(c["type"], c["status"], c["reason"]) for c in _conditions(request) if c["type"] in ("Ready", "Provisioned")]
    return (_status(request).get("grantRef"), found)


def count_by_port(requests: Iterable[Manifest]) -> Counter[tuple[str, str]]:
    """How many have access, by name and major version of the port."""
    return Counter(asked_port(request) for request in requests if has_access(request))


def pending_entry(request: Manifest) -> dict[str, Any]:
    """One line of the owner's worklist."""
    spec, metadata = _spec(request), request["metadata"]
    port = spec.get("outputPort") or {}
    entry = {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "outputPort": f"{port.get('name')}/{port.get('version')}",
        "mode": spec.get("mode"),
        "consumer": str(consumer_key(request)),
        "purpose": spec.get("purpose"),
        "duration": "permanent" if spec.get("permanent") else spec.get("duration"),
        "renewal": (spec.get("renewal") or {}).get("reason"),
        "digest": _status(request).get("digest"),
    }
    return {name: value for name, value in entry.items() if value}


def ends_now(request: Manifest, get: Callable[[Key], Manifest | None], now: datetime) -> bool:
    """Whether access stands and has clearly lost its ground: a quick look for the queue's order; the decision itself is plan/access.py."""
    grant = _status(request).get("grantRef")
    if not grant:
        return False
    until = _status(request).get("validUntil")
    if request["metadata"].get("deletionTimestamp") or (until and _moment(until) <= now):
        return True
    held = get(Key("AccessGrant", grant["namespace"], grant["name"]))
    product = get(asked_product(request))
    return (
        held is None or _is_over(held, grant["uid"], now) or product is None or _is_withdrawn(product) or get(consumer_key(request)) is None
    )


def _is_over(grant: Manifest, uid: str, now: datetime) -> bool:
    metadata, until = grant["metadata"], _spec(grant).get("validUntil")
    gone = metadata["uid"] != uid or bool(metadata.get("deletionTimestamp")) or _spec(grant).get("decision") != "Approve"
    return gone or bool(until and not _spec(grant).get("permanent") and _moment(until) <= now)


def is_refused(request: Manifest, grants: Iterable[Manifest]) -> bool:
    """Whether access stands and one of these grants is a Deny of it: likewise a quick look."""
    return has_access(request) and any(_refuses(grant, request) for grant in grants)


def _refuses(grant: Manifest, request: Manifest) -> bool:
    spec, asked = _spec(grant), asked_product(request)
    if spec.get("decision") != "Deny" or grant["metadata"].get("deletionTimestamp"):
        return False
    if (grant["metadata"]["namespace"], (spec.get("dataProductRef") or {}).get("name")) != (asked.namespace, asked.name):
        return False
    same = all(spec.get(part) == _spec(request).get(part) for part in ("consumer", "mode") if spec.get("requestRef"))
    return same and (not spec.get("outputPort") or asked_port(grant) == asked_port(request))


def _is_withdrawn(product: Manifest) -> bool:
    forced = (product["metadata"].get("annotations") or {}).get(marks.FORCE_ANNOTATION) == product["metadata"]["name"]
    deleting = bool(product["metadata"].get("deletionTimestamp")) and forced
    return deleting or _spec(product).get("lifecycle") not in ("active", "deprecated", None)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _spec(manifest: Manifest) -> Mapping[str, Any]:
    return manifest.get("spec") or {}


def _status(manifest: Manifest) -> Mapping[str, Any]:
    return manifest.get("status") or {}


def _conditions(manifest: Manifest) -> tuple[Mapping[str, Any], ...]:
    return tuple(_status(manifest).get("conditions") or ())
