"""Who has access, until when, and on which grant: the one decision that everything about access rests on. Pure; the rule is docs/access.md.

Access lasts exactly while request, grant, consumer, port and an offered product all exist. Any Deny wins; else the Approve with the latest
end counts. What runs goes on where no new grants are given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.terms import (
    Port,
    consumer_of,
    created_at,
    end_of,
    is_answer,
    is_endless,
    is_expiring,
    is_living,
    major,
    name_of,
    port_of,
    sort_key,
)

_OFFERED: Final = ("active", "deprecated")


@dataclass(frozen=True)
class Decision:
    """Whether access is to stand, and why. Only with `grant` it is; `until` is then its end, None for none."""

    reason: str
    message: str
    stalled: bool = False
    """Somebody must change something; else something else must happen first."""
    grant: AccessGrant | None = None
    until: datetime | None = None
    port: Port | None = None
    answer: bool = False
    """The port's approval is Auto, and a grant is to be made now."""

    @property
    def gives(self) -> bool:
        return self.grant is not None


def decide(request: AccessRequest, world: AccessWorld) -> Decision:
    """The decision on one request; of several faults the first in the order of `_FAULTS`, of several obstacles the first found."""
    fault = next((fault for find in _FAULTS if (fault := find(request, world)) is not None), None)
    if fault is not None:
        return fault
    port = port_of(request, world.product)
    assert port is not None  # noqa: S101 - its absence is a fault
    answers = [grant for grant in world.grants if is_answer(grant, request)]
    denial = next((grant for grant in answers if grant.spec.decision == "Deny"), None)
    if denial is not None:
        return Decision(reasons.DENIED, f"AccessGrant {name_of(denial)} refuses it{_note(denial)}", stalled=True)
    living = [grant for grant in answers if is_living(grant, port, world.now)]
    obstacle = next(_obstacles(request, world, port), None)
    if obstacle is not None:
        running = next((grant for grant in living if _is_running(grant, request)), None)
        return _given(running, port) if running else _withheld(obstacle, living)
    if living:
        longest = max(living, key=lambda grant: sort_key(grant, port))
        return replace(_given(longest, port), answer=_is_renewed(longest, request, world, port))
    return _unanswered(request, world, port, answers)


def _given(grant: AccessGrant, port: Port) -> Decision:
    until = end_of(grant, port)
    words = f"until {until:%Y-%m-%dT%H:%M:%SZ}" if until else "without end"
    return Decision(reasons.GRANTED, f"AccessGrant {name_of(grant)} approves {words}", grant=grant, until=until, port=port)


def _withheld(obstacle: Decision, living: list[AccessGrant]) -> Decision:
    if not living:
        return obstacle
    return replace(obstacle, message=f"AccessGrant {name_of(living[0])} approves, and nothing is given. {obstacle.message}")


def _is_renewed(grant: AccessGrant, request: AccessRequest, world: AccessWorld, port: Port) -> bool:
    """Whether the port is to answer a renewal: not before the end of what is given is near."""
    return _answers_itself(request, port) and is_renewal_pending(request, world.grants, world.now) and is_expiring(grant, port, world.now)


def _unanswered(request: AccessRequest, world: AccessWorld, port: Port, approvals: list[AccessGrant]) -> Decision:
    """No approval is in effect. Where the port's approval is Auto one is made, once for the request and once for each renewal."""
    unfit = next((grant for grant in approvals if is_endless(grant, port)), None)
    ended = _has_expired(request) or any(not is_endless(grant, port) for grant in approvals)
    auto, renews = port.access.approval == "Auto", is_renewal_pending(request, world.grants, world.now)
    if ended and not (auto and renews):
        early = request.spec.renewal is not None and parse_time(request.spec.renewal.requested_at) > world.now
        asks = "spec.renewal.requestedAt has not come yet" if early else "ask again with spec.renewal"
        way_on = "the renewal waits for a newer grant" if renews else asks
        return Decision(reasons.EXPIRED, f"The end of the grant has passed; {way_on}", stalled=not renews)
    if _answers_itself(request, port):
        return Decision(reasons.AWAITING_GRANT, "The port approves by itself", port=port, answer=True)
    if auto:
        return Decision(reasons.PERMANENT_NOT_ALLOWED, "The port allows no access without end; ask anew with spec.duration", stalled=True)
    if unfit is not None:
        why = f"AccessGrant {name_of(unfit)} is permanent, which the port does not allow; its owner is to set spec.validUntil"
        return Decision(reasons.PERMANENT_NOT_ALLOWED, why, stalled=True)
    product = request.spec.data_product_ref
    why = f"The owners of DataProduct {product.namespace}/{product.name} have not answered; they see it in status.pendingRequests"
    return Decision(reasons.AWAITING_GRANT, why)


def _answers_itself(request: AccessRequest, port: Port) -> bool:
    """Whether the port's policy says yes: it never does so to access without end where the port allows none."""
    return port.access.approval == "Auto" and (port.access.allow_permanent or not request.spec.permanent)


# Faults: access ends, whatever was granted.


def _find_missing_product(request: AccessRequest, world: AccessWorld) -> Decision | None:
    if world.product is not None:
        return None
    product = request.spec.data_product_ref
    return Decision(reasons.PRODUCT_NOT_FOUND, f"DataProduct {product.namespace}/{product.name} does not exist")


def _find_product_not_offered(_request: AccessRequest, world: AccessWorld) -> Decision | None:
    product = _product(world)
    if product.metadata.deletion_timestamp and product.metadata.annotations.get(marks.FORCE_ANNOTATION) == product.metadata.name:
        return Decision(reasons.NOT_OFFERED, "The product is being deleted, and that is forced", stalled=True)
    lifecycle = product.spec.lifecycle
    if lifecycle in _OFFERED:
        return None
    return Decision(reasons.NOT_OFFERED, f"The product's lifecycle is {lifecycle}", stalled=lifecycle == "retired")


def _find_missing_port(request: AccessRequest, world: AccessWorld) -> Decision | None:
    if port_of(request, world.product) is not None:
        return None
    port = request.spec.output_port
    why = f"The product has no output port {port.name} of version {major(port)}.x; ask anew for one that it has"
    return Decision(reasons.PORT_NOT_FOUND, why, stalled=True)


def _find_mode_not_offered(request: AccessRequest, world: AccessWorld) -> Decision | None:
    port = port_of(request, world.product)
    if port is None or port.draining or request.spec.mode in port.access.modes:
        return None
    offered = ", ".join(sorted(port.access.modes))
    return Decision(reasons.MODE_NOT_OFFERED, f"The port offers {offered}, not {request.spec.mode}; ask anew", stalled=True)


def _find_missing_consumer(request: AccessRequest, world: AccessWorld) -> Decision | None:
    if world.consumer_exists:
        return None
    return Decision(reasons.CONSUMER_NOT_FOUND, f"{consumer_of(request)}, named in spec.consumer, does not exist")


def _find_lost_bucket(_request: AccessRequest, world: AccessWorld) -> Decision | None:
    found = next((c for c in _product(world).status.conditions if c.type == "StorageReady"), None)
    if found is None or found.status == "True" or found.reason != reasons.NOT_OWNED:
        return None
    return Decision(reasons.PRODUCT_NOT_READY, "The product's bucket is not its own", stalled=True)


_FAULTS: Final[tuple[Callable[[AccessRequest, AccessWorld], Decision | None], ...]] = (
    _find_missing_product,
    _find_product_not_offered,
    _find_missing_port,
    _find_mode_not_offered,
    _find_missing_consumer,
    _find_lost_bucket,
)


# Obstacles: nothing new is given; what runs goes on.


def _obstacles(request: AccessRequest, world: AccessWorld, port: Port) -> Iterator[Decision]:
    product, domain = _product(world), world.product_domain
    frozen = {
        "the port left the product's spec": port.draining,
        "the product is being deleted": bool(product.metadata.deletion_timestamp),
        "the product is deprecated": product.spec.lifecycle == "deprecated",
        "the product is suspended": product.spec.suspend,
        f"the product is in mode {product.spec.mode}": product.spec.mode != "Manage",
        "the product's domain is cordoned": domain is not None and domain.spec.cordoned,
    }
    for why in (why for why, holds in frozen.items() if holds):
        yield Decision(reasons.NO_NEW_GRANTS, f"No new grants: {why}", stalled=True)
    if domain is None:
        yield _without_domain(product.metadata.namespace)
    if not _is_verified(product):
        yield Decision(reasons.PRODUCT_NOT_READY, "The product's bucket was not read back as its own yet")
    if world.consumer_domain is None:
        yield _without_domain(request.metadata.namespace)


def _without_domain(namespace: str) -> Decision:
    return Decision(reasons.DOMAIN_NOT_FOUND, f"Namespace {namespace} belongs to no Domain yet; name it in a Domain's spec.namespaces")


def _is_verified(product: DataProduct) -> bool:
    storage = product.status.storage
    return storage is not None and storage.ownership_verified and storage.phase != "Creating"


def _is_running(grant: AccessGrant, request: AccessRequest) -> bool:
    """Whether what stands in the store rests on this grant."""
    return request.status.grant_ref is not None and request.status.grant_ref.uid == grant.metadata.uid


def _has_expired(request: AccessRequest) -> bool:
    """Whether an earlier grant ended by time: then its deletion is no reason to make another."""
    return any(condition.type == "Expired" and condition.status == "True" for condition in request.status.conditions)


def _product(world: AccessWorld) -> DataProduct:
    assert world.product is not None  # noqa: S101 - its absence is the first fault
    return world.product


def _note(grant: AccessGrant) -> str:
    return f": {grant.spec.note}" if grant.spec.note else ""


def is_renewal_pending(request: AccessRequest, grants: tuple[AccessGrant, ...], now: datetime) -> bool:
    """Whether a renewal is asked for, by now, and no grant is newer than that."""
    if request.spec.renewal is None:
        return False
    asked = parse_time(request.spec.renewal.requested_at)
    return asked <= now and not any(is_answer(grant, request) and created_at(grant) >= asked for grant in grants)
