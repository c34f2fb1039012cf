"""Who has access, until when, and on which grant: the one decision that gives and revokes access. Pure; the rule is docs/access-rule.md.

Access lasts exactly while request, grant, consumer, port and an offered product all exist. Any Deny wins; else, of the approvals that no
newer one has superseded, the one with the latest end counts. What runs goes on where no new grants are given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Answer, Ask, Home, Offer, Port
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.terms import (
    came_before,
    end_of,
    is_answer,
    is_cut_short,
    is_endless,
    is_expiring,
    is_for_others,
    is_frozen,
    is_living,
    is_renewal_pending,
    length_key,
    name_of,
    port_of,
)
from clouddatamesh.plan.moments import text
from clouddatamesh.plan.namespaces import why_homeless, why_leaving

_OFFERED: Final = ("active", "deprecated")
_NOT_OFFERED: Final = ("proposed", "draft", "retired")
LOST: Final = (reasons.NOT_OWNED, reasons.RELEASED)
"""Why a product's bucket is positively not its own: what opens it is taken away."""
IMPAIRED: Final = (reasons.BUCKET_MISSING, reasons.MARKS_MISSING, reasons.LOSS_UNCONFIRMED, reasons.STORAGE_LOSS_BRAKE)
"""Why a product's bucket is in doubt: nothing new is given, and what runs is kept and not called Ready."""


@dataclass(frozen=True)
class Decision:
    """Whether access is to be, and why. Only with `grant` it is; `until` is then its end, None for none.

    Of access that has expired `until` is the end that passed, where a grant still tells it.
    """

    reason: str
    message: str
    stalled: bool = False
    """Somebody must change something; else something else must happen first."""
    grant: Answer | None = None
    until: datetime | None = None
    port: Port | None = None
    answer: bool = False
    """The port's approval is Auto, and a grant is to be made now."""
    superseded: tuple[Answer, ...] = ()
    """Approvals that never give again, though their status does not say so yet."""
    ended: tuple[Answer, ...] = ()
    """Approvals that ended by their port's terms, or with their port, though their status does not say so yet."""
    trouble: "Decision | None" = None
    """Access is kept, and this is what is wrong with it."""
    passes: bool = False
    """An obstacle that nobody decided on: what runs passes to another approval meanwhile, as when a grant is renamed."""

    @property
    def gives(self) -> bool:
        return self.grant is not None

    @property
    def is_frozen(self) -> bool:
        """Access is kept as it is, and nothing about it is written: something that it rests on cannot be read."""
        return self.trouble is not None and self.trouble.reason == reasons.UNREADABLE


def decide(ask: Ask, world: AccessWorld) -> Decision:
    """The decision on one request; of several faults the first in the order of `_FAULTS`, of several obstacles the first found."""
    fault = next((fault for find in _FAULTS if (fault := find(ask, world)) is not None), None)
    answers = [answer for answer in world.answers if is_answer(answer, ask) and not is_for_others(answer, world)]
    if fault is not None:
        with_port = fault.reason == reasons.PORT_NOT_FOUND or _is_forced_out(ask, world)
        gave = [one for one in answers if not one.ended and (one.given_namespace or one.uid == ask.grant_uid)]
        return replace(fault, ended=tuple(gave) if with_port else ())
    port = port_of(ask, world.offer)
    assert port is not None  # noqa: S101 - its absence is a fault
    superseded = tuple(answer for answer in answers if not answer.superseded and _is_overtaken(answer, answers, ask))
    return replace(_weigh(ask, world, port, [answer for answer in answers if answer not in superseded]), superseded=superseded)


def _is_forced_out(ask: Ask, world: AccessWorld) -> bool:
    """Whether the port left the spec and its last consumers are cut off: it does not come back as it was."""
    port = port_of(ask, world.offer)
    return port is not None and port.draining and f"{port.name}/{port.major}" in _offer(world).cut_off


def _is_overtaken(answer: Answer, answers: list[Answer], ask: Ask) -> bool:
    """Whether a newer approval came into effect, one that goes at this moment included."""
    newer = next((other for other in answers if other.uid == ask.grant_uid), None)
    return newer is not None and answer.decision == "Approve" and came_before(answer, newer)


def _weigh(ask: Ask, world: AccessWorld, port: Port, answers: list[Answer]) -> Decision:
    """The decision between these answers. The rule on a Deny that is going: it refuses no more."""
    standing = [answer for answer in answers if not answer.deleting]
    denial = next((answer for answer in standing if answer.decision == "Deny"), None)
    if denial is not None:
        return Decision(reasons.DENIED, f"AccessGrant {name_of(denial)} refuses it{_note(denial)}", stalled=True)
    approvals = [answer for answer in standing if not answer.superseded]
    running = next((answer for answer in approvals if _runs_on(answer, port, ask, world)), None)
    living = [answer for answer in approvals if answer.readable and is_living(answer, port, ask, world.now)]
    obstacle = next(_obstacles(ask, world, port, running), None)
    longest = max(living, key=lambda answer: length_key(answer, port, ask), default=None)
    if obstacle is not None:
        kept = running or (longest if obstacle.passes and ask.place is not None and ask.grant_uid else None)
        return replace(_given(kept, port, ask), trouble=_trouble(obstacle)) if kept else _withheld(obstacle, living)
    if longest is not None:
        return replace(_given(longest, port, ask), answer=_is_renewed(longest, ask, world, port))
    return _unanswered(ask, world, port, approvals)


def _runs_on(answer: Answer, port: Port, ask: Ask, world: AccessWorld) -> bool:
    """Whether what is in the store rests on this grant, and that has not ended. By a clock that is not trusted nothing ends."""
    if answer.uid != ask.grant_uid:
        return False
    return not world.is_time_trusted or is_living(answer, port, ask, world.now)


def _given(answer: Answer, port: Port, ask: Ask) -> Decision:
    words = f"until {text(until)}" if (until := end_of(answer, port, ask)) else "without end"
    return Decision(reasons.GRANTED, f"AccessGrant {name_of(answer)} approves {words}", grant=answer, until=until, port=port)


def _trouble(obstacle: Decision) -> Decision | None:
    """Of what keeps new access from being given, what is also wrong with access that runs."""
    return obstacle if obstacle.reason in (reasons.UNREADABLE, reasons.PRODUCT_NOT_READY) and obstacle.stalled else None


def _withheld(obstacle: Decision, living: list[Answer]) -> Decision:
    if not living:
        return obstacle
    return replace(obstacle, message=f"AccessGrant {name_of(living[0])} approves, and nothing is given. {obstacle.message}")


def _is_renewed(answer: Answer, ask: Ask, world: AccessWorld, port: Port) -> bool:
    """Whether the port is to answer a renewal: not before the end of what is given is near."""
    return _answers_itself(ask, port) and is_renewal_pending(ask, world) and is_expiring(answer, port, ask, world.now)


def _unanswered(ask: Ask, world: AccessWorld, port: Port, approvals: list[Answer]) -> Decision:
    """No approval is in effect. Where the port's approval is Auto one is made, once for the request and once for each renewal."""
    unfit = next((answer for answer in approvals if is_endless(answer, port)), None)
    over = [answer for answer in approvals if (answer.readable and not is_endless(answer, port)) or is_frozen(answer, ask)]
    ended = ask.has_expired or bool(over)
    auto, renews = port.approval == "Auto", is_renewal_pending(ask, world)
    if ended and not (auto and renews):
        early = ask.renewal_at is not None and ask.renewal_at > world.now
        asks = "spec.renewal.requestedAt has not come yet" if early else "ask again with spec.renewal"
        way_on = "the renewal waits for a newer grant" if renews else asks
        last = max((end for answer in over if (end := end_of(answer, port, ask)) is not None), default=None)
        short = tuple(answer for answer in over if not answer.ended and is_cut_short(answer, port, ask, world.now))
        return Decision(reasons.EXPIRED, f"The end of the grant has passed; {way_on}", stalled=not renews, until=last, ended=short)
    if _answers_itself(ask, port):
        return Decision(reasons.AWAITING_GRANT, "The port approves by itself", port=port, answer=True)
    if auto:
        return Decision(
            reasons.PERMANENT_NOT_ALLOWED, "The port allows no access without end; make a request with spec.duration", stalled=True
        )
    if unfit is not None:
        why = f"AccessGrant {name_of(unfit)} is permanent, which the port does not allow; its owner is to set spec.validUntil"
        return Decision(reasons.PERMANENT_NOT_ALLOWED, why, stalled=True)
    why = f"The owners of {ask.product} have not answered; they see the request in AccessInbox {ask.product.name}"
    return Decision(reasons.AWAITING_GRANT, why)


def _answers_itself(ask: Ask, port: Port) -> bool:
    """Whether the port's policy says yes: it never does so to access without end where the port allows none."""
    return port.approval == "Auto" and (port.allow_permanent or not ask.permanent)


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


def _obstacles(ask: Ask, world: AccessWorld, port: Port, running: Answer | None) -> Iterator[Decision]:
    offer, home = _offer(world), world.product_home
    yield from (_unreadable(what) for what in _find_unreadable(ask, world, running))
    if offer.storage_reason in IMPAIRED:
        yield Decision(reasons.PRODUCT_NOT_READY, f"The product's bucket is in doubt: {offer.storage_message}", stalled=True, passes=True)
    frozen = {
        "the port left the product's spec": port.draining,
        "the product is being deleted": offer.deleting,
        "the product is deprecated": offer.lifecycle == "deprecated",
        "the product is suspended": offer.suspended,
        f"the product is in mode {offer.mode}": offer.mode != "Manage",
        "its ObjectStore does not serve the product's domain any more": offer.storage_reason == reasons.NOT_ALLOWED,
        "the product's domain is cordoned": home is not None and home.cordoned,
        "the consumer is being deleted": world.consumer_deleting,
    }
    for why in (why for why, holds in frozen.items() if holds):
        yield Decision(reasons.NO_NEW_GRANTS, f"No new grants: {why}", stalled=True)
    yield from _without_domain(home, offer.key.namespace)
    if not offer.verified:
        yield Decision(reasons.PRODUCT_NOT_READY, "The product's bucket was not read back as its own yet", passes=True)
    elif offer.storage_reason not in ("", reasons.ADOPTION_BLOCKED):
        yield Decision(reasons.PRODUCT_NOT_READY, f"The product's bucket is not as it should be: {offer.storage_message}", passes=True)
    yield from _without_domain(world.consumer_home, ask.key.namespace)
    if not world.is_time_trusted:
        yield Decision(reasons.CLOCK_SKEWED, "The operator's clock and the API server's differ, so nothing is given by time")


def _find_unreadable(ask: Ask, world: AccessWorld, running: Answer | None) -> Iterator[str]:
    """What of that on which access rests this operator cannot read; of the grants only the one on which it runs."""
    if not ask.readable:
        yield "this request"
    if not _offer(world).readable or _offer(world).lifecycle not in (*_OFFERED, *_NOT_OFFERED):
        yield str(_offer(world).key)
    yield from (f"Domain {home.name}" for home in (world.product_home, world.consumer_home) if home is not None and not home.readable)
    if running is not None and not running.readable:
        yield str(running.key)


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


def _note(answer: Answer) -> str:
    return f": {answer.note}" if answer.note else ""
