"""An AccessRequest's plan. Giving: record, user, policy, read back, key, Secret. Taking: policy, read back as gone, keys, user, Secret."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_duration, parse_time
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest, RotationStatus
from clouddatamesh.errors import Waiting
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.plan import (
    Announce,
    CreateChild,
    CreatePrincipal,
    DeleteKey,
    DeletePolicy,
    DeletePrincipal,
    HoldGrant,
    HoldObject,
    IssueKey,
    Operation,
    Plan,
    Record,
    ReleaseObject,
    RotateKey,
    stopped,
)
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.access import Decision, decide
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.grants import answer_of

CONDITION = "Provisioned"


@dataclass(frozen=True)
class Gift:
    """What a decision that gives amounts to: the principal and Secret that are to stand."""

    request: AccessRequest
    decision: Decision
    binding: Binding

    @property
    def record(self) -> dict[str, Any]:
        """What stands in status before anything is made, so that it is found again whatever happens."""
        grant = self.decision.grant
        assert grant is not None  # noqa: S101 - a gift rests on a grant
        binding = self.binding
        return {
            "principal": b.want_principal(binding).name,
            "place": {"store": binding.store.metadata.name, "bucket": binding.bucket, "path": binding.path},
            "grantRef": {"namespace": grant.metadata.namespace, "name": grant.metadata.name, "uid": grant.metadata.uid},
        }


def key_of_request(request: AccessRequest) -> Key:
    """The key of a parsed request."""
    return Key("AccessRequest", request.metadata.namespace, request.metadata.name)


def gift_of(request: AccessRequest, world: AccessWorld, decision: Decision) -> Gift | None:
    """None where nothing is given: the decision says no, or what stands has to be taken away elsewhere first."""
    port, store, place = decision.port, world.store, request.status.place
    bucket = _bucket_of(request, world)
    if not decision.gives or port is None or store is None or not bucket:
        return None
    if place is not None and place.store != store_name_of(world):
        return None
    binding = Binding(
        owner=key_of_request(request),
        uid=request.metadata.uid,
        mesh=world.settings.mesh,
        store=store,
        bucket=bucket,
        secret_name=request.spec.secret_name,
        path=port.path,
        mode=request.spec.mode,
    )
    return Gift(request, decision, binding)


def _bucket_of(request: AccessRequest, world: AccessWorld) -> str:
    """The product's bucket as its status has it; where that is lost, as it was recorded when access was given."""
    storage, place = world.product.status.storage if world.product else None, request.status.place
    return storage.bucket if storage else place.bucket if place else ""


def store_name_of(world: AccessWorld) -> str:
    """The ObjectStore of the product that is asked for, empty where there is none."""
    storage = world.product.spec.storage if world.product else None
    return storage.store_ref.name if storage else ""


def plan(request: AccessRequest, world: AccessWorld) -> Plan:
    """Answer by policy where the port says so, then give or take away."""
    decision = decide(request, world)
    gift = gift_of(request, world, decision)
    answer = _plan_answer(request, world, decision)
    if gift is None:
        return answer + plan_taking(request, world)
    return answer + _plan_giving(gift, world)


def _plan_answer(request: AccessRequest, world: AccessWorld, decision: Decision) -> Plan:
    if not decision.answer or decision.port is None:
        return Plan()
    manifest = answer_of(request, decision.port, world)
    name = manifest["metadata"]["name"]
    return Plan() if any(grant.metadata.name == name for grant in world.grants) else Plan((CreateChild(manifest),))


def _plan_giving(gift: Gift, world: AccessWorld) -> Plan:
    name = b.want_principal(gift.binding).name
    if world.principal is not None and not b.is_ours(world.principal, mesh=world.settings.mesh, owner=gift.binding.owner):
        return stopped(b.principal_is_foreign(name, condition=CONDITION))
    if world.secret is not None and not marks.is_made_by(world.secret, gift.binding.owner, gift.binding.uid):
        surplus = (DeleteKey(name, key.id) for key in sorted(world.principal.keys if world.principal else ()))
        foreign = Key("Secret", gift.binding.owner.namespace, gift.binding.secret_name)
        return stopped(b.secret_is_foreign(foreign, gift.binding.owner), *surplus)
    if world.principal is None:
        made: tuple[Operation, ...] = (CreatePrincipal(b.want_principal(gift.binding)), b.put_policy(gift.binding))
    else:
        made = b.policy_updates(gift.binding, world.principal)
    # The policy is read back before there is a key: another pass sees what this one made.
    keys = () if made else _plan_keys(gift, world)
    return Plan((*_plan_holds(gift), *made, *keys))


def _plan_holds(gift: Gift) -> tuple[Operation, ...]:
    """The finalizer, the record, and the finalizer of the grant, before anything is made."""
    grant, request = gift.decision.grant, gift.request
    assert grant is not None  # noqa: S101 - a gift rests on a grant
    operations: list[Operation] = [] if marks.is_held(request.metadata.finalizers) else [HoldObject()]
    recorded = request.status.model_dump(by_alias=True, exclude_none=True)
    if any(recorded.get(field) != value for field, value in gift.record.items()):
        operations.append(Record(tuple(sorted(gift.record.items()))))
    if not marks.is_held(grant.metadata.finalizers):
        operations.append(HoldGrant(Key("AccessGrant", grant.metadata.namespace, grant.metadata.name), grant.metadata.uid))
    return tuple(operations)


def _plan_keys(gift: Gift, world: AccessWorld) -> tuple[Operation, ...]:
    principal, secret = world.principal, world.secret
    assert principal is not None  # noqa: S101 - made in the pass before
    good = b.good_key(principal, secret)
    if not good or secret is None:
        surplus = tuple(DeleteKey(principal.name, key.id) for key in sorted(principal.keys))
        broken = (b.remove_secret(secret),) if secret else ()
        return (*surplus, *broken, IssueKey(principal.name, b.secret_manifest(gift.binding)))
    former = _former_key(gift.request, world.now)
    surplus = tuple(DeleteKey(principal.name, key.id) for key in sorted(principal.keys) if key.id not in (good, former))
    return (*surplus, *b.content_updates(gift.binding, secret), *_plan_rotation(gift, world, good))


# Rotation: recorded, then a second key, then the Secret; the first works on for a while.


def _plan_rotation(gift: Gift, world: AccessWorld, good: str) -> tuple[Operation, ...]:
    """A rotation that is due is recorded first; one that was recorded and not done (the Secret still holds that key) is done.

    There is room for the second key: in either case any other was surplus, and is deleted before.
    """
    request, secret = gift.request, world.secret
    assert secret is not None and world.principal is not None  # noqa: S101 - a good key lies in a Secret
    under_way = request.status.rotation is not None and request.status.rotation.access_key_id == good
    if not under_way and (_former_key(request, world.now) or not is_rotation_due(request, gift.decision, world)):
        return ()
    until = world.now + world.settings.rotation_grace
    rotation = RotationStatus(access_key_id=good, until=f"{until:%Y-%m-%dT%H:%M:%SZ}").model_dump(by_alias=True)
    record = Record((*_token_record(request), ("rotation", rotation)))
    place = Key("Secret", secret["metadata"]["namespace"], secret["metadata"]["name"])
    told = Announce(
        Event("Normal", reasons.ROTATED, f"The key in Secret {place.name} was replaced; the old one works until {until:%H:%M} UTC")
    )
    return (record, RotateKey(world.principal.name, place, secret["metadata"]["uid"]), told)


def _token_record(request: AccessRequest) -> tuple[tuple[str, Any], ...]:
    token = rotate_token(request)
    return (("lastHandledRotate", token),) if token else ()


def rotate_token(request: AccessRequest) -> str:
    """The rotate annotation, as much of it as status holds."""
    return request.metadata.annotations.get(marks.ROTATE_ANNOTATION, "")[:256]


def is_rotation_due(request: AccessRequest, decision: Decision, world: AccessWorld) -> bool:
    """Whether somebody asks for a new key, or the key is as old as the port lets it become."""
    token = rotate_token(request)
    if token and request.status.access_key_id and token != request.status.last_handled_rotate:
        return True
    moment = rotates_at(request, decision)
    return moment is not None and world.now >= moment


def rotates_at(request: AccessRequest, decision: Decision) -> datetime | None:
    """When the key is to be replaced by age."""
    age = decision.port.access.rotate_after if decision.port else None
    if age is None or request.status.rotated_at is None:
        return None
    return parse_time(request.status.rotated_at) + parse_duration(age)


def _former_key(request: AccessRequest, now: datetime) -> str:
    """The key that was replaced and still works; empty where there is none."""
    rotation = request.status.rotation
    return rotation.access_key_id if rotation is not None and parse_time(rotation.until) > now else ""


# Taking away.


def plan_taking(request: AccessRequest, world: AccessWorld) -> Plan:
    """Policy first; once that is read back as gone, keys, user and Secret. What is not ours is left."""
    principal = _own_principal(request, world)
    if principal is not None:
        policies = _policies_of(principal)
        if policies:
            return Plan(tuple(DeletePolicy(principal.name, policy) for policy in policies))
        keys = tuple(DeleteKey(principal.name, key.id) for key in sorted(principal.keys))
        return Plan((*keys, DeletePrincipal(principal.name), *_plan_secret_end(request, world)))
    return Plan(_plan_secret_end(request, world))


def _policies_of(principal: Principal) -> tuple[str, ...]:
    return (*((PREFIX,) if principal.policy is not None else ()), *sorted(principal.other_policies))


def _own_principal(request: AccessRequest, world: AccessWorld) -> Principal | None:
    if world.principal is None or not b.is_ours(world.principal, mesh=world.settings.mesh, owner=key_of_request(request)):
        return None
    return world.principal


def _plan_secret_end(request: AccessRequest, world: AccessWorld) -> tuple[Operation, ...]:
    ours = world.secret is not None and marks.is_made_by(world.secret, key_of_request(request), request.metadata.uid)
    return (b.remove_secret(world.secret),) if ours and world.secret is not None else ()


def is_forced(request: AccessRequest) -> bool:
    """Whether its owner asked that the object goes though a principal may be left behind, for the sweep to find."""
    return request.metadata.annotations.get(marks.FORCE_ANNOTATION) == request.metadata.name


def plan_deletion(request: AccessRequest, world: AccessWorld) -> Plan:
    """Everything that was given is taken away, then the object goes."""
    if not marks.is_held(request.metadata.finalizers):
        return Plan()
    taking = plan_taking(request, world)
    if taking.operations:
        return taking
    if request.status.place is not None and world.store is None and not is_forced(request):
        return stopped(Waiting(reasons.STORE_NOT_FOUND, "The principal was not seen to be gone", condition="DeletionBlocked"))
    return Plan((ReleaseObject(),))


def principal_of(request: AccessRequest, mesh: str) -> str:
    """The name of the one principal of a request."""
    return names.principal_name(mesh, key_of_request(request))
