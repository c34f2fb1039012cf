"""The rotation of a consumer's key: recorded, then a second key, then the Secret; the first works on for a while."""

from datetime import datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest, RotationStatus
from clouddatamesh.model.evidence import value_of
from clouddatamesh.model.objects import Event, Key
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import RotateKey
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.decision import Decision


def plan_rotation(request: AccessRequest, decision: Decision, world: AccessWorld, good: str) -> Steps:
    """A rotation that is due is recorded first; one that was recorded and not done (the Secret still holds that key) is done.

    There is room for the second key: in either case any other was surplus, and is deleted before.
    """
    secret, principal = value_of(world.secret), value_of(world.principal)
    assert secret is not None and principal is not None  # noqa: S101 - a good key lies in a Secret
    under_way = request.status.rotation is not None and request.status.rotation.access_key_id == good
    if not under_way and (former_key(request, world.now) or not is_rotation_due(request, decision, world)):
        return Steps()
    until = world.now + world.settings.rotation_grace
    rotation = RotationStatus(access_key_id=good, until=f"{until:%Y-%m-%dT%H:%M:%SZ}").model_dump(by_alias=True)
    record = Record((*_token_record(request), ("rotation", rotation)))
    place = Key("Secret", secret["metadata"]["namespace"], secret["metadata"]["name"])
    told = Announce(
        Event("Normal", reasons.ROTATED, f"The key in Secret {place.name} was replaced; the old one works until {until:%H:%M} UTC")
    )
    return Steps((record, RotateKey(principal.name, place, secret["metadata"]["uid"]), told))


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
    age = decision.port.rotate_after if decision.port else None
    if age is None or request.status.rotated_at is None:
        return None
    return parse_time(request.status.rotated_at) + age


def former_key(request: AccessRequest, now: datetime) -> str:
    """The key that was replaced and still works; empty where there is none."""
    rotation = request.status.rotation
    return rotation.access_key_id if rotation is not None and parse_time(rotation.until) > now else ""
