"""A product's AccessInbox: who asks for it, who uses it, and its lineage; what the others who may find the product must not see."""

from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.operations import CreateChild, WriteInbox
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.access.consumers import has_access, is_escalated, is_pending
from clouddatamesh.plan.access.facts import asked_product, consumer_key, part_of

MOST: Final = 200
KIND: Final = "AccessInbox"


def plan_inbox(product: DataProduct, world: ProductWorld) -> Steps:
    """One inbox for each product with ports; written only where it differs."""
    metadata = product.metadata
    if world.inbox is None:
        return Steps((CreateChild(_manifest(product)),)) if product.spec.output_ports and world.home is not None else Steps()
    found = world.inbox["metadata"]
    want = {**content_of(world), "observedGeneration": found.get("generation", 1)}
    have = {name: value for name, value in part_of(world.inbox, "status").items() if value not in ([], {}, 0, None)}
    if have == {name: value for name, value in want.items() if value not in ([], {}, 0, None)}:
        return Steps()
    return Steps((WriteInbox(Key(KIND, metadata.namespace, metadata.name), found["uid"], want),))


def _manifest(product: DataProduct) -> Manifest:
    """Gone with its product; of one namespace, so the cluster's own garbage collector may see to that."""
    metadata = product.metadata
    owner = Key("DataProduct", metadata.namespace, metadata.name)
    reference = {"apiVersion": f"{GROUP}/{VERSION}", "kind": owner.kind, "name": owner.name, "uid": metadata.uid}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {
            "name": metadata.name,
            "namespace": metadata.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {marks.OWNER_ANNOTATION: marks.owner_reference(owner, metadata.uid)},
            "ownerReferences": [reference],
        },
    }


def content_of(world: ProductWorld) -> dict[str, Any]:
    """Pending requests, the oldest first, consumers and lineage; of long lists the first, and how many there are."""
    pending = [request for request in sorted(world.requests, key=_age) if is_pending(request)]
    consumers = [request for request in sorted(world.requests, key=_age) if has_access(request)]
    content: dict[str, Any] = {
        "pending": [pending_entry(request) for request in pending[:MOST]],
        "pendingCount": len(pending),
        "consumers": [consumer_entry(request) for request in consumers[:MOST]],
        "consumerCount": len(consumers),
    }
    return {**content, **({"lineage": dict(world.lineage)} if world.lineage else {})}


def _age(request: Manifest) -> tuple[str, Key]:
    return request["metadata"].get("creationTimestamp") or "", key_of(request)


def pending_entry(request: Manifest) -> dict[str, Any]:
    """Who asks, for what and how long; and the AccessGrant that says yes, ready to be completed and applied."""
    spec, metadata = part_of(request, "spec"), request["metadata"]
    port = part_of(spec, "outputPort")
    entry = {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "outputPort": f"{port.get('name')}/{port.get('version')}",
        "mode": spec.get("mode"),
        "consumer": str(consumer_key(request)),
        "purpose": spec.get("purpose"),
        "duration": "permanent" if spec.get("permanent") else spec.get("duration"),
        "renewal": part_of(spec, "renewal").get("reason"),
        "digest": part_of(request, "status").get("digest"),
        "escalated": part_of(request, "status").get("pendingSince") if is_escalated(request) else None,
    }
    return {**_bounded(entry), **_approvals(request), "grant": grant_for(request)}


def _approvals(request: Manifest) -> dict[str, Any]:
    """Who has approved so far, where the port asks for several people."""
    told = part_of(part_of(request, "status"), "approvals")
    people = [str(name)[:_SHORT] for name in told.get("approvedBy") or ()]
    counts = {"approvals": f"{told.get('given')}/{told.get('required')}"} if told else {}
    return {**counts, **({"approvedBy": people} if people else {})}


_TEXTS: Final = {"purpose": 1024, "renewal": 1024, "consumer": 400, "namespace": 63, "name": 253, "grant": 253, "validUntil": 64}
_SHORT: Final = 256
"""Characters that the schema takes of each field: what one consumer wrote must not keep the inbox from being written."""


def _bounded(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value)[: _TEXTS.get(name, _SHORT)] for name, value in entry.items() if value}


def grant_for(request: Manifest) -> dict[str, Any]:
    """The AccessGrant that approves a request; how long is for the owner to add (validUntil, or permanent: true)."""
    spec, metadata = part_of(request, "spec"), request["metadata"]
    product, consumer = asked_product(request), consumer_key(request)
    reference = "dataProductRef" if consumer.kind == "DataProduct" else "serviceAccountRef"
    port = part_of(spec, "outputPort")
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "AccessGrant",
        "metadata": {"name": _grant_name(request), "namespace": product.namespace},
        "spec": {
            "decision": "Approve",
            "dataProductRef": {"name": product.name},
            "outputPort": {"name": str(port.get("name"))[:_SHORT], "version": str(port.get("version"))[:_SHORT]},
            "requestRef": {"namespace": metadata["namespace"], "name": metadata["name"]},
            "consumer": {reference: {"name": consumer.name[:_SHORT]}},
            "mode": str(spec.get("mode") or "ReadOnly")[:_SHORT],
        },
    }


def _grant_name(request: Manifest) -> str:
    """Another name for each request, renewal and further approver: an answer is a new grant, as an old one's end counts from its own
    creation.
    """
    metadata = request["metadata"]
    asked = str(part_of(part_of(request, "spec"), "renewal").get("requestedAt") or "")
    people = _approvals(request).get("approvedBy", ())
    tail = names.hash80("inbox", metadata.get("uid", ""), asked, str(part_of(request, "status").get("decidedAt") or ""), *people)
    return f"{metadata['namespace'][:60]}-{metadata['name'][:120]}".rstrip("-.") + f"-{tail[:8]}"


def consumer_entry(request: Manifest) -> dict[str, Any]:
    """Who has access to what, on which grant and until when."""
    spec, status, metadata = part_of(request, "spec"), part_of(request, "status"), request["metadata"]
    port = part_of(spec, "outputPort")
    entry = {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "outputPort": f"{port.get('name')}/{port.get('version')}",
        "mode": spec.get("mode"),
        "consumer": str(consumer_key(request)),
        "purpose": spec.get("purpose"),
        "grant": part_of(status, "grantRef").get("name"),
        "validUntil": status.get("validUntil"),
    }
    return _bounded(entry)
