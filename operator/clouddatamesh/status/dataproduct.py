"""A DataProduct's status from what was read back of it."""

from collections.abc import Iterator
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.objects import key_of
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.binding import holding
from clouddatamesh.plan.consumers import count_by_port, is_pending, pending_entry
from clouddatamesh.plan.ownership import judge
from clouddatamesh.plan.storage import Wish, wish_of
from clouddatamesh.plan.terms import major

_SHOWN = 20
_PENDING = 50


def report(product: DataProduct, world: ProductWorld, differences: Plan) -> Outcome:
    """The outcome when nothing more is to be done. `differences` is what mode and suspend kept from being done."""
    wish = wish_of(product, world.store, world.settings.mesh) if world.store else None
    made = wish is not None and world.bucket is not None and judge(product, wish.name, world).verdict == "Mine"
    fields = _fields(product, wish if made else None, world, differences)
    findings = (*_steps(product, made), *_inputs(product, world), _drift(differences))
    ready = _ready(product, differences)
    return Outcome(ready=ready, findings=findings, fields=fields, stalled=ready.status == "False")


def _ready(product: DataProduct, differences: Plan) -> Finding:
    if product.spec.lifecycle == "proposed":
        return Finding("Ready", "True", reasons.PROPOSED, "The manifest is valid; nothing is made while lifecycle is proposed")
    held = _held(product)
    if held is None:
        reason = reasons.RETIRED if product.spec.lifecycle == "retired" else reasons.READY
        return Finding("Ready", "True", reason, "Everything asked for was read back")
    reason, way_out = held
    if differences.stop is not None:
        return Finding("Ready", "False", differences.stop.reason, differences.stop.message)
    pending = differences.describe()
    if pending:
        return Finding("Ready", "False", reason, f"{len(pending)} changes are not made, the first: {pending[0]}; {way_out}")
    return Finding("Ready", "True", reason, "Everything asked for was read back; nothing is written")


def _held(product: DataProduct) -> tuple[str, str] | None:
    if product.spec.mode == "Plan":
        return reasons.PLANNED, "see status.plan, and set spec.mode to Manage to have them made"
    if product.spec.mode == "Observe":
        return reasons.OBSERVED, "set spec.mode to Manage to have them made"
    if product.spec.suspend:
        return reasons.SUSPENDED, "set spec.suspend to false to have them made"
    return None


def _steps(product: DataProduct, made: bool) -> Iterator[Finding]:
    if product.spec.storage is not None and product.spec.lifecycle != "proposed":
        text = (
            ("True", reasons.READY, "The bucket was read back as asked for")
            if made
            else ("False", reasons.OBSERVED, "There is no bucket of this product")
        )
        yield Finding("StorageReady", *text)  # type: ignore[arg-type]
        if product.spec.producer is not None and made and _held(product) is None:
            yield Finding("CredentialsReady", "True", reasons.READY, "Principal, policy, key and Secret were read back")


def _inputs(product: DataProduct, world: ProductWorld) -> Iterator[Finding]:
    if not product.spec.input_ports:
        return
    if world.inputs:
        missing = "; ".join(sentence for _, sentence in world.inputs)
        yield Finding("InputsReady", "False", reasons.INPUTS_MISSING, missing)
    else:
        yield Finding("InputsReady", "True", reasons.READY, "Every input port is satisfied")


def _drift(differences: Plan) -> Finding:
    pending = differences.describe()
    if pending:
        return Finding("DriftDetected", "True", reasons.DRIFTED, "; ".join(pending[:_SHOWN]))
    return Finding("DriftDetected", "False", reasons.IN_SYNC, "What was read is what was asked for")


def _fields(product: DataProduct, made: Wish | None, world: ProductWorld, differences: Plan) -> dict[str, Any]:
    fields: dict[str, Any] = {"inputPorts": _input_ports(product, world), "outputPorts": _output_ports(product, made, world)}
    fields |= _worklist(world)
    if world.lineage:
        fields["lineage"] = dict(world.lineage)
    if product.spec.mode == "Plan":
        fields["plan"] = list(differences.describe()[:_SHOWN])
    if made is not None:
        fields["storage"] = _storage(made)
    elif product.status.storage is not None:
        fields["storage"] = product.status.storage.model_dump(by_alias=True, exclude_none=True)
    return {**fields, **_producer(product, world)}


def _storage(wish: Wish) -> dict[str, Any]:
    old = wish.product.status.storage
    creating = old is not None and old.phase in ("Creating", "Owned")
    return {
        "bucket": wish.name,
        "region": wish.store.spec.region,
        "endpoint": wish.store.spec.endpoint_url or "",
        "phase": "Owned" if creating else "Adopted",
        "ownershipVerified": True,
        "managedTags": sorted(wish.storage.tags),
    }


def _producer(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    if product.spec.producer is None or world.principal is None or world.secret is None:
        return {}
    found = {"principal": world.principal.name, "accessKeyId": holding(world.secret).key_id}
    return {"binding": {"name": product.spec.producer.secret_name}, "producer": found}


def _output_ports(product: DataProduct, made: Wish | None, world: ProductWorld) -> list[dict[str, Any]]:
    """The ports of the spec, and those that left it and are still used, as they were."""
    counts = count_by_port(world.requests)
    ports = []
    for port in product.spec.output_ports:
        located = {"location": f"s3://{made.name}/{port.path}"} if made else {}
        used = counts.pop((port.name, major(port)), 0)
        ports.append({"name": port.name, "version": port.version, "path": port.path, "consumers": used, "draining": False, **located})
    forced = product.metadata.annotations.get(marks.FORCE_ANNOTATION)
    for seen in product.status.output_ports:
        used = counts.pop((seen.name, major(seen)), 0)
        if used and forced != f"{seen.name}/{seen.version}":
            ports.append({**seen.model_dump(by_alias=True, exclude_none=True), "consumers": used, "draining": True})
    return ports


def _worklist(world: ProductWorld) -> dict[str, Any]:
    """Who waits for an answer, the oldest first."""
    waiting = sorted((r for r in world.requests if is_pending(r)), key=lambda r: (r["metadata"].get("creationTimestamp") or "", key_of(r)))
    if not waiting:
        return {"pendingRequestCount": 0}
    return {"pendingRequests": [pending_entry(request) for request in waiting[:_PENDING]], "pendingRequestCount": len(waiting)}


def _input_ports(product: DataProduct, world: ProductWorld) -> list[dict[str, Any]]:
    missing = dict(world.inputs)
    return [
        {
            "name": port.name,
            "satisfied": port.name not in missing,
            **({"message": missing[port.name]} if port.name in missing else {}),
        }
        for port in product.spec.input_ports
    ]
