"""Access that runs: a request, its world with the principal and the Secret as they were read back."""

from dataclasses import replace
from typing import Any, Final

from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import AccessKey
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks, secrets
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.plan.access.request import giving_of
from clouddatamesh.plan.access.taking import principal_of
from tests.support.worlds import the_store
from tests.unit.access_scene import Scene, approve

HELD: Final = {"finalizers": [marks.FINALIZER]}


def running(
    keys: str = "A", *, lies: str = "A", token: str = "", access: dict[str, Any] | None = None, **state: Any
) -> tuple[Ask, AccessWorld]:
    """Access that runs, with these keys, of which the Secret holds one; further keyword arguments are fields of the request's status."""
    when = {name: state.pop(name) for name in ("now", "trusted") if name in state}
    grant = approve()
    scene = Scene(access=access, grants=({**grant, "metadata": {**grant["metadata"], **HELD}},), runs_on="yes", **when)
    manifest = scene.request()
    annotations = {"annotations": {marks.ROTATE_ANNOTATION: token}} if token else {}
    named = {"principal": principal_of(scene.ask(), scene.world())}
    place = {"store": "main", "bucket": "acme-orders", "path": "daily/"}
    status = {**manifest["status"], **named, "place": place, "accessKeyId": "A", "rotatedAt": "2026-02-01T00:00:00Z", **state}
    whole = {**manifest, "metadata": {**manifest["metadata"], **HELD, **annotations}, "status": status}
    request = AccessRequest.model_validate(whole)
    return read_request(whole), _with_store(read_request(whole), replace(scene.world(), request=request, store=the_store()), keys, lies)


def _with_store(ask: Ask, world: AccessWorld, keys: str, lies: str) -> AccessWorld:
    giving = giving_of(ask, world, Scene().decide())
    assert giving is not None
    principal = replace(b.want_principal(giving.binding), keys=tuple(AccessKey(key) for key in keys))
    return replace(world, principal=Present(principal), secret=Present(the_secret(secrets.manifest_of(giving.binding), lies)))


def the_secret(manifest: Manifest, key: str) -> Manifest:
    """As the API server holds it, the key written by us and nobody else."""
    annotations = {**manifest["metadata"]["annotations"], marks.KEY_ID_ANNOTATION: key}
    owned = (*secrets.KEY_FIELDS, *manifest["stringData"])
    noted: dict[str, Any] = {"f:annotations": {f"f:{marks.KEY_ID_ANNOTATION}": {}}}
    fields = {"manager": marks.MANAGER, "fieldsV1": {"f:data": {f"f:{field}": {} for field in owned}, "f:metadata": noted}}
    return {**manifest, "metadata": {**manifest["metadata"], "uid": "uid-secret", "annotations": annotations, "managedFields": [fields]}}
