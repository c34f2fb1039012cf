"""What a DataProduct's status tells of its producer: the principal, its key and the Secret that holds it."""

from typing import Any

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown, value_of
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import keys, moments, secrets
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.credentials import fingerprint, history_of, moment_of
from clouddatamesh.plan.dataproduct import key_of_product


def producer_fields(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """The principal is told of from before it is made until it was seen to be gone."""
    old, principal = product.status, value_of(world.principal)
    name = principal.name if principal is not None and product.spec.producer is not None else old.producer.principal if old.producer else ""
    gone = isinstance(world.principal, Absent) and product.spec.storage is not None and not _is_wanted(product, world)
    found: dict[str, Any] = {"producer": {"principal": name, **_key(product, world)}} if name and not gone else {}
    bound = _binding(product, world)
    return {**found, **({"binding": {"name": bound}} if bound else {})}


def last_producer_fields(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """While a deletion goes on: the keys as of a product that lives; the record stays until the object goes."""
    if isinstance(world.principal, Present):
        return producer_fields(product, world)
    if product.status.producer is None:
        return {}
    known = product.status.producer.model_dump(by_alias=True, exclude_none=True, exclude={"rotation"})
    return {"producer": {**known, **rotation_fields(product, world)}}


def _key(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """What is told of the producer's key. A token counts as handled once it was recorded with a rotation, or a fresh key came anyway."""
    old, principal, secret = product.status.producer, value_of(world.principal), value_of(world.secret)
    known: dict[str, Any] = old.model_dump(by_alias=True, exclude_none=True, exclude={"principal", "rotation"}) if old else {}
    known, history = {**known, **rotation_fields(product, world)}, history_of(product, principal)
    key_id = keys.good_key(principal, secret, history)
    if not key_id or secret is None:
        return known
    is_fresh, rotated = known.get("key") != fingerprint(key_id), moment(known.pop("rotatedAt", None))
    if is_fresh:
        rotated = moment(secrets.holding(secret).issued) if world.is_time_trusted else None
        known = {**known, "key": fingerprint(key_id), **({"lastHandledRotate": history.token} if history.token else {})}
    rotated = moments.begun(rotated, world)
    return {**known, **({"rotatedAt": moments.text(rotated)} if rotated is not None else {})}


def rotation_fields(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """The key that was replaced, with the end that it has by now; nothing once it was read back as gone."""
    told = product.status.producer.rotation if product.status.producer else None
    gone = isinstance(world.principal, Present) and not history_of(product, world.principal.value).former
    if told is None or gone:
        return {}
    return {"rotation": keys.counted(told.model_dump(by_alias=True, exclude_none=True), moment_of(world))}


def _binding(product: DataProduct, world: ProductWorld) -> str:
    """The Secret that is told of; a former one until it was seen to be gone, so that it is looked for."""
    old = product.status.binding.name if product.status.binding else ""
    wanted = product.spec.producer.secret_name if product.spec.producer else ""
    if old and old != wanted and not _is_gone(product, world.former_secret):
        return old
    if wanted and value_of(world.secret) is not None and isinstance(world.principal, Present):
        return wanted
    return old if old == wanted and not _is_gone(product, world.secret) else ""


def _is_gone(product: DataProduct, secret: Seen[Manifest]) -> bool:
    """Whether there is no Secret of this product there any more."""
    found = value_of(secret)
    if isinstance(secret, Unknown):
        return False
    return (
        found is None
        or not secrets.is_of(found, key_of_product(product), product.metadata.uid)
        or bool(found["metadata"].get("deletionTimestamp"))
    )


def _is_wanted(product: DataProduct, world: ProductWorld) -> bool:
    """Whether a principal that is not there yet is about to be made again."""
    return product.spec.producer is not None and world.obstacle is not None
