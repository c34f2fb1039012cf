"""Who waits for whose answer: the pending requests of the inboxes that a reader may read, and the reader's own requests."""

from dataclasses import dataclass

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import asked_product
from clouddatamesh.view.health import Health, health_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import entries, text, value


@dataclass(frozen=True)
class Pending:
    """A request that awaits the decision of a product's owner. `grant` is an AccessGrant that lacks only its end."""

    product: Key
    request: Key
    port: str
    mode: str
    consumer: str
    purpose: str
    duration: str
    renewal: str
    approvals: str
    """How many people have approved of those that are needed, as 1/2; empty where one is enough."""
    approved_by: tuple[str, ...]
    escalated: str
    """Since when it waits, where that is longer than the port promises."""
    grant: Manifest


@dataclass(frozen=True)
class Own:
    """A request in a namespace of the reader."""

    request: Key
    product: Key
    port: str
    mode: str
    until: str
    health: Health


def pending(mesh: Mesh) -> tuple[Pending, ...]:
    """What owners have to decide, the oldest of each product first."""
    return tuple(_pending(key_of(inbox), entry) for inbox in mesh.all("AccessInbox") for entry in entries(inbox, "status", "pending"))


def unlisted(mesh: Mesh) -> str:
    """What is said of inboxes that hold no more entries than they list; empty where all are whole."""
    inboxes = ((key_of(inbox), value(inbox, "status", "pendingCount") or 0, inbox) for inbox in mesh.all("AccessInbox"))
    missing = ((key, count - len(list(entries(inbox, "status", "pending")))) for key, count, inbox in inboxes)
    told = [f"{count} more ask for {key.namespace}/{key.name}" for key, count in missing if count > 0]
    return f"An AccessInbox lists the oldest requests, and {'; '.join(told)}: answer those first" if told else ""


def _pending(inbox: Key, entry: Manifest) -> Pending:
    return Pending(
        product=Key("DataProduct", inbox.namespace, inbox.name),
        request=Key("AccessRequest", text(entry, "namespace"), text(entry, "name")),
        port=text(entry, "outputPort"),
        mode=text(entry, "mode"),
        consumer=text(entry, "consumer"),
        purpose=text(entry, "purpose"),
        duration=text(entry, "duration"),
        renewal=text(entry, "renewal"),
        approvals=text(entry, "approvals"),
        approved_by=tuple(str(name) for name in value(entry, "approvedBy") or ()),
        escalated=text(entry, "escalated"),
        grant=value(entry, "grant") or {},
    )


def own_requests(mesh: Mesh) -> tuple[Own, ...]:
    """The requests that were read, by namespace and name."""
    return tuple(
        Own(
            request=key_of(request),
            product=asked_product(request),
            port=f"{text(request, 'spec', 'outputPort', 'name')}/{text(request, 'spec', 'outputPort', 'version')}",
            mode=text(request, "spec", "mode") or "ReadOnly",
            until=text(request, "status", "validUntil"),
            health=health_of(request),
        )
        for request in mesh.all("AccessRequest")
    )
