"""What grants are to remember in their status, as nothing else of what is there tells it later."""

from collections.abc import Iterator
from dataclasses import replace

from clouddatamesh.model.access import Answer, Ask, Decision
from clouddatamesh.model.operations import MarkGrant
from clouddatamesh.model.plan import Steps
from clouddatamesh.plan.access.grants import cap_of


def plan_marks(ask: Ask, decision: Decision) -> Steps:
    """What older and present approvals must remember: that a newer one came into effect, how many the port asked for when this one was
    first seen, and the cap under which it begins to give.

    A cap that the port gets later counts as long as the port has it: what was given without one is not shortened for good by it.
    """
    if decision.is_frozen:
        return Steps()
    overtaken = {answer.uid: answer for answer in decision.superseded}
    operations = [MarkGrant(answer.key, answer.uid, superseded_by=_successor(answer, decision)) for answer in overtaken.values()]
    operations += [MarkGrant(answer.key, answer.uid, ended_generation=answer.generation) for answer in decision.ended]
    unnoted = {answer.uid: answer for answer in decision.unnoted}
    terms = [replace(mark, required=unnoted.pop(mark.uid).required if mark.uid in unnoted else 0) for mark in _plan_terms(ask, decision)]
    operations += [MarkGrant(answer.key, answer.uid, required=answer.required) for answer in unnoted.values()]
    return Steps((*operations, *terms))


def _successor(answer: Answer, decision: Decision) -> str:
    """Of the grants that give the one of the same approver, where they are several."""
    names = [grant.key.name for grant in decision.grants if len(decision.grants) == 1 or grant.approver == answer.approver]
    return names[0] if names else "another grant"


def _plan_terms(ask: Ask, decision: Decision) -> Iterator[MarkGrant]:
    """The terms under which these grants give. That they are needed together counts for access that runs once it rests on all of them."""
    port = decision.port
    begins = not ask.key_ids or all(grant.uid in ask.grant_uids for grant in decision.grants)
    for grant in decision.grants:
        capped = port is not None and port.max_duration is not None and grant.cap is None and grant.uid not in ask.grant_uids
        together = grant.approvals != decision.required and (begins or decision.required < grant.approvals)
        cap = cap_of(port.max_duration) if capped and port is not None and port.max_duration is not None else ""
        if cap or together:
            yield MarkGrant(grant.key, grant.uid, max_duration=cap, approvals=decision.required if together else 0)
