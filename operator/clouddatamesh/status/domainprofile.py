"""A DomainProfile's status: whether it counts, and whose training is due."""

from dataclasses import replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.api.v1alpha1.team import TrainingStatus
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import ProfileWorld
from clouddatamesh.plan.domainprofile import find_obstacle
from clouddatamesh.plan.training import assess

_NAMED: Final = 5


def report(profile: DomainProfile, world: ProfileWorld) -> Outcome:
    """The outcome as far as nothing failed. What cannot be judged for want of a clock stays as it was."""
    ready = Outcome(Finding("Ready", "True", reasons.READY, "The profile is shown with its Domain"))
    if find_obstacle(profile, world) is not None or not profile.spec.training:
        return ready
    if not world.is_time_trusted:
        return _with_training(ready, profile.status.training)
    team = profile.spec.team or (world.domain.spec.team if world.domain is not None else None)
    found = assess(profile.spec.training, team, world.now)
    return replace(_with_training(ready, found.status), due=found.next_change)


def _with_training(outcome: Outcome, status: TrainingStatus | None) -> Outcome:
    if status is None:
        return outcome
    fields = {"training": status.model_dump(mode="json", by_alias=True, exclude_none=True)}
    return replace(outcome, fields=fields, findings=_overdue(status))


def _overdue(status: TrainingStatus) -> tuple[Finding, ...]:
    """A condition that is there only while it is true."""
    if not status.overdue:
        return ()
    named = [f"{one.training} of {one.username}" for one in status.people if one.state == "overdue"][:_NAMED]
    more = f" and {status.overdue - len(named)} more" if status.overdue > len(named) else ""
    said = f"{status.overdue} training{'s are' if status.overdue > 1 else ' is'} overdue: {', '.join(named)}{more}"
    return (Finding("TrainingOverdue", "True", reasons.TRAINING_OVERDUE, f"{said}; add completed ones to completedBy"),)
