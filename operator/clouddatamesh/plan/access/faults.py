"""What ends access whatever was granted (a fault), and what keeps new access from being given while what runs goes on (an obstacle)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model.access import Answer, Ask, Decision, Home, Offer, Port
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.terms import port_of
from clouddatamesh.plan.namespaces import why_homeless, why_leaving

_OFFERED: Final = ("active", "deprecated")
_NOT_OFFERED: Final = ("proposed", "draft", "retired")
LOST: Final = (reasons.NOT_OWNED, reasons.RELEASED)
"""Why a product's bucket is positively not its own: what opens it is taken away."""
IMPAIRED: Final = (reasons.BUCKET_MISSING, reasons.MARKS_MISSING, reasons.LOSS_UNCONFIRMED, reasons.STORAGE_LOSS_BRAKE)
"""Why a product's bucket is in doubt: nothing new is given, and what runs is kept and not called Ready."""


def find_fault(ask: Ask, world: AccessWorld) -> Decision | None:
    """The first in the order of `_FAULTS`."""
    return next((fault for find in _FAULTS if (fault := find(ask, world)) is not None), None)


def find_obstacle(ask: Ask, world: AccessWorld, port: Port, running: Sequence[Answer]) -> Decision | None:
    """The first, where there is no fault; `running` are the grants on which access runs, or is to run. It passes where all of them do."""
    found = tuple(_obstacles(ask, world, port, running))
    return replace(found[0], passes=all(obstacle.passes for obstacle in found)) if found else None


def is_forced_out(ask: Ask, world: AccessWorld) -> bool:
    """Whether the port left the spec and its last consumers are cut off: it does not come back as it was."""
    port = port_of(ask, world.offer)
    return port is not None and port.draining and f"{port.name}/{port.major}" in _offer(world).cut_off


# Faults: access ends, whatever was granted.


def _find_missing_product(ask: Ask, world: AccessWorld) -> Decision | None:
    if world.offer is not None:
        return None
    return Decision(reasons.PRODUCT_NOT_FOUND, f"{ask.product} does not exist")


def _find_product_not_offered(_ask: Ask, world: AccessWorld) -> Decision | None:
    offer = _offer(world)
    if offer.key.name in offer.cut_off:
        return Decision(reasons.NOT_OFFERED, "The product's consumers were cut off by its owner", stalled=True)
    if offer.lifecycle not in _NOT_OFFERED:
        return None
    return Decision(reasons.NOT_OFFERED, f"The product's lifecycle is {offer.lifecycle}", stalled=offer.lifecycle == "retired")


def _find_missing_port(ask: Ask, world: AccessWorld) -> Decision | None:
    port = port_of(ask, world.offer)
    if port is not None and f"{port.name}/{port.major}" not in _offer(world).cut_off:
        return None
    name, version = ask.port
    if port is not None:
        return Decision(reasons.NOT_OFFERED, f"The consumers of port {name}/{port.version} were cut off by its owner", stalled=True)
    offered = ", ".join(f"{port.name} {port.version}" for port in _offer(world).ports) or "none"
    why = f"The product has no output port {name} of version {version}.x. Its ports: {offered}. Create a request for one of them"
    return Decision(reasons.PORT_NOT_FOUND, why, stalled=True)


def _find_mode_not_offered(ask: Ask, world: AccessWorld) -> Decision | None:
    port = port_of(ask, world.offer)
    if port is None or port.modes is None or ask.mode in port.modes:
        return None
    offered = ", ".join(sorted(port.modes))
    return Decision(reasons.MODE_NOT_OFFERED, f"The port offers {offered}, not {ask.mode}; make another request", stalled=True)


def _find_missing_consumer(ask: Ask, world: AccessWorld) -> Decision | None:
    if world.consumer_exists:
        return None
    return Decision(reasons.CONSUMER_NOT_FOUND, f"{ask.consumer}, named in spec.consumer, does not exist")


def _find_lost_bucket(_ask: Ask, world: AccessWorld) -> Decision | None:
    offer = _offer(world)
    if not offer.bucket or offer.storage_reason not in LOST:
        return None
    return Decision(reasons.PRODUCT_NOT_READY, "The product's bucket is not its own any more", stalled=True)


_FAULTS: Final[tuple[Callable[[Ask, AccessWorld], Decision | None], ...]] = (
    _find_missing_product,
    _find_product_not_offered,
    _find_missing_port,
    _find_mode_not_offered,
    _find_missing_consumer,
    _find_lost_bucket,
)


# Obstacles: nothing new is given; what runs goes on.


def _obstacles(ask: Ask, world: AccessWorld, port: Port, running: Sequence[Answer]) -> Iterator[Decision]:
    offer, home = _offer(world), world.product_home
    yield from (_unreadable(what) for what in _find_unreadable(ask, world, running))
    if offer.storage_reason in IMPAIRED:
        yield Decision(reasons.PRODUCT_NOT_READY, f"The product's bucket is in doubt: {offer.storage_message}", stalled=True, passes=True)
    frozen = {
        "the port left the product's spec": port.draining,
        "the product is being deleted": offer.deleting,
        "the product is deprecated": offer.lifecycle == "deprecated",
        f"port {port.name} is deprecated": port.deprecated,
        "the product is suspended": offer.suspended,
        "the product violates a policy that denies": offer.denied,
        f"the product is in mode {offer.mode}": offer.mode != "Manage",
        "its ObjectStore does not serve the product's domain any more": offer.storage_reason == reasons.NOT_ALLOWED,
        "the product's domain violates a policy that denies": home is not None and home.denied,
        "the product's domain is cordoned": home is not None and home.cordoned,
        "the consumer is being deleted": world.consumer_deleting,
    }
    for why in (why for why, holds in frozen.items() if holds):
        yield Decision(reasons.NO_NEW_GRANTS, f"No new grants: {why}", stalled=True)
    if world.refusal is not None:
        is_known = isinstance(world.refusal, Terminal)
        yield Decision(world.refusal.reason, world.refusal.message, stalled=is_known, passes=not is_known)
    if offer.undecided or (home is not None and home.undecided):
        why = "No new grants: whether a policy refuses the product or its Domain could not be asked just now"
        yield Decision(reasons.NO_NEW_GRANTS, why, passes=True)
    yield from _without_domain(home, offer.key.namespace)
    if not offer.verified:
        yield Decision(reasons.PRODUCT_NOT_READY, "The product's bucket was not read back as its own yet", passes=True)
    elif offer.storage_reason not in ("", reasons.ADOPTION_BLOCKED):
        yield Decision(reasons.PRODUCT_NOT_READY, f"The product's bucket is not as it should be: {offer.storage_message}", passes=True)
    yield from _without_domain(world.consumer_home, ask.key.namespace)
    if not world.is_time_trusted:
        yield Decision(reasons.CLOCK_SKEWED, "The operator's clock and the API server's differ, so nothing is given by time")


def _find_unreadable(ask: Ask, world: AccessWorld, running: Sequence[Answer]) -> Iterator[str]:
    """What of that on which access rests this operator cannot read; of the grants only those on which it runs."""
    if not ask.readable:
        yield "this request"
    if not _offer(world).readable or _offer(world).lifecycle not in (*_OFFERED, *_NOT_OFFERED):
        yield str(_offer(world).key)
    yield from (f"Domain {home.name}" for home in (world.product_home, world.consumer_home) if home is not None and not home.readable)
    yield from (str(answer.key) for answer in running if not answer.readable)


def _unreadable(what: str) -> Decision:
    why = f"{what[0].upper()}{what[1:]} cannot be read by this version of the operator; correct what its own status names"
    return Decision(reasons.UNREADABLE, why, stalled=True)


def _without_domain(home: Home | None, namespace: str) -> Iterator[Decision]:
    if home is None:
        yield Decision(reasons.DOMAIN_NOT_FOUND, why_homeless(namespace))
    elif home.deleting:
        yield Decision(reasons.DOMAIN_NOT_FOUND, why_leaving(namespace, home.name))


def _offer(world: AccessWorld) -> Offer:
    assert world.offer is not None  # noqa: S101 - its absence is the first fault
    return world.offer
