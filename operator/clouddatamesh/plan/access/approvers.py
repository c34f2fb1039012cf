"""How many people have to approve a request, and which approvals count: access lasts while so many different approvers' are in effect.

Of each approver the approval with the latest end counts, and of the approvers those with the latest ends, as many as are needed: so access
ends with the last of them in that order. An approval without approver counts for nobody where more than one is needed. One that was first
seen while the port asked for several gives only together with so many, also where the port asks for fewer by now: whoever approved relied
on the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from clouddatamesh.model.access import Answer, Ask, Port
from clouddatamesh.model.words import some
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.terms import (
    came_before,
    end_of,
    is_answer,
    is_for_others,
    is_living,
    is_short_of_approvals,
    length_key,
    port_of,
)


@dataclass(frozen=True)
class Needed:
    """Numbers of approvers."""

    present: int
    """What the port asks for now; of a port whose terms are not known, what access that runs was given with."""
    given: int
    """What access that runs was given with: raising the port's number takes nothing away."""

    @property
    def kept(self) -> int:
        """What access that runs needs to go on."""
        return min(self.present, self.given)


def needed(port: Port, ask: Ask, answers: Iterable[Answer]) -> Needed:
    """By the port, and by what was recorded of the grants on which access runs; of before that was recorded it is one."""
    recorded = {answer.uid: answer.approvals for answer in answers if answer.uid in ask.grant_uids}
    given = recorded.get(ask.grant_uid) or max(recorded.values(), default=1)
    return Needed(port.approvals if port.approvals is not None else given, given)


def counted(living: Iterable[Answer], port: Port, ask: Ask, required: int) -> tuple[Answer, ...]:
    """The approvals that give, the one that ends first last; empty where they are too few."""
    ordered = sorted(living, key=lambda answer: length_key(answer, port, ask), reverse=True)
    return next((people[:number] for number, people in _numbers(ordered, required) if len(people) >= number), ())


def _numbers(ordered: Sequence[Answer], required: int) -> Iterator[tuple[int, tuple[Answer, ...]]]:
    """What the port asks for and each larger number that it asked for before, with the approvals that may give with so many."""
    for number in sorted({required, *(answer.required for answer in ordered if answer.required > required)}):
        found = [answer for answer in ordered if answer.required <= number]
        best = {answer.approver: answer for answer in reversed(found) if answer.approver}
        yield number, tuple(answer for answer in found if number == 1 or best.get(answer.approver) is answer)


def unnoted(answers: Iterable[Answer], port: Port, ask: Ask) -> tuple[Answer, ...]:
    """Approvals that are to remember that the port asks for several. Those that ran before it did so are held to nothing new."""
    if port.approvals is None or port.approvals == 1:
        return ()
    standing = (answer for answer in answers if answer.decision == "Approve" and answer.readable and not answer.deleting)
    new = (answer for answer in standing if answer.required == 1 and not answer.superseded and not is_short_of_approvals(answer, port, ask))
    return tuple(replace(answer, required=port.approvals) for answer in new)


def going_on(running: Sequence[Answer], port: Port, ask: Ask, required: int) -> tuple[Answer, ...]:
    """Of the grants on which access runs those on which it goes on, the one that ends first last; empty where they are too few.

    They are known by their record, so that nothing ends because an approver cannot be read. What ended first goes on to do so.
    """
    first = sorted(running, key=lambda answer: (answer.uid == ask.grant_uid, length_key(answer, port, ask)), reverse=True)[:required]
    return tuple(sorted(first, key=lambda answer: length_key(answer, port, ask), reverse=True)) if len(first) >= required else ()


def is_overtaken(answer: Answer, answers: Iterable[Answer], ask: Ask, required: int) -> bool:
    """Whether a newer approval came into effect, one that goes at this moment included; of several approvers each overtakes his own."""
    if answer.decision != "Approve":
        return False
    if max(required, answer.required) == 1:
        return any(other.uid == ask.grant_uid and came_before(answer, other) for other in answers)
    own = (other for other in answers if other.uid in ask.grant_uids and other.approver == answer.approver != "")
    return any(came_before(answer, other) for other in own)


def approvals_of(ask: Ask, world: AccessWorld) -> tuple[int, tuple[str, ...]] | None:
    """How many people the port asks for, and who of them has approved; None where one is enough, or the port is not known."""
    port = port_of(ask, world.offer)
    if port is None or port.approvals is None:
        return None
    answers = (answer for answer in world.answers if is_answer(answer, ask) and not is_for_others(answer, world))
    standing = (answer for answer in answers if answer.decision == "Approve" and not answer.deleting and not answer.superseded)
    living = [answer for answer in standing if answer.readable and is_living(answer, port, ask, world.now)]
    required, people = _nearest(living, port.approvals)
    return (required, people) if required > 1 else None


def _nearest(living: Sequence[Answer], required: int) -> tuple[int, tuple[str, ...]]:
    """The number of approvals of which the fewest are missing, and who gave one of them; of several the one that most have given."""
    numbers = tuple(_numbers(living, required))
    enough = next((one for one in numbers if len(one[1]) >= one[0]), None)
    number, found = enough or max(numbers, key=lambda one: (len(one[1]) - one[0], one[0]))
    return number, tuple(sorted({answer.approver for answer in found} - {""}))


def is_no_shorter(approvals: Sequence[Answer], others: Sequence[Answer], port: Port, ask: Ask) -> bool:
    """Whether access on these ends no earlier than on those."""
    end, other = end_of(approvals[-1], port, ask), end_of(others[-1], port, ask)
    return end is None or (other is not None and end >= other)


def what_is_missing(living: Sequence[Answer], asked: int) -> str:
    """The sentence that says how many approvals are missing, who gave one, and which count for nobody; empty where one is enough."""
    required, people = _nearest(living, asked)
    if required == 1:
        return ""
    missing = required - len(people)
    given = f"approved by {some(people)}" if people else "nobody has approved"
    unnamed = sorted(answer.key.name for answer in living if not answer.approver)
    names = f"; AccessGrant {some(unnamed)} has no spec.approver, so it counts for nobody" if unnamed else ""
    asks = f"The port {'asks' if required == asked else 'asked'} for the approvals of {required} people"
    then = "" if required == asked else f" when {some(people)} approved, so that this counts only together with {required - 1} more"
    return f"{asks}{then}, and {missing} {'is' if missing == 1 else 'are'} missing: {given}{names}"
