"""What an AccessRequest's status tells of its keys, and what is asked of them; plan/keys.py decides by it."""

from datetime import timedelta
from typing import Any

from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest, RotationStatus
from clouddatamesh.model.operations import Record
from clouddatamesh.plan import marks, moments
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.keys import Former, History


def history_of(request: AccessRequest, max_age: timedelta | None) -> History:
    """`max_age` is the port's rotateAfter."""
    status = request.status
    return History(
        write=_record,
        current=status.access_key_id or "",
        former=status.rotation.access_key_id if status.rotation else "",
        until=moment(status.rotation.until) if status.rotation else None,
        rotated_at=moment(status.rotated_at),
        token=request.metadata.annotations.get(marks.ROTATE_ANNOTATION, "")[:256],
        handled=status.last_handled_rotate or "",
        max_age=max_age,
    )


def _record(former: Former) -> Record:
    until = moments.text(former.until) if former.until is not None else None
    rotation = RotationStatus(access_key_id=former.key_id, until=until).model_dump(by_alias=True, exclude_none=True)
    handled: tuple[tuple[str, Any], ...] = (("lastHandledRotate", former.token),) if former.token else ()
    return Record((*handled, ("rotation", rotation)))
