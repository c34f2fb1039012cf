"""What a grant and a port mean: which request a grant answers, when it ends, and which port a request asks for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from clouddatamesh.model.access import DAWN, Answer, Ask, Offer, Port
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import AccessWorld

WARNING: Final = timedelta(days=14)
"""How long before its end access is called expiring; half of its term where that is shorter."""


def port_of(ask: Ask, offer: Offer | None) -> Port | None:
    """The port that is asked for: name and major version decide. One that left the spec is draining while status still has it."""
    if offer is None:
        return None
    return next((port for port in (*offer.ports, *offer.former_ports) if (port.name, port.major) == ask.port), None)


def kept_path(ask: Ask, port: Port, offer: Offer | None) -> str | None:
    """What of the path that was recorded is still its port's, whatever else is wrong: that much may be kept, and nothing beyond it.

    Where the port moved away the recorded path is kept; None where another port of the product has any of it, or had, as nobody granted
    that. Of a product or request that cannot be read nothing is known but the record. A port that drains has its path to its end.
    """
    recorded, handed_on = (ask.place.path, ask.place.handed_on) if ask.place is not None else (port.path, False)
    if offer is None or not (ask.readable and offer.readable):
        return None if handed_on else recorded
    if port.path.startswith(recorded):
        return port.path
    if handed_on:
        return None
    others = [other.path for other in offer.ports if (other.name, other.major) != ask.port]
    is_handed_on = any(path.startswith(recorded) or recorded.startswith(path) for path in others)
    return None if is_handed_on and not recorded.startswith(port.path) else recorded


def is_answer(answer: Answer, ask: Ask) -> bool:
    """Whether a grant answers exactly this request: product, port (name and major version), consumer and mode are the same."""
    return not any(True for _ in find_differences(answer, ask))


@dataclass(frozen=True)
class Difference:
    """A field of a grant that does not say what the request says."""

    field: str
    said: str
    asked: str


def find_differences(answer: Answer, ask: Ask) -> Iterator[Difference]:
    """The fields of a grant that do not say what the request says, with what each of the two says.

    A refusal of a whole namespace repeats no more than it refuses. What a refusal leaves out, or says in a way that cannot be read, does
    not differ: a no that is written badly is a no.
    """
    refuses = answer.decision == "Deny"
    if (answer.key.namespace, answer.product) != (ask.product.namespace, ask.product.name):
        yield Difference("dataProductRef", f"{answer.key.namespace}/{answer.product}", f"{ask.product.namespace}/{ask.product.name}")
    if answer.port != ask.port and not (refuses and answer.port is None):
        yield Difference("outputPort", _port(answer.port), _port(ask.port))
    if answer.request is None:
        if not refuses or answer.consumer_namespace != ask.key.namespace:
            yield Difference("consumerNamespace", answer.consumer_namespace, ask.key.namespace)
        return
    if answer.request != ask.key:
        yield Difference("requestRef", _named(answer.request), _named(ask.key))
    if answer.consumer != ask.consumer and not (refuses and answer.consumer is None):
        yield Difference("consumer", str(answer.consumer or ""), str(ask.consumer))
    if answer.mode != ask.mode and not (refuses and not answer.mode):
        yield Difference("mode", answer.mode, ask.mode)


def _port(port: tuple[str, str] | None) -> str:
    return f"{port[0]} {port[1]}.x" if port else ""


def _named(key: Key) -> str:
    return f"{key.namespace}/{key.name}"


def end_of(answer: Answer, port: Port, ask: Ask) -> datetime | None:
    """When an approval ends. None: never.

    It is the grant's own end, never later than its creation plus the smaller of the port's present cap and the one that was recorded when
    it gave. A draining port's terms are not known any more, nor is an end that cannot be read: what runs ends when status said. So does
    what rests on fewer approvals than its port asks for by now, and what rests on a grant or a port that a policy refuses by now.
    """
    is_refused = answer.denied and answer.uid in ask.grant_uids
    holds = port.draining or port.refused or is_refused or is_frozen(answer, ask) or is_short_of_approvals(answer, port, ask)
    recorded = ask.recorded_end if holds else None
    return min((end for end in (_named_end(answer), _longest(answer, port, ask), recorded) if end is not None), default=None)


def _longest(answer: Answer, port: Port, ask: Ask) -> datetime | None:
    """The latest end that the port allows. Where it keeps what was given, a later and smaller cap shortens none of that."""
    caps = [cap for cap in (port.max_duration, answer.cap) if cap is not None]
    longest = answer.created + min(caps) if caps else None
    if longest is None or not port.keep_given:
        return longest
    if answer.cap is not None:
        return answer.created + answer.cap
    if answer.uid not in ask.grant_uids or not ask.was_given:
        return longest
    return max(longest, ask.recorded_end) if ask.recorded_end is not None else None


def is_short_of_approvals(answer: Answer, port: Port, ask: Ask) -> bool:
    """Whether access rests on a grant that was enough, with the others of its time, before the port asked for more approvals."""
    return answer.uid in ask.grant_uids and port.approvals is not None and answer.approvals < port.approvals


def is_frozen(answer: Answer, ask: Ask) -> bool:
    """Whether access rests on a grant that cannot be read: it goes on to its recorded end, and no further."""
    return not answer.readable and answer.uid in ask.grant_uids


def _named_end(answer: Answer) -> datetime | None:
    """The end that the grant itself names. One that says permanent names none, whatever else it says."""
    return answer.ends if not answer.permanent else None


def is_endless(answer: Answer, port: Port, ask: Ask) -> bool:
    """An approval without end where the port allows none, and does not keep what it gave without one."""
    is_kept = port.keep_given and ask.was_given and ask.recorded_end is None and answer.uid in ask.grant_uids
    return answer.decision == "Approve" and answer.readable and _named_end(answer) is None and not (port.allow_permanent or is_kept)


def is_living(answer: Answer, port: Port, ask: Ask, now: datetime) -> bool:
    """Whether an approval has not ended. One without any end where none is allowed never lives."""
    end = end_of(answer, port, ask)
    return not answer.ended and not is_endless(answer, port, ask) and (end is None or now < end)


def is_cut_short(answer: Answer, port: Port, ask: Ask, now: datetime) -> bool:
    """Whether an approval has ended by the port's cap, before the end that it names."""
    end, named = end_of(answer, port, ask), _named_end(answer)
    return end is not None and end <= now and (named is None or named > now)


def came_before(answer: Answer, other: Answer) -> bool:
    """Whether an approval was made before another: of the same second the one that ends earlier, then by name."""
    return _age(answer) < _age(other)


def _age(answer: Answer) -> tuple[datetime, bool, datetime, str]:
    end = _named_end(answer)
    return answer.created, end is None, end or answer.created, answer.key.name


def length_key(answer: Answer, port: Port, ask: Ask) -> tuple[bool, float, datetime, str]:
    """Sorts approvals by their end, the endless ones last; of equal ends the later made counts."""
    end = end_of(answer, port, ask)
    return end is None, end.timestamp() if end else 0.0, answer.created, answer.key.name


def warns_at(answer: Answer, port: Port, ask: Ask) -> datetime | None:
    """When access begins to be called expiring: 14 days before its end, or at half of a shorter term."""
    end = end_of(answer, port, ask)
    return end - min(WARNING, (end - answer.created) / 2) if end else None


def is_expiring(answer: Answer, port: Port, ask: Ask, now: datetime) -> bool:
    """Whether the end is near."""
    moment = warns_at(answer, port, ask)
    return moment is not None and now >= moment


def name_of(answer: Answer) -> str:
    """`namespace/name`."""
    return _named(answer.key)


def is_for_others(answer: Answer, world: AccessWorld) -> bool:
    """Whether an approval was given to the Domain that had a namespace of this name before: another one does not inherit it."""
    home = world.consumer_home
    moved = answer.given_namespace not in ("", world.namespace_uid) and home is not None and answer.given_domain != home.name
    return answer.decision == "Approve" and moved


def is_renewal_pending(ask: Ask, world: AccessWorld) -> bool:
    """Whether a renewal is asked for, by now, and no grant is newer than that, nor was one that is gone.

    Where the port asks for several approvals, one refusal answers it, or as many newer approvals of different people.
    """
    if ask.renewal_at is None or ask.renewal_at > world.now or ask.renewal_at <= (ask.decided_at or DAWN):
        return False
    standing = (answer for answer in world.answers if not answer.deleting)
    newer = [answer for answer in standing if is_answer(answer, ask) and answer.created >= ask.renewal_at]
    port = port_of(ask, world.offer)
    required = port.approvals if port is not None and port.approvals is not None else 1
    if required == 1 or any(answer.decision == "Deny" for answer in newer):
        return not newer
    return len({answer.approver for answer in newer} - {""}) < required


def digest(ask: Ask) -> str:
    """A fingerprint of what is asked: product, port (name and major version), consumer and mode; 64 bits as hexadecimal digits."""
    parts = (str(ask.product), f"{ask.port[0]}/{ask.port[1]}", str(ask.consumer), ask.mode)
    return sha256("\0".join(parts).encode()).hexdigest()[:16]
