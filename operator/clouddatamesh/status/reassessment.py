"""Data that became more delicate after access to it was given: its owners are to look again at what they granted. Nothing is taken."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.access import Answer, DataTerms
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import GrantWorld

REASSESSMENT: Final = "ReassessmentDue"
_RANKS: Final = ("public", "internal", "confidential", "restricted")


def with_reassessment(outcome: Outcome, answer: Answer, world: GrantWorld) -> Outcome:
    """The outcome of a grant in effect, with the terms of its time and whether they are the present ones."""
    in_effect = any(found.type == "InEffect" and found.status != "False" for found in outcome.findings)
    offer = world.access.offer
    if not in_effect or answer.decision != "Approve":
        return outcome
    now = offer.data if offer is not None else None
    given = answer.data or now
    fields = {**outcome.fields, **({"data": _as_status(given)} if given is not None else {})}
    is_due = answer.is_reassessment_due if now is None or given is None else is_raised(given, now)
    if not is_due:
        return replace(outcome, fields=fields)
    why = "The product's data is classified higher, or is personal, since this grant came into effect; create a newer grant, or delete it"
    return replace(outcome, fields=fields, findings=(*outcome.findings, Finding(REASSESSMENT, "True", reasons.REASSESSMENT_DUE, why)))


def is_raised(given: DataTerms, now: DataTerms) -> bool:
    """Whether data is more delicate now. Of a word that is not known nothing is concluded."""
    ranks = [_RANKS.index(one.classification) for one in (given, now) if one.classification in _RANKS]
    return (len(ranks) == 2 and ranks[1] > ranks[0]) or (now.personal_data and not given.personal_data)


def _as_status(data: DataTerms) -> dict[str, Any]:
    return {"classification": data.classification, "personalData": data.personal_data}
