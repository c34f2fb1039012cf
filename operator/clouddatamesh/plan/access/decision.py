"""Who has access, until when, and on which grant: the one decision that gives and revokes access. Pure; the rule is docs/access-rule.md.

Access lasts exactly while request, grant, consumer, port and an offered product all exist. Any Deny wins; else, of the approvals that no
newer one has superseded, the one with the latest end counts, or those of as many people as the port asks for (plan/access/approvers.py).
What runs goes on where no new grants are given.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Answer, Ask, Decision, Port
from clouddatamesh.model.evidence import Present, Unknown, value_of
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import secrets
from clouddatamesh.plan.access.approvers import Needed, counted, going_on, is_no_shorter, is_overtaken, needed, unnoted, what_is_missing
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.access.faults import find_fault, find_obstacle, is_forced_out
from clouddatamesh.plan.access.terms import (
    end_of,
    is_answer,
    is_cut_short,
    is_endless,
    is_expiring,
    is_for_others,
    is_frozen,
    is_living,
    is_renewal_pending,
    kept_path,
    name_of,
    port_of,
)
from clouddatamesh.plan.moments import text

_UNSEEN: Final = timedelta(minutes=10)
"""How long a key in a Secret may be that neither status nor the store tells of: the operator died before the one, and the other is late."""


def decide(ask: Ask, world: AccessWorld) -> Decision:
    """The decision on one request; of several faults or obstacles the first found."""
    fault = find_fault(ask, world)
    answers = [answer for answer in world.answers if is_answer(answer, ask) and not is_for_others(answer, world)]
    if fault is not None:
        with_port = fault.reason == reasons.PORT_NOT_FOUND or is_forced_out(ask, world)
        gave = [one for one in answers if not one.ended and (one.given_namespace or one.uid in ask.grant_uids)]
        return replace(fault, ended=tuple(gave) if with_port else ())
    port = port_of(ask, world.offer)
    assert port is not None  # noqa: S101 - its absence is a fault
    need = needed(port, ask, answers)
    superseded = tuple(answer for answer in answers if not answer.superseded and is_overtaken(answer, answers, ask, need.present))
    others = [answer for answer in answers if answer not in superseded]
    return replace(_weigh(ask, world, port, others, need), superseded=superseded, unnoted=unnoted(others, port, ask))


def _weigh(ask: Ask, world: AccessWorld, port: Port, answers: list[Answer], need: Needed) -> Decision:
    """The decision between these answers. The rule on a Deny that is going: it refuses no more."""
    standing = [answer for answer in answers if not answer.deleting]
    denial = next((answer for answer in standing if answer.decision == "Deny"), None)
    if denial is not None:
        return Decision(reasons.DENIED, f"AccessGrant {name_of(denial)} refuses it{_note(denial)}", stalled=True)
    approvals = [answer for answer in standing if not answer.superseded]
    recorded = [answer for answer in approvals if _is_recorded(answer, port, ask, world)]
    runs = _runs(ask, world)
    running = going_on(recorded, port, ask, need.kept) if runs else ()
    fit = [answer for answer in approvals if not answer.denied or (runs and answer in recorded)]
    living = [answer for answer in fit if answer.readable and is_living(answer, port, ask, world.now)]
    enough = counted(living, port, ask, need.present)
    denied = [answer for answer in approvals if answer not in fit and is_living(answer, port, ask, world.now)]
    held = next((answer for answer in reversed(denied) if answer.undecided and runs and not _is_over(ask, world)), None)
    obstacle = find_obstacle(ask, world, port, running if enough else recorded)
    if obstacle is not None:
        kept = running or (enough if obstacle.passes and ask.place is not None and runs else ())
        if kept:
            return _kept(kept, obstacle, ask, world, port)
        if obstacle.passes and held is not None:
            return _held(held, port, ask)
        over, short = _over(ask, world, port, fit) if not enough else ([], ())
        would = enough or counted([*living, *denied], port, ask, need.present)
        return replace(_withheld(obstacle, would), past=bool(over), ended=short)
    if running and need.kept < need.present and not (enough and is_no_shorter(enough, running, port, ask)):
        return _given(running, port, ask)
    if enough:
        return replace(_given(enough, port, ask), answer=_is_renewed(enough[-1], ask, world, port))
    if denied:
        return _held(held, port, ask) if held is not None else _refused(denied, counted([*living, *denied], port, ask, need.present))
    return _unanswered(ask, world, port, fit, living)


def _kept(approvals: Sequence[Answer], obstacle: Decision, ask: Ask, world: AccessWorld, port: Port) -> Decision:
    """What runs goes on behind an obstacle, and reaches nothing new."""
    trouble = _handed_on(ask, port, obstacle) if kept_path(ask, port, world.offer) is None else _trouble(obstacle)
    return replace(_given(approvals, port, ask), trouble=trouble, stays=True, behind=obstacle)


def _refused(denied: Sequence[Answer], would: Sequence[Answer]) -> Decision:
    """What would give without the policy may be what access runs on, where the request's record is lost."""
    why = f"AccessGrant {name_of(denied[0])} gives nothing: a policy refuses it, or could not be asked yet; see its status.compliance"
    refused = Decision(reasons.POLICY_VIOLATION, why, stalled=True)
    return replace(refused, withheld=would[-1], others=tuple(would[:-1])) if would else refused


def _is_recorded(answer: Answer, port: Port, ask: Ask, world: AccessWorld) -> bool:
    """Whether what is in the store, or is to be, rests on this grant, and that has not ended. A clock that is not trusted ends nothing."""
    return answer.uid in ask.grant_uids and (not world.is_time_trusted or is_living(answer, port, ask, world.now))


def _runs(ask: Ask, world: AccessWorld) -> bool:
    """Whether a key may be in use. The record alone does not say so: it is written before the first key is issued."""
    seen, secret = world.principal, value_of(world.secret)
    issued = bool(ask.key_ids) or isinstance(seen, Unknown) or (isinstance(seen, Present) and bool(seen.value.keys))
    held = secrets.holding(secret) if secret is not None and secrets.is_of(secret, ask.key, ask.uid) else None
    at = moment(held.issued) if held is not None and held.key_id else None
    return bool(ask.grant_uid) and (issued or (at is not None and abs(world.now - at) < _UNSEEN))


def _over(ask: Ask, world: AccessWorld, port: Port, approvals: list[Answer]) -> tuple[list[Answer], tuple[Answer, ...]]:
    """Where too few of these live: those that have ended, and of them those that the port's terms ended, which is yet to be remembered.

    Where some live, only those on which access ran. A clock that is not trusted ends none.
    """

    def lives(answer: Answer) -> bool:
        return is_living(answer, port, ask, world.now)

    def has_ended(answer: Answer) -> bool:
        return not lives(answer) and (is_frozen(answer, ask) or (answer.readable and not is_endless(answer, port, ask)))

    some_live = any(answer.readable and lives(answer) for answer in approvals)
    over = [answer for answer in approvals if has_ended(answer) and (answer.uid in ask.grant_uids or not some_live)]
    short = tuple(answer for answer in over if not answer.ended and is_cut_short(answer, port, ask, world.now))
    return (over, short) if world.is_time_trusted else ([], ())


def _given(approvals: Sequence[Answer], port: Port, ask: Ask) -> Decision:
    *others, grant = approvals
    words = f"until {text(until)}" if (until := end_of(grant, port, ask)) else "without end"
    given = Decision(reasons.GRANTED, f"{_approve(approvals)} {words}", grant=grant, until=until, port=port)
    return replace(given, others=tuple(others), required=len(approvals))


def _approve(approvals: Sequence[Answer]) -> str:
    names = sorted(map(name_of, approvals))
    return f"AccessGrants {' and '.join(names)} approve" if len(names) > 1 else f"AccessGrant {names[0]} approves"


def _handed_on(ask: Ask, port: Port, obstacle: Decision) -> Decision:
    """User and key stay, and reach nothing: what they reached is another port's, and where the port is now is not given yet."""
    path = ask.place.path if ask.place is not None else ""
    moved = f"Port {port.name} moved from {path} to {port.path}, and another port got {path}, so this access reaches nothing"
    return replace(obstacle, message=f"{moved}. {obstacle.message}")


def _is_over(ask: Ask, world: AccessWorld) -> bool:
    """Whether the end that status tells has passed."""
    return world.is_time_trusted and ask.recorded_end is not None and ask.recorded_end <= world.now


def _held(answer: Answer, port: Port, ask: Ask) -> Decision:
    """What runs goes on to its recorded end while it is not known whether what is to carry it is refused, as when a grant is renamed."""
    why = f"Whether a policy refuses AccessGrant {name_of(answer)} could not be asked just now; access goes on as it is until then"
    return replace(_given([answer], port, ask), until=ask.recorded_end, stays=True, trouble=Decision(reasons.UNREADABLE, why))


def _trouble(obstacle: Decision) -> Decision | None:
    """Of what keeps new access from being given, what is also wrong with access that runs."""
    return obstacle if obstacle.reason in (reasons.UNREADABLE, reasons.PRODUCT_NOT_READY) and obstacle.stalled else None


def _withheld(obstacle: Decision, approvals: Sequence[Answer]) -> Decision:
    if not approvals:
        return obstacle
    why = f"{_approve(approvals)}, and nothing is given. {obstacle.message}"
    return replace(obstacle, message=why, withheld=approvals[-1], others=tuple(approvals[:-1]))


def _is_renewed(answer: Answer, ask: Ask, world: AccessWorld, port: Port) -> bool:
    """Whether the port is to answer a renewal: not before the end of what is given is near."""
    return _answers_itself(ask, port) and is_renewal_pending(ask, world) and is_expiring(answer, port, ask, world.now)


def _unanswered(ask: Ask, world: AccessWorld, port: Port, approvals: list[Answer], living: list[Answer]) -> Decision:
    """Too few approvals live to be in effect. Where approval is Auto one is made, once for the request and once for each renewal."""
    unfit = next((answer for answer in approvals if is_endless(answer, port, ask)), None)
    over, short = _over(ask, world, port, approvals)
    ended = ask.has_expired or bool(over)
    auto, renews = port.approval == "Auto", is_renewal_pending(ask, world)
    if ended and not (auto and renews):
        early = ask.renewal_at is not None and ask.renewal_at > world.now
        asks = "spec.renewal.requestedAt has not come yet" if early else "ask again with spec.renewal"
        way_on = "the renewal waits for a newer grant" if renews else asks
        last = max((end for answer in over if (end := end_of(answer, port, ask)) is not None), default=None)
        by_port = any(answer.ended for answer in approvals)
        what = "Access on the grant ended with its port, or by the port's terms" if by_port else "The end of the grant has passed"
        return Decision(reasons.EXPIRED, f"{what}; {way_on}", stalled=not renews, until=last, past=True, ended=short)
    if _answers_itself(ask, port):
        return Decision(reasons.AWAITING_GRANT, "The port approves by itself", port=port, answer=True)
    if auto:
        return Decision(
            reasons.PERMANENT_NOT_ALLOWED, "The port allows no access without end; make a request with spec.duration", stalled=True
        )
    if unfit is not None:
        why = f"AccessGrant {name_of(unfit)} is permanent, which the port does not allow; its owner is to set spec.validUntil"
        return Decision(reasons.PERMANENT_NOT_ALLOWED, why, stalled=True)
    missing = f"{told}. " if port.approvals is not None and (told := what_is_missing(living, port.approvals)) else ""
    who = f"The owners of {ask.product} have not{' all' if missing else ''} answered"
    return Decision(reasons.AWAITING_GRANT, f"{missing}{who}; they see the request in AccessInbox {ask.product.name}")


def _answers_itself(ask: Ask, port: Port) -> bool:
    """Whether the port's policy says yes: it never does so to access without end where the port allows none."""
    return port.approval == "Auto" and (port.allow_permanent or not ask.permanent)


def _note(answer: Answer) -> str:
    return f": {answer.note}" if answer.note else ""
