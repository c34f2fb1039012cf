"""The few fields on which access rests, read leniently from raw manifests: the one reading by which access is given and taken.

A field that cannot be read is never taken for a no. Whether the whole object can be read (`readable`) is for the caller to say; what
cannot gives nothing new and takes nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.model.access import DAWN, DEFAULT_MODES, Answer, Ask, Offer, Place, Port
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.takeover import TakeOver
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.lenient import count, counted, data_of, grant_key
from clouddatamesh.plan.access.lenient import list_of as _list
from clouddatamesh.plan.access.lenient import map_of as _map
from clouddatamesh.plan.access.lenient import text_of as _text
from clouddatamesh.plan.names import hash80

_ANSWER: Final = re.compile(r"auto-.+-[a-z2-7]{16}")
"""Names of the grants that the operator makes: they end in a hash."""


def read_request(request: Manifest) -> Ask:
    """An AccessRequest's facts."""
    metadata, spec, status = request["metadata"], part_of(request, "spec"), part_of(request, "status")
    port, renewal = _map(spec.get("outputPort")), _map(spec.get("renewal"))
    return Ask(
        key=key_of(request),
        uid=metadata["uid"],
        product=asked_product(request),
        port=asked_port(request),
        version=str(port.get("version")),
        created=moment(metadata.get("creationTimestamp")),
        mode=str(spec.get("mode") or "ReadOnly"),
        consumer=consumer_key(request),
        duration=_text(spec.get("duration")),
        permanent=spec.get("permanent") is True,
        secret_name=str(spec.get("secretName") or ""),
        renewal_at=moment(renewal.get("requestedAt")),
        grant_key=grant_key(_map(status.get("grantRef"))),
        grant_uid=str(_map(status.get("grantRef")).get("uid") or ""),
        counted=tuple(counted(status.get("countedGrants"))),
        place=_place(_map(status.get("place"))),
        principal=str(status.get("principal") or ""),
        key_ids=frozenset(_key_ids(status)),
        secret=str(_map(status.get("binding")).get("name") or ""),
        recorded_end=moment(status.get("validUntil")),
        decided_at=moment(status.get("decidedAt")),
        rotated_at=moment(status.get("rotatedAt")),
        was_given=bool(status.get("validFrom")),
        is_provisioned=_says(request, "Provisioned"),
        is_in_doubt=_says(request, "Provisioned", "Unknown"),
        has_expired=_says(request, "Expired"),
        abandoned=str(status.get("abandoned") or ""),
        abandoned_id=str(status.get("abandonedStoreId") or ""),
        take_over=read_take_over(status),
    )


def read_grant(grant: Manifest) -> Answer:
    """An AccessGrant's facts."""
    metadata, spec, status = grant["metadata"], part_of(grant, "spec"), part_of(grant, "status")
    asked = _map(spec.get("requestRef"))
    request = Key("AccessRequest", str(asked["namespace"]), str(asked["name"])) if asked.get("namespace") and asked.get("name") else None
    return Answer(
        key=key_of(grant),
        uid=metadata["uid"],
        created=moment(metadata.get("creationTimestamp")) or DAWN,
        decision="Approve" if spec.get("decision") == "Approve" else "Deny",
        product=str(_map(spec.get("dataProductRef")).get("name") or ""),
        port=asked_port(grant) if spec.get("outputPort") else None,
        request=request,
        consumer_namespace=str(spec.get("consumerNamespace") or ""),
        consumer=_consumer(_map(spec.get("consumer")), request.namespace if request else ""),
        mode=str(spec.get("mode") or ""),
        ends=moment(spec.get("validUntil")),
        permanent=spec.get("permanent") is True,
        note=str(spec.get("note") or ""),
        approver=_text(spec.get("approver")) or "",
        deleting=bool(metadata.get("deletionTimestamp")),
        held=marks.FINALIZER in (metadata.get("finalizers") or ()),
        superseded=_says(grant, "Superseded"),
        cap=span(status.get("maxDuration")),
        approvals=count(status.get("approvals")) or 1,
        required=count(status.get("requiredApprovals")) or 1,
        data=data_of(_map(status.get("data"))),
        is_reassessment_due=_says(grant, "ReassessmentDue"),
        generation=int(metadata.get("generation") or 0),
        ended=_is_ended(grant),
        given_domain=str(_map(status.get("consumer")).get("domain") or ""),
        given_namespace=str(_map(status.get("consumer")).get("namespaceUid") or ""),
        owner=_own_mark(metadata),
        denied=_is_denied(status),
    )


def _is_ended(grant: Manifest) -> bool:
    """Whether the port's terms ended access on this very spec: a generation is one object's, and a restored object begins at 1 again."""
    metadata, status = grant["metadata"], part_of(grant, "status")
    ended, uid = status.get("endedGeneration"), status.get("endedUid")
    if ended is not None and uid not in (None, metadata["uid"]):
        return status.get("endedSpec") == digest_of_spec(grant)
    return ended is not None and ended == metadata.get("generation")


def digest_of_spec(manifest: Manifest) -> str:
    """By which a spec is known again, in whichever object it is."""
    return hash80(json.dumps(manifest.get("spec"), sort_keys=True, default=str))


def read_product(product: Manifest) -> Offer:
    """A DataProduct's facts."""
    metadata, spec, status = product["metadata"], part_of(product, "spec"), part_of(product, "status")
    storage, recorded = _map(spec.get("storage")), _map(status.get("storage"))
    ready = next((c for c in conditions_of(product) if c.get("type") == "StorageReady"), {})
    impaired = ready.get("status") in ("False", "Unknown")
    deleting = bool(metadata.get("deletionTimestamp"))
    return Offer(
        key=key_of(product),
        uid=metadata["uid"],
        lifecycle=str(spec.get("lifecycle") or "active"),
        ports=tuple(_ports(spec.get("outputPorts"))),
        former_ports=tuple(_former_ports(status.get("outputPorts"))),
        deleting=deleting,
        cut_off=frozenset(cut_offs(product)),
        suspended=spec.get("suspend") is True,
        mode=str(spec.get("mode") or "Manage"),
        store=str(_map(storage.get("storeRef")).get("name") or ""),
        bucket=str(recorded.get("bucket") or ""),
        region=str(recorded.get("region") or "") if recorded.get("regionFrom") == "Bucket" else "",
        verified=recorded.get("ownershipVerified") is True
        and recorded.get("phase") != "Creating"
        and recorded.get("uid") in (None, metadata["uid"]),
        storage_reason=str(ready.get("reason") or "") if impaired else "",
        storage_message=str(ready.get("message") or "") if impaired else "",
        denied=_is_denied(status),
        data=data_of({"classification": spec.get("classification", "internal"), "personalData": spec.get("personalData", False)}),
    )


def _is_denied(status: Mapping[str, Any]) -> bool:
    return _map(status.get("compliance")).get("denied") is True


def cut_offs(product: Manifest) -> Iterator[str]:
    """What the owner wants cut off: the product's name, or a port as `name/major`; several of them are separated by commas.

    `cut-off` counts at once; `force-delete` for one port likewise, and for the whole product once that is being deleted.
    """
    annotations = product["metadata"].get("annotations") or {}
    yield from map(cut_of, words_of(annotations.get(marks.CUT_OFF_ANNOTATION)))
    forced = annotations.get(marks.FORCE_ANNOTATION)
    if forced and (forced != product["metadata"]["name"] or product["metadata"].get("deletionTimestamp")):
        yield cut_of(str(forced))


def words_of(listed: Any) -> tuple[str, ...]:
    """What an annotation names, separated by commas."""
    return tuple(word for part in str(listed or "").split(",") if (word := part.strip()))


def cut_of(wanted: str) -> str:
    """A port is known by name and major version, whichever version of it was written."""
    name, slash, version = wanted.partition("/")
    return f"{name}/{major(version)}" if slash else name


def _ports(raw: Any) -> Iterator[Port]:
    for port in map(_map, _list(raw)):
        access = _map(port.get("access"))
        modes, approvals = access.get("modes", DEFAULT_MODES), count(access.get("approvals", 1))
        known = isinstance(modes, list | tuple) and all(isinstance(mode, str) for mode in modes)
        yield Port(
            name=str(port.get("name")),
            major=major(port.get("version")),
            version=str(port.get("version")),
            path=str(port.get("path") or ""),
            approval=str(access.get("approval") or "Manual") if approvals == 1 else "Manual",
            max_duration=span(access.get("maxDuration")),
            min_duration=span(access.get("minDuration")) or Port.min_duration,
            allow_permanent=access.get("allowPermanent") is True,
            keep_given=access.get("keepGiven") is True,
            approvals=approvals,
            answer_within=span(access.get("answerWithin")),
            deprecated=port.get("deprecated") is True,
            rotate_after=span(access.get("rotateAfter")),
            modes=tuple(modes) if known else None,
        )


def _former_ports(raw: Any) -> Iterator[Port]:
    """Their terms are not known any more: what was given under them goes on to its recorded end."""
    for port in map(_map, _list(raw)):
        if port.get("path"):
            version = str(port.get("version"))
            name, path = str(port.get("name")), str(port["path"])
            yield Port(name, major(version), version, path, allow_permanent=True, approvals=None, modes=None, draining=True)


def asked_product(request: Manifest) -> Key:
    """The product that a request asks for."""
    product = _map(part_of(request, "spec").get("dataProductRef"))
    return Key("DataProduct", str(product.get("namespace")), str(product.get("name")))


def consumer_key(request: Manifest) -> Key:
    """The product or ServiceAccount that is to use the access."""
    named = _consumer(_map(part_of(request, "spec").get("consumer")), request["metadata"]["namespace"])
    return named or Key("ServiceAccount", request["metadata"]["namespace"], "None")


def _consumer(consumer: Mapping[str, Any], namespace: str) -> Key | None:
    for reference, kind in (("dataProductRef", "DataProduct"), ("serviceAccountRef", "ServiceAccount")):
        name = _map(consumer.get(reference)).get("name")
        if name:
            return Key(kind, namespace, str(name))
    return None


def asked_port(manifest: Manifest) -> tuple[str, str]:
    """Name and major version of the port that a request or a grant names."""
    port = _map(part_of(manifest, "spec").get("outputPort"))
    return str(port.get("name")), major(port.get("version"))


def major(version: Any) -> str:
    """The major version, by which access goes."""
    return str(version).split(".", maxsplit=1)[0]


def moment(text: Any) -> datetime | None:
    """A time in UTC; None where there is none, or none that can be read."""
    try:
        return parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def span(text: Any) -> timedelta | None:
    """A duration; None where there is none, or none that can be read."""
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def part_of(manifest: Manifest, name: str) -> Mapping[str, Any]:
    """A map within a manifest, such as `spec` or `status`; empty where it is missing or no map."""
    return _map(manifest.get(name))


def conditions_of(manifest: Manifest) -> tuple[Mapping[str, Any], ...]:
    """The conditions of a status, as they are."""
    return tuple(map(_map, _list(part_of(manifest, "status").get("conditions"))))


def _says(manifest: Manifest, condition: str, status: str = "True") -> bool:
    return any(found.get("type") == condition and found.get("status") == status for found in conditions_of(manifest))


def _key_ids(status: Mapping[str, Any]) -> Iterator[str]:
    found = (status.get("accessKeyId"), _map(status.get("rotation")).get("accessKeyId"))
    return (str(key_id) for key_id in found if key_id)


def _place(raw: Mapping[str, Any]) -> Place | None:
    if not raw.get("store"):
        return None
    bucket, path, store_id = (str(raw.get(field) or "") for field in ("bucket", "path", "storeId"))
    return Place(str(raw["store"]), bucket, path, store_id, handed_on=raw.get("handedOn") is True)


def read_take_over(status: Mapping[str, Any]) -> TakeOver:
    """What a request's or a product's status says of users of lost clusters."""
    raw = _map(status.get("takeOver"))
    cluster, marker = (str(raw.get(field) or "") for field in ("cluster", "marker"))
    return TakeOver(moment(raw.get("until")), cluster, tuple(map(str, _list(raw.get("done")))), marker)


def _own_mark(metadata: Mapping[str, Any]) -> str:
    """By name and mark: a copy that an owner made of an answer of ours has another name. Labels prove nothing, as others write them too."""
    mark = (metadata.get("annotations") or {}).get(marks.OWNER_ANNOTATION)
    return str(mark or "") if _ANSWER.fullmatch(metadata["name"]) else ""
