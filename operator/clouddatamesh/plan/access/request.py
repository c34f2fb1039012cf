"""An AccessRequest's plan: what is taken, the port's own answer, what older grants are to remember, and what is given.

Giving: record, user, policy, read back, key, Secret. Taking: rights and keys, read back as gone, user; the Secret apart from both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.errors import Waiting
from clouddatamesh.model.access import Answer, Ask, Decision, Port
from clouddatamesh.model.evidence import Unknown, value_of
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.operations import CreateChild, HoldGrant, HoldObject, Record
from clouddatamesh.model.plan import Operation, Part, Plan, Steps, stopped
from clouddatamesh.model.store_operations import CreatePrincipal, ReplaceKey
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import keys, marks, secrets
from clouddatamesh.plan.access.decision import decide
from clouddatamesh.plan.access.faults import LOST
from clouddatamesh.plan.access.grants import answer_of
from clouddatamesh.plan.access.memory import plan_marks
from clouddatamesh.plan.access.rotation import history_of
from clouddatamesh.plan.access.taking import (
    is_told_of_another,
    own_principal,
    owner_of,
    plan_secret_end,
    plan_taking,
    recorded_principal,
)
from clouddatamesh.plan.access.terms import kept_path
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.keys import History, Moment
from clouddatamesh.plan.takeover import counted_here, is_over, plan_former

CONDITION: Final = "Provisioned"


@dataclass(frozen=True)
class Giving:
    """What a decision that gives amounts to: the principal and Secret that are to be."""

    ask: Ask
    request: AccessRequest
    decision: Decision
    binding: Binding

    @property
    def history(self) -> History:
        """What status tells of the consumer's keys; the port says how old one may become."""
        return history_of(self.request, self.decision.port.rotate_after if self.decision.port else None)

    @property
    def record(self) -> dict[str, Any]:
        """What status says before anything is made, so that it is found again whatever happens."""
        grant = self.decision.grant
        assert grant is not None  # noqa: S101 - it rests on a grant
        binding = self.binding
        return {
            "principal": binding.principal,
            "place": {
                "store": binding.store.metadata.name,
                "bucket": binding.bucket,
                "path": binding.path,
                **({"storeId": binding.store.status.store_id} if binding.store.status.store_id else {}),
            },
            "grantRef": _reference(grant),
            **self._counted,
        }

    @property
    def _counted(self) -> dict[str, Any]:
        """All grants where they are several; None where status still tells of several."""
        grants = self.decision.grants
        if len(grants) > 1:
            ordered = sorted(grants, key=lambda grant: grant.key)
            return {"countedGrants": [{**_reference(grant), "approver": grant.approver} for grant in ordered]}
        return {"countedGrants": None} if self.request.status.counted_grants else {}


def _reference(grant: Answer) -> dict[str, str]:
    return {"namespace": grant.key.namespace, "name": grant.key.name, "uid": grant.uid}


def giving_of(ask: Ask, world: AccessWorld, decision: Decision) -> Giving | None:
    """None where nothing is given: the decision says no, or what there is has to be taken away elsewhere first."""
    port, store, request = decision.port, world.store, world.request
    bucket = _bucket_of(ask, world)
    if not decision.gives or port is None or store is None or request is None or not bucket or world.abandoned:
        return None
    if ask.place is not None and ask.place.store != store_name_of(world):
        return None
    binding = Binding(
        owner=owner_of(ask, world),
        store=store,
        bucket=bucket,
        secret_name=ask.secret_name,
        path=_path_of(ask, world, decision, port),
        mode=ask.mode,
        recorded=recorded_principal(ask, world, store),
        region=world.offer.region if world.offer else "",
    )
    return Giving(ask, request, decision, binding)


def _path_of(ask: Ask, world: AccessWorld, decision: Decision, port: Port) -> str:
    """The port's; where nothing new is given, what of it was given before."""
    return (decision.stays and kept_path(ask, port, world.offer)) or port.path


def _ends_elsewhere(ask: Ask, world: AccessWorld) -> bool:
    """Whether what there is must go although access is given: it is in another store, or the store is given up."""
    return world.abandoned or (ask.place is not None and ask.place.store != store_name_of(world))


def _bucket_of(ask: Ask, world: AccessWorld) -> str:
    """The product's bucket, once it was read back as its own; else as it was recorded when access was given."""
    offered = world.offer.bucket if world.offer and world.offer.verified else ""
    return offered or (ask.place.bucket if ask.place else "")


def store_name_of(world: AccessWorld) -> str:
    """The ObjectStore of the product that is asked for, empty where there is none."""
    return world.offer.store if world.offer else ""


def plan(ask: Ask, world: AccessWorld) -> Plan:
    """Take away first; answer, mark and give without waiting for each other."""
    decision = decide(ask, world)
    giving = giving_of(ask, world, decision)
    keeps = giving is not None or (not world.abandoned and decision.is_frozen) or (decision.gives and not _ends_elsewhere(ask, world))
    return Plan(
        (
            Part("taking", _plan_surplus(ask, world, giving) if keeps else plan_taking(ask, world), CONDITION, each=True),
            Part("former", _plan_former(ask, world, decision), CONDITION, each=True),
            # What keeps the Secret is told in Ready: on Provisioned others rest, and with the user gone the key in it is dead.
            Part("secret", Steps() if keeps or is_told_of_another(ask, world) else plan_secret_end(ask, world)),
            Part("answer", _plan_answer(ask, world, decision)),
            Part("marks", plan_marks(ask, decision), after=("taking",)),
            Part(
                "giving",
                _plan_giving(giving, world) if giving else _plan_unseen(decision, world, keeps=keeps),
                CONDITION,
                after=("taking", "marks"),
            ),
        )
    )


def _plan_answer(ask: Ask, world: AccessWorld, decision: Decision) -> Steps:
    """The port's own grant, once no object has its name any more: one that is going still ends access."""
    if not decision.answer or decision.port is None:
        return Steps()
    if world.answer_exists:
        return (
            Steps() if decision.gives else stopped(Waiting(reasons.AWAITING_GRANT, "The port answers again once its former answer is gone"))
        )
    return Steps((CreateChild(answer_of(ask, decision.port, world)),))


def _plan_giving(giving: Giving, world: AccessWorld) -> Steps:
    binding = giving.binding
    if giving.decision.trouble is not None:
        # What runs is kept as it is; a record that was lost is written again, so that it is not taken for an orphan.
        return Steps() if giving.request.status.place is not None else _plan_holds(giving, gives=False)
    if world.obstacle is not None:
        return stopped(world.obstacle)
    if isinstance(world.principal, Unknown):
        return stopped(world.principal.error)
    principal = value_of(world.principal)
    if giving.decision.stays and not giving.ask.key_ids and not (principal is not None and principal.keys):
        why = f"No key was issued for Secret {binding.secret_name}, or the store does not list it yet; nothing new is given meanwhile"
        return stopped(Waiting(reasons.NOT_VISIBLE_YET, why))
    if principal is not None and not b.is_ours(principal, binding.owner):
        return stopped(b.principal_is_foreign(principal.name))
    if principal is None:
        return _plan_making(giving, world)
    if not b.has_policy(binding, principal):
        # The policy is read back before there is a key: another pass sees what this one made.
        return _plan_holds(giving, gives=True) + Steps((b.put_policy(binding),))
    issuing = _plan_keys(giving, principal, world)
    gives = any(isinstance(operation, ReplaceKey) for operation in issuing.operations)
    return _plan_holds(giving, gives=gives) + issuing


def _plan_unseen(decision: Decision, world: AccessWorld, *, keeps: bool) -> Steps:
    """Access is given, and its store is not seen: it is kept, and that is said."""
    told = keeps and not decision.is_frozen and world.obstacle is not None
    return Steps((), world.obstacle if told else None)


def _plan_making(giving: Giving, world: AccessWorld) -> Steps:
    binding, known = giving.binding, value_of(world.secret)
    if known is not None and secrets.is_of(known, binding.owner.key, binding.owner.uid) and keys.is_late(binding, None, known, world.now):
        return stopped(Waiting(reasons.NOT_VISIBLE_YET, f"Principal {binding.principal} does not show in the store yet"))
    return _plan_holds(giving, gives=True) + Steps((CreatePrincipal(b.want_principal(binding)), b.put_policy(binding)))


def _plan_holds(giving: Giving, *, gives: bool) -> Steps:
    """The finalizer, the record, and the finalizer of the grant, before anything is made; what is about to give is read live."""
    request = giving.request
    operations: list[Operation] = [] if marks.is_held(request.metadata.finalizers) else [HoldObject()]
    recorded = request.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    if any(recorded.get(field) != value for field, value in giving.record.items()):
        operations.append(Record(tuple(sorted(giving.record.items()))))
    consumer = giving.ask.consumer if gives else None
    holds = [
        HoldGrant(grant.key, grant.uid, grant.held, grant.generation, consumer, giving.decision.stays)
        for grant in giving.decision.grants
        if gives or not grant.held
    ]
    return Steps((*operations, *holds))


def _plan_keys(giving: Giving, principal: Principal, world: AccessWorld) -> Steps:
    return keys.plan_keys(giving.binding, principal, world.secret, giving.history, moment_of(world))


def moment_of(world: AccessWorld) -> Moment:
    """When this look is."""
    return Moment(world.now, world.settings.rotation_grace, world.is_time_trusted)


_NOES: Final = (reasons.DENIED, reasons.EXPIRED, reasons.NOT_OFFERED, reasons.PORT_NOT_FOUND, reasons.MODE_NOT_OFFERED)
"""Why nothing is given where what was applied says so; what is missing may come from a folder that was not applied yet."""


def _plan_former(ask: Ask, world: AccessWorld, decision: Decision) -> Steps:
    """The user that a lost cluster made for the request: after its hour, or at once where this cluster ended access or was told no.

    While nothing was decided here it works on: its grant may come from a folder that was not applied yet.
    """
    own = recorded_principal(ask, world, world.store)
    over = is_over(counted_here(ask.take_over, world.cluster, own, world.store), world.now, is_time_trusted=world.is_time_trusted)
    lost = world.offer is not None and world.offer.storage_reason in LOST
    # A status that was restored from a backup tells of what the lost cluster gave.
    given_here = ask.was_given and bool(own)
    refused = not decision.gives and (given_here or lost or decision.reason in _NOES)
    return plan_former(world.formers, world.settings.mesh, ask.key, ends=(decision.gives and over) or refused)


def _plan_surplus(ask: Ask, world: AccessWorld, giving: Giving | None) -> Steps:
    """Rights that nobody gave, and keys whose time is over, while access is given. What is to be remembered needs no user to be seen."""
    handed_over = tuple(_plan_hand_over(giving, world)) if giving is not None else ()
    principal = own_principal(ask, world)
    if principal is None:
        return Steps(handed_over)
    narrowed = (*handed_over, *_narrowing(giving, world, principal)) if giving is not None else ()
    ended: Iterator[Operation] = iter(())
    if world.request is not None:
        history = history_of(world.request, None)
        ended = keys.end_keys(owner_of(ask, world), principal, world.secret, history, moment_of(world))
    return Steps((*narrowed, *b.surplus_rights(principal), *ended))


def _plan_hand_over(giving: Giving, world: AccessWorld) -> Iterator[Operation]:
    """What another port got is remembered: once that one moves on, too, its data does not become this consumer's."""
    place, port, told = giving.ask.place, giving.decision.port, giving.request.status.place
    if place is None or port is None or told is None or place.handed_on or not giving.decision.stays:
        return
    if kept_path(giving.ask, port, world.offer) is None:
        yield Record((("place", {**told.model_dump(by_alias=True, exclude_none=True), "handedOn": True}),))


def _narrowing(giving: Giving, world: AccessWorld, principal: Principal) -> Iterator[Operation]:
    """To what was given last and is still the port's; what is to be given now is the giving part's."""
    place, binding, port = giving.ask.place, giving.binding, giving.decision.port
    if place is None or port is None:
        return b.narrowing(principal, binding, given=giving.ask.was_given)
    path = kept_path(giving.ask, port, world.offer)
    if path is None:
        return b.narrowing(principal, binding, given=False)
    return b.narrowing(principal, replace(binding, bucket=place.bucket, path=path), binding, given=giving.ask.was_given)
