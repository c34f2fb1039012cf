"""When a key is replaced, and what is left to do wherever the operator died in between."""

from dataclasses import replace
from typing import Any, Final

import pytest
from clouddatamesh.plan.accessrequest import gift_of, plan, principal_of

from clouddatamesh.api.fields import parse_time
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.model.identity import AccessKey
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import Announce, DeleteChild, DeleteKey, IssueKey, Operation, Record, RotateKey
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks
from tests.support.worlds import SETTINGS, the_store
from tests.unit.access_scene import NOW, Scene, approve

FORMER: Final = {"accessKeyId": "A", "until": "2026-03-01T00:30:00Z"}
OVER: Final = {"accessKeyId": "A", "until": NOW}
SECRET: Final = Key("Secret", "inventory", "orders-access")


def standing(
    keys: str = "A", *, lies: str = "A", token: str = "", rotate_after: str | None = None, now: str = NOW, **status: Any
) -> tuple[AccessRequest, AccessWorld]:
    """Access that stands, with these keys; keyword arguments are fields of the request's status."""
    grant = approve()
    held = grant.model_copy(update={"metadata": grant.metadata.model_copy(update={"finalizers": (marks.FINALIZER,)})})
    scene = Scene(access={"rotateAfter": rotate_after} if rotate_after else {}, grants=(held,), runs_on="yes", now=now)
    manifest = scene.request().model_dump(by_alias=True, exclude_none=True)
    metadata = {**manifest["metadata"], "finalizers": [marks.FINALIZER]}
    if token:
        metadata["annotations"] = {marks.ROTATE_ANNOTATION: token}
    place = {"store": "main", "bucket": "acme-orders", "path": "daily/"}
    recorded = {"place": place, "accessKeyId": "A", "rotatedAt": "2026-02-01T00:00:00Z"}
    whole = {**manifest["status"], **recorded, **status}
    request = AccessRequest.model_validate({**manifest, "metadata": metadata, "status": whole})
    named = request.model_copy(update={"status": request.status.model_copy(update={"principal": principal_of(request, SETTINGS.mesh)})})
    return named, _with_store(named, scene.world(), keys, lies)


def _with_store(request: AccessRequest, world: AccessWorld, keys: str, lies: str) -> AccessWorld:
    ready = replace(world, store=the_store())
    gift = gift_of(request, ready, Scene().decide())
    assert gift is not None
    principal = replace(b.want_principal(gift.binding), keys=tuple(AccessKey(key) for key in keys))
    return replace(ready, principal=principal, secret=_secret(b.secret_manifest(gift.binding), lies))


def _secret(manifest: Manifest, key: str) -> Manifest:
    """As the API server holds it, the key written by us and nobody else."""
    annotations = {**manifest["metadata"]["annotations"], marks.KEY_ID_ANNOTATION: key}
    fields = {"manager": marks.MANAGER, "fieldsV1": {"f:data": {f"f:{field}": {} for field in b.KEY_FIELDS}}}
    return {**manifest, "metadata": {**manifest["metadata"], "uid": "uid-secret", "annotations": annotations, "managedFields": [fields]}}


def planned(keys: str = "A", **state: Any) -> tuple[Operation, ...]:
    """What is planned in that state."""
    return plan(*standing(keys, **state)).operations


def assert_rotates(operations: tuple[Operation, ...], *, until: str = "2026-03-01T01:00:00Z", key: str = "A", token: str = "") -> None:
    """Recorded first, then a second key into this very Secret, then told."""
    record, rotate, told = operations
    handled = (("lastHandledRotate", token),) if token else ()
    assert record == Record((*handled, ("rotation", {"accessKeyId": key, "until": until})))
    assert isinstance(rotate, RotateKey)
    assert (rotate.secret, rotate.uid) == (SECRET, "uid-secret")
    assert isinstance(told, Announce)


def test_a_key_that_nobody_wants_replaced_stays() -> None:
    assert planned() == ()


def test_a_token_asks_for_a_new_key() -> None:
    assert_rotates(planned(token="1"), token="1")
    assert_rotates(planned(token="2", lastHandledRotate="1"), token="2")


def test_a_token_counts_once() -> None:
    assert planned(token="1", lastHandledRotate="1") == ()


def test_a_long_token_counts_once_too() -> None:
    assert planned(token="x" * 1000, lastHandledRotate="x" * 256) == ()


def test_a_token_that_was_there_before_the_first_key_asks_for_nothing() -> None:
    assert planned(token="1", accessKeyId=None) == ()


@pytest.mark.parametrize(("now", "due"), [("2026-03-02T23:59:59Z", False), ("2026-03-03T00:00:00Z", True)])
def test_a_key_is_replaced_at_the_age_that_the_port_says(now: str, due: bool) -> None:
    operations = planned(rotate_after="30d", now=now)
    assert any(isinstance(operation, RotateKey) for operation in operations) is due


def test_a_key_whose_age_is_not_known_is_not_replaced_by_age() -> None:
    assert planned(rotate_after="1d", rotatedAt=None) == ()


def test_dead_after_the_record() -> None:
    assert_rotates(planned(token="1", lastHandledRotate="1", rotation=FORMER), token="1")


def test_dead_after_the_record_for_longer_than_the_old_key_was_to_work() -> None:
    assert_rotates(planned(token="1", lastHandledRotate="1", rotation=OVER), token="1")


def test_dead_after_the_new_key_and_before_the_secret() -> None:
    """Nobody knows the secret half of the new key, so it goes, once, and another is made."""
    lost, *rest = planned("AB", token="1", lastHandledRotate="1", rotation=FORMER)
    assert isinstance(lost, DeleteKey)
    assert lost.key_id == "B"
    assert_rotates(tuple(rest), token="1")


def test_dead_after_the_secret() -> None:
    assert planned("AB", lies="B", token="1", lastHandledRotate="1", rotation=FORMER) == ()


def test_while_the_old_key_works_no_other_is_made() -> None:
    assert planned("AB", lies="B", token="2", lastHandledRotate="1", rotation=FORMER) == ()
    assert planned("AB", lies="B", rotate_after="1d", rotation=FORMER) == ()


def test_the_old_key_ends_when_its_time_is_over() -> None:
    (operation,) = planned("AB", lies="B", token="1", lastHandledRotate="1", rotation=OVER)
    assert isinstance(operation, DeleteKey)
    assert operation.key_id == "A"


def test_a_token_that_came_meanwhile_is_acted_on_then() -> None:
    first, *rest = planned("AB", lies="B", token="2", lastHandledRotate="1", rotation=OVER)
    assert isinstance(first, DeleteKey)
    assert_rotates(tuple(rest), token="2", key="B")


def test_a_secret_that_lost_its_key_is_made_anew_whatever_was_under_way() -> None:
    operations = planned("AB", lies="C", token="1", rotation=FORMER)
    assert [type(operation) for operation in operations] == [DeleteKey, DeleteKey, DeleteChild, IssueKey]


def test_a_key_that_somebody_switched_off_is_replaced_at_once() -> None:
    request, world = standing()
    assert world.principal is not None
    off = replace(world, principal=replace(world.principal, keys=(AccessKey("A", active=False),)))
    assert isinstance(plan(request, off).operations[-1], IssueKey)


def test_the_time_that_the_old_key_works_is_a_setting() -> None:
    request, world = standing(token="1")
    longer = replace(world, settings=replace(world.settings, rotation_grace=parse_time("2026-03-02T00:00:00Z") - parse_time(NOW)))
    assert_rotates(plan(request, longer).operations, until="2026-03-02T00:00:00Z", token="1")
