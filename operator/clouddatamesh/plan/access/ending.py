"""The end of an AccessRequest: what was given is taken, what cannot be taken is listed where that is asked for, and the object goes."""

from clouddatamesh.model.access import Ask
from clouddatamesh.model.operations import Record, ReleaseObject
from clouddatamesh.model.plan import Part, Plan, Steps
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.taking import BLOCKED, RECORD, plan_abandoning, plan_secret_end, plan_taking
from clouddatamesh.plan.takeover import plan_former


def plan_deletion(ask: Ask, world: AccessWorld, holders: tuple[str, ...], *, gives_up: bool, was_blocked: bool = False) -> Plan:
    """Everything that was given is taken away, then the object goes; where others hold it, its record does.

    Given up, it leaves behind what cannot be seen, or what the look before could not end either.
    """
    held, others = marks.is_held(holders), tuple(holder for holder in holders if not marks.is_held((holder,)))
    recorded = bool(ask.grant_uid)
    if not held and not recorded:
        return Plan()
    taking = plan_taking(ask, world)
    former = plan_former(world.formers, world.settings.mesh, ask.key, ends=True)
    done = (
        *((Record(tuple((field, None) for field in RECORD)),) if others and recorded else ()),
        *((ReleaseObject(),) if held else ()),
    )
    hinders = "former" if taking.stop is None and (former.stop is not None or taking == Steps()) else "taking"
    abandons = (Part("abandoning", plan_abandoning(ask) + Steps(done), BLOCKED, instead_of=hinders),)
    return Plan(
        (
            Part("taking", taking, BLOCKED, each=True),
            Part("former", former, BLOCKED, each=True),
            Part("secret", plan_secret_end(ask, world), BLOCKED),
            Part("release", Steps(done) if taking == former == Steps() else Steps(), BLOCKED, after=("taking", "former")),
            *(abandons if gives_up and (was_blocked or taking.stop is not None or former.stop is not None) else ()),
        )
    )
