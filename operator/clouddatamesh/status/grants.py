"""An AccessGrant's status: whether access rests on it, and if not, why not."""

from dataclasses import replace
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import GrantWorld
from clouddatamesh.plan import terms
from clouddatamesh.plan.access import decide
from clouddatamesh.plan.grants import is_in_use


def report(grant: AccessGrant, world: GrantWorld) -> Outcome:
    """The outcome when nothing more is to be done for a grant itself."""
    request = world.request
    if grant.spec.request_ref is None:
        where = f"namespace {grant.spec.consumer_namespace}"
        return _outcome(Finding("Ready", "True", reasons.DENIED, f"Every request from {where} is refused"), {})
    if request is None:
        asked = f"{grant.spec.request_ref.namespace}/{grant.spec.request_ref.name}"
        return _outcome(Finding("Ready", "Unknown", reasons.REQUEST_NOT_FOUND, f"AccessRequest {asked} does not exist"), {})
    fields: dict[str, Any] = {"requestDigest": terms.digest(request)}
    differences = tuple(terms.find_differences(grant, request))
    if differences:
        return _outcome(_mismatch(differences), fields, stalled=True)
    if grant.spec.decision == "Deny":
        return _outcome(_denial(request), fields)
    return _report_approval(grant, request, world, fields)


def _mismatch(differences: tuple[str, ...]) -> Finding:
    named = ", ".join(f"spec.{field}" for field in differences)
    why = f"The grant does not say what the request says in {named}, so it gives nothing; make a grant that does"
    return Finding("Ready", "False", reasons.GRANT_MISMATCH, why)


def _denial(request: AccessRequest) -> Finding:
    if request.status.grant_ref is not None:
        return Finding("Ready", "Unknown", reasons.DENIED, "The access is being taken away")
    return Finding("Ready", "True", reasons.DENIED, "The request is refused, and nothing stands in the store")


def _report_approval(grant: AccessGrant, request: AccessRequest, world: GrantWorld, fields: dict[str, Any]) -> Outcome:
    port, now = terms.port_of(request, world.access.product), world.access.now
    end = terms.end_of(grant, port) if port else None
    if end is not None:
        fields = {**fields, "validUntil": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    if port is not None and terms.is_endless(grant, port):
        why = "The port allows no access without end; give spec.validUntil instead of permanent"
        return _outcome(Finding("Ready", "False", reasons.PERMANENT_NOT_ALLOWED, why), fields, stalled=True)
    if port is not None and not terms.is_living(grant, port, now):
        over = Finding("Expired", "True", reasons.EXPIRED, "Its end has passed")
        return _outcome(Finding("Ready", "True", reasons.EXPIRED, "Its end has passed; it can be deleted"), fields, over)
    return replace(_report_living(grant, request, world), fields=fields, due=end)


def _report_living(grant: AccessGrant, request: AccessRequest, world: GrantWorld) -> Outcome:
    decision = decide(request, world.access)
    chosen = decision.grant is not None and decision.grant.metadata.uid == grant.metadata.uid
    if chosen and is_in_use(grant, request) and _stands(request):
        return _outcome(Finding("Ready", "True", reasons.GRANTED, "Access rests on this grant"), {}, in_effect=True)
    if chosen:
        return _outcome(Finding("Ready", "Unknown", reasons.GRANTED, "The access is being made"), {})
    if decision.gives:
        why = "Another grant of the same request lasts longer"
        return _outcome(Finding("Ready", "True", reasons.SUPERSEDED, why), {})
    found = Finding("Ready", "False" if decision.stalled else "Unknown", decision.reason, decision.message)
    return _outcome(found, {}, stalled=decision.stalled)


def _stands(request: AccessRequest) -> bool:
    return any(found.type == "Provisioned" and found.status == "True" for found in request.status.conditions)


def _outcome(ready: Finding, fields: dict[str, Any], *more: Finding, in_effect: bool = False, stalled: bool = False) -> Outcome:
    effect = Finding("InEffect", "True" if in_effect else "False", ready.reason, ready.message)
    return Outcome(ready, (effect, *more), fields, stalled=stalled)
