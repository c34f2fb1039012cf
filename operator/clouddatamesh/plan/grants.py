"""An AccessGrant's plan, and the grant that is made where a port's approval is Auto. What a grant gives is given by its request."""

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION, parse_duration
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.errors import Waiting
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import DeleteChild, Plan, ReleaseObject, stopped
from clouddatamesh.model.world import AccessWorld, GrantWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.terms import Port

NOTE = "approved by port policy"


def answer_of(request: AccessRequest, port: Port, world: AccessWorld) -> Manifest:
    """The grant that a port with approval Auto gives: one per request and renewal, for as long as is asked and the port allows."""
    spec, metadata = request.spec, request.metadata
    renewal = spec.renewal.requested_at if spec.renewal else ""
    tail = names.hash80("answer", world.settings.mesh, metadata.uid, renewal)
    terms: dict[str, object] = {"permanent": True}
    if spec.duration is not None:
        lengths = [parse_duration(length) for length in (spec.duration, port.access.max_duration) if length]
        terms = {"validUntil": f"{world.now + min(lengths):%Y-%m-%dT%H:%M:%SZ}"}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "AccessGrant",
        "metadata": {
            "name": f"auto-{metadata.namespace[:60]}-{metadata.name[:60]}".rstrip("-.") + f"-{tail}",
            "namespace": spec.data_product_ref.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {marks.OWNER_ANNOTATION: _mark(request)},
        },
        "spec": {
            "decision": "Approve",
            "dataProductRef": {"name": spec.data_product_ref.name},
            "outputPort": spec.output_port.model_dump(by_alias=True),
            "requestRef": {"namespace": metadata.namespace, "name": metadata.name},
            "consumer": spec.consumer.model_dump(by_alias=True, exclude_none=True),
            "mode": spec.mode,
            "note": NOTE,
            **terms,
        },
    }


def _mark(request: AccessRequest) -> str:
    metadata = request.metadata
    return marks.owner_reference(Key("AccessRequest", metadata.namespace, metadata.name), metadata.uid)


def plan(grant: AccessGrant, world: GrantWorld) -> Plan:
    """Let go of a grant on which nothing rests any more; clear away an answer of ours whose request is gone."""
    if is_in_use(grant, world.request):
        return Plan()
    if _is_left_over(grant, world.request):
        return Plan((DeleteChild(Key("AccessGrant", grant.metadata.namespace, grant.metadata.name), grant.metadata.uid),))
    return Plan((ReleaseObject(),)) if marks.is_held(grant.metadata.finalizers) else Plan()


def plan_deletion(grant: AccessGrant, world: GrantWorld) -> Plan:
    """The grant goes once what rests on it was taken away and read back as gone."""
    if not marks.is_held(grant.metadata.finalizers):
        return Plan()
    forced = grant.metadata.annotations.get(marks.FORCE_ANNOTATION) == grant.metadata.name
    if is_in_use(grant, world.request) and not forced:
        why = "The access that rests on this grant is being taken away"
        return stopped(Waiting(reasons.IN_USE, why, condition="DeletionBlocked"))
    return Plan((ReleaseObject(),))


def is_in_use(grant: AccessGrant, request: AccessRequest | None) -> bool:
    """Whether a request's record names this very grant."""
    held = request.status.grant_ref if request else None
    return held is not None and held.uid == grant.metadata.uid


def _is_left_over(grant: AccessGrant, request: AccessRequest | None) -> bool:
    """An approval that we made for a request that is gone, or was made again. What an owner changed to Deny stays."""
    ours = grant.metadata.labels.get(marks.MANAGED_LABEL) == marks.MANAGER and grant.metadata.annotations.get(marks.OWNER_ANNOTATION, "")
    if not ours or grant.spec.decision != "Approve" or grant.spec.request_ref is None:
        return False
    return request is None or ours != _mark(request)
