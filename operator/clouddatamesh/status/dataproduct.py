"""A DataProduct's status from what was read back of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.evidence import Present, Unknown, value_of
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.plan import Plan
from clouddatamesh.model.words import some
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding, keys, marks, moments
from clouddatamesh.plan.access.consumers import count_by_port, is_abandoned, is_pending, may_have_access
from clouddatamesh.plan.access.facts import asked_port, cut_of, major, moment, words_of
from clouddatamesh.plan.adoption import Adoption, due_at, may_delete
from clouddatamesh.plan.credentials import binding_of, history_of, moment_of, take_over_of
from clouddatamesh.plan.dataproduct import is_forced
from clouddatamesh.plan.diff import diff_bucket
from clouddatamesh.plan.fates import recorded_fate
from clouddatamesh.plan.losses import find_loss
from clouddatamesh.plan.marks import is_given_up
from clouddatamesh.plan.ownership import judge
from clouddatamesh.plan.regions import asks_region, region_of
from clouddatamesh.plan.storage import planned_adoption, recreated, want_bucket
from clouddatamesh.plan.takeover import end_of_formers, take_over_fields
from clouddatamesh.plan.wish import Wish, wish_of
from clouddatamesh.status.keys import told_of_keys
from clouddatamesh.status.producer import producer_fields

_SHOWN = 20


def report(product: DataProduct, world: ProductWorld, full: Plan) -> Outcome:
    """The outcome as far as nothing failed. `full` is the whole plan, of which mode and suspend may have kept something from being done."""
    wish = wish_of(product, world)
    made = wish if wish is not None and _is_made(product, wish, world) else None
    withheld = full if _held(product) is not None else Plan()
    steps, drift = _steps(product, made, world, withheld), _drift(product, made, world, withheld)
    findings = (*steps, *_inputs(product, world), *drift, *_cut_off(product, world))
    ready = _ready(product, withheld)
    adoption = planned_adoption(wish, world) if wish is not None and world.obstacle is None else None
    fields = {**_fields(product, made, world, withheld), **_adoption(product, adoption, world)}
    agrees = due_at(product, adoption.planned_at) if adoption is not None else None
    return Outcome(ready, findings, fields, stalled=ready.status == "False", due=_due(product, world, fields, agrees))


def _adoption(product: DataProduct, adoption: Adoption | None, world: ProductWorld) -> dict[str, Any]:
    """The plan of an adoption, and since when it is as it is: by that time alone may agree to it.

    It is told until it was carried out: a call that failed, or a store that does not answer, makes no new plan of it.
    """
    old = product.status.adoption
    if adoption is not None:
        since = {"adoption": {"bucket": adoption.bucket, "plannedAt": moments.text(adoption.planned_at)}} if adoption.planned_at else {}
        return {"plan": list(adoption.lines), **since}
    unseen = world.obstacle is not None or isinstance(world.bucket, Unknown)
    if old is None or not unseen or product.status.storage is not None or product.spec.storage is None:
        return {}
    return {"plan": list(product.status.plan), "adoption": old.model_dump(by_alias=True)}


def _due(product: DataProduct, world: ProductWorld, fields: Mapping[str, Any], agrees: datetime | None) -> datetime | None:
    """The next moment at which something changes by time alone: a former key or user ends, a key is to be replaced, time agrees."""
    history = history_of(product, value_of(world.principal))
    of_keys = (history.until, history.rotates_at) if product.spec.producer is not None else ()
    return min((at for at in (*of_keys, end_of_formers(fields, world.now), agrees) if at is not None and at > world.now), default=None)


def _is_made(product: DataProduct, wish: Wish, world: ProductWorld) -> bool:
    return isinstance(world.bucket, Present) and judge(product, wish.name, world).verdict == "Mine"


def _ready(product: DataProduct, withheld: Plan) -> Finding:
    if product.spec.lifecycle == "proposed":
        return Finding("Ready", "True", reasons.PROPOSED, "The manifest is valid; nothing is made while lifecycle is proposed")
    held = _held(product)
    if held is None:
        reason = reasons.RETIRED if product.spec.lifecycle == "retired" else reasons.READY
        return Finding("Ready", "True", reason, "Everything asked for was read back")
    reason, way_out = held
    pending = withheld.describe()
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


def _steps(product: DataProduct, made: Wish | None, world: ProductWorld, withheld: Plan) -> Iterator[Finding]:
    """What was read back in this look; where a part failed, the failure tells."""
    if product.spec.storage is None or product.spec.lifecycle == "proposed":
        return
    if made is not None and any(part.name == "storage" and part.operations for part in withheld.parts):
        yield Finding("StorageReady", "Unknown", reasons.DRIFTED, "The bucket differs from what is asked for, and nothing is written")
    elif made is not None:
        yield Finding("StorageReady", "True", reasons.READY, "The bucket was read back as asked for")
    elif isinstance(world.bucket, Unknown):
        yield Finding("StorageReady", "Unknown", world.bucket.error.reason, world.bucket.error.message)
    else:
        yield Finding("StorageReady", "False", reasons.OBSERVED, "There is no bucket of this product")
    if product.spec.producer is not None:
        yield _credentials(product, made, world)
    elif marks.ROTATE_ANNOTATION in product.metadata.annotations:
        why = f"Annotation {marks.ROTATE_ANNOTATION} replaces nothing: the product has no spec.producer, so it has no key"
        yield Finding("CredentialsReady", "False", reasons.INVALID_SPEC, f"{why}; remove the annotation or set spec.producer")


def _credentials(product: DataProduct, made: Wish | None, world: ProductWorld) -> Finding:
    wish = made or wish_of(product, world)
    wanted = binding_of(wish) if wish is not None else None
    principal = value_of(world.principal)
    if wanted is None or isinstance(world.principal, Unknown) or isinstance(world.secret, Unknown):
        return Finding("CredentialsReady", "Unknown", reasons.STORE_UNAVAILABLE, "Principal and Secret could not be read")
    history = history_of(product, principal)
    if principal is None or not binding.has_policy(wanted, principal) or not keys.good_key(principal, value_of(world.secret), history):
        return Finding("CredentialsReady", "Unknown", reasons.RECONCILING, "Principal, policy, key and Secret are not all there")
    if made is None:
        return Finding(
            "CredentialsReady", "Unknown", reasons.NOT_OWNED, "Credentials are kept, and their bucket was not read back as this product's"
        )
    return Finding("CredentialsReady", "True", *told_of_keys(history, moment_of(world)))


def _inputs(product: DataProduct, world: ProductWorld) -> Iterator[Finding]:
    if not product.spec.input_ports:
        return
    if world.inputs:
        missing = "; ".join(sentence for _, sentence in world.inputs)
        yield Finding("InputsReady", "False", reasons.INPUTS_MISSING, missing)
    else:
        yield Finding("InputsReady", "True", reasons.READY, "Every input port is satisfied")


def _cut_off(product: DataProduct, world: ProductWorld) -> Iterator[Finding]:
    """An annotation by which access is ended: an owner in a hurry must see whether it says what was meant, and whether it is done."""
    wanted = words_of(product.metadata.annotations.get(marks.CUT_OFF_ANNOTATION))
    if not wanted:
        return
    ports = {f"{port.name}/{major(port.version)}" for port in product.spec.output_ports}
    ports |= {f"{port.name}/{major(port.version)}" for port in product.status.output_ports}
    cut = {cut_of(word) for word in wanted}
    unknown = [word for word in wanted if cut_of(word) not in {product.metadata.name, *ports}]
    if unknown:
        why = f"Annotation {marks.CUT_OFF_ANNOTATION} names {', '.join(unknown)}, which is neither this product nor one of its ports"
        yield Finding("CutOff", "False", reasons.INVALID_SPEC, f"{why}; write {product.metadata.name}, or a port as daily/1.0.0")
        return
    whole = product.metadata.name in cut
    meant = [request for request in world.requests if whole or "/".join(asked_port(request)) in cut]
    taking, left = sum(map(may_have_access, meant)), sum(map(is_abandoned, meant))
    told = [f"Access of {', '.join(wanted)} is ended for as long as the annotation is there"]
    told += [f"of {taking} requests it is still being taken away, their keys may work"] if taking else []
    told += [f"of {left} requests users were left in an ObjectStore that was given up, their keys may work"] if left else []
    yield Finding("CutOff", "Unknown" if taking or left else "True", reasons.CUT_OFF, "; ".join(told))


def _drift(product: DataProduct, made: Wish | None, world: ProductWorld, withheld: Plan) -> Iterator[Finding]:
    pending = withheld.describe()
    if pending:
        yield Finding("DriftDetected", "True", reasons.DRIFTED, "; ".join(pending[:_SHOWN]))
    elif made is not None or product.spec.storage is None or product.spec.lifecycle == "proposed":
        refused = _refused(made, world)
        kept = f"A policy refuses the product, so the bucket's {some(refused)} stay as they were, or keep data longer"
        yield Finding("DriftDetected", "False", reasons.IN_SYNC, kept if refused else "What was read is what was asked for")
    else:
        yield Finding("DriftDetected", "Unknown", reasons.OBSERVED, "The bucket was not read back as this product's")


def _refused(made: Wish | None, world: ProductWorld) -> tuple[str, ...]:
    """Settings of a bucket that spec changes, and that stay as they are while a policy refuses the product."""
    bucket = value_of(world.bucket)
    return diff_bucket(bucket, want_bucket(made, bucket)) if world.denied and made is not None and bucket is not None else ()


def _fields(product: DataProduct, made: Wish | None, world: ProductWorld, withheld: Plan) -> dict[str, Any]:
    fields: dict[str, Any] = {"inputPorts": _input_ports(product, world), "outputPorts": _output_ports(product, made, world)}
    fields["pendingRequestCount"] = sum(map(is_pending, world.requests))
    if product.spec.mode == "Plan":
        fields["plan"] = list(withheld.describe()[:_SHOWN])
    if made is not None:
        fields["storage"] = _storage(made, world)
    elif product.status.storage is not None:
        kept = product.status.storage.model_dump(by_alias=True, exclude_none=True, exclude={"loss_seen_at"})
        fields["storage"] = {**kept, "ownershipVerified": False, **loss_fields(product, world)}
    if "storage" in fields and world.store is not None and is_given_up(world.store):
        fields["storage"]["abandoned"] = True
    served = any(found.type == "CredentialsReady" and found.status == "True" for found in _steps(product, made, world, withheld))
    record = take_over_of(product, world)
    took = take_over_fields(record, world.formers, world, world.settings, cluster=world.cluster, served=served)
    return {**fields, **producer_fields(product, world), **took}


def loss_fields(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """Since when the bucket shows another's marks, and whether that was no loss of one; a look that did not see it begins again."""
    wish, storage = wish_of(product, world), product.status.storage
    loss = find_loss(wish, world) if wish is not None else None
    if loss is None or loss.reason == reasons.RELEASED:
        return {}
    since = moments.begun(moment(storage.loss_seen_at) if storage is not None else None, world)
    braked = {"lossBraked": True} if loss.reason == reasons.STORAGE_LOSS_BRAKE else {}
    return {**({"lossSeenAt": moments.text(since)} if since is not None else {}), **braked}


def _storage(wish: Wish, world: ProductWorld) -> dict[str, Any]:
    old = wish.product.status.storage
    creating = old is not None and old.phase in ("Creating", "Owned")
    region, source = region_of(wish.product, wish.store, world)
    bucket = value_of(world.bucket)
    if source is None and bucket is not None and not asks_region(wish.product, wish.store, bucket):
        source = "Store"  # it was made there, and whatever the store calls the place, clients use the name of the spec
    lent = bucket is not None and bucket.tag(marks.ADOPTED_TAG) is not None
    free = bucket is not None and may_delete(wish.product, bucket, wish.store, wish.owner.mesh)
    return {
        "bucket": wish.name,
        "uid": wish.product.metadata.uid,
        "region": region,
        **({"regionFrom": source} if source else {}),
        "endpoint": wish.store.spec.endpoint_url or "",
        "phase": "Owned" if creating and not lent else "Adopted",
        "ownershipVerified": True,
        "deletion": recorded_fate(wish.product, denied=world.denied) if free else "Retain",
        "mayDelete": free,
        **recreated(wish.product),
        **({"storeId": wish.store.status.store_id} if wish.store.status.store_id else {}),
        "managedTags": sorted(wish.storage.tags if not world.denied else old.managed_tags if old is not None else ()),
    }


def _output_ports(product: DataProduct, made: Wish | None, world: ProductWorld) -> list[dict[str, Any]]:
    """The ports of the spec, and those that left it and are still used, as they were."""
    counts = count_by_port(world.requests)
    offered, draining = [], []
    for port in product.spec.output_ports:
        located = {"location": f"s3://{made.name}/{port.path}"} if made else {}
        used = counts.pop((port.name, major(port.version)), 0)
        offered.append({"name": port.name, "version": port.version, "path": port.path, "consumers": used, "draining": False, **located})
    for seen in product.status.output_ports:
        known = (seen.name, major(seen.version))
        if known in counts and not is_forced(product, "/".join(known)):
            used = counts.pop(known)
            draining.append({**seen.model_dump(by_alias=True, exclude_none=True), "consumers": used, "draining": True})
    draining = draining[:_MOST_PORTS]
    return [*offered[: _MOST_PORTS - len(draining)], *draining]


_MOST_PORTS = 512
"""As many as the schema of status takes. Where they are more, those of the spec give way: of the others nothing else tells."""


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
