"""The producer's principal, its one key and the Secret that holds it; and how all three are taken away again."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct, ProducerRotation
from clouddatamesh.model.evidence import Absent, Seen, Unknown, value_of
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import Record
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.store_operations import CreatePrincipal
from clouddatamesh.model.takeover import TakeOver
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import keys, marks, moments, names, secrets
from clouddatamesh.plan.access.facts import moment, span
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.keys import Former, History, Moment
from clouddatamesh.plan.marks import Owner
from clouddatamesh.plan.takeover import counted_here, own_record, recorded
from clouddatamesh.plan.wish import Wish, owner_of

CONDITION = "CredentialsReady"


def principal_of(product: DataProduct, mesh: str, cluster: str) -> str:
    """The name of a product's one principal: as it was recorded, or as it is to be."""
    owner = Key("DataProduct", product.metadata.namespace, product.metadata.name)
    return _recorded(product, mesh, cluster) or names.principal_name(mesh, cluster, owner)


def _recorded(product: DataProduct, mesh: str, cluster: str) -> str:
    told = product.status.producer.principal if product.status.producer else ""
    return own_record(told, mesh, cluster, Key("DataProduct", product.metadata.namespace, product.metadata.name))


def take_over_of(product: DataProduct, world: ProductWorld) -> TakeOver:
    """What this cluster recorded of lost ones' users in this store."""
    own = _recorded(product, world.settings.mesh, world.cluster)
    return counted_here(recorded(product.status.take_over), world.cluster, own, world.store)


def issued_at(product: DataProduct, *held: Seen[Manifest]) -> tuple[datetime | None, ...]:
    """When keys of the producer were issued, as status and its Secrets tell."""
    owner = Key("DataProduct", product.metadata.namespace, product.metadata.name)
    told = moment(product.status.producer.rotated_at) if product.status.producer else None
    return (told, *(secrets.issued_of(value_of(secret), owner, product.metadata.uid) for secret in held))


def binding_of(wish: Wish) -> Binding | None:
    """What is to be, None where the product wants no credentials."""
    producer = wish.product.spec.producer
    if producer is None:
        return None
    recorded = _recorded(wish.product, wish.owner.mesh, wish.owner.cluster)
    return Binding(wish.owner, wish.store, wish.name, producer.secret_name, recorded=recorded, region=wish.region)


def fingerprint(key_id: str) -> str:
    """How a key is named in a product's status, which many may read: not by its id."""
    return sha256(key_id.encode()).hexdigest()[:16]


def history_of(product: DataProduct, principal: Principal | None) -> History:
    """What status tells of the producer's keys, by the ids that the store shows now."""
    status, ids = product.status.producer, {fingerprint(key.id): key.id for key in (principal.keys if principal else ())}
    rotation = status.rotation if status else None
    return History(
        write=lambda former: _record(product, former),
        current=ids.get((status.key if status else None) or "", ""),
        former=ids.get(rotation.key, "") if rotation else "",
        until=moment(rotation.until) if rotation else None,
        rotated_at=moment(status.rotated_at) if status else None,
        token=product.metadata.annotations.get(marks.ROTATE_ANNOTATION, "")[:256],
        handled=(status.last_handled_rotate if status else None) or "",
        max_age=span(product.spec.producer.rotate_after) if product.spec.producer else None,
    )


def _record(product: DataProduct, former: Former) -> Record:
    """Status holds the producer's part as a whole."""
    known: dict[str, Any] = product.status.producer.model_dump(by_alias=True, exclude_none=True) if product.status.producer else {}
    until = moments.text(former.until) if former.until is not None else None
    rotation = ProducerRotation(key=fingerprint(former.key_id), until=until).model_dump(by_alias=True, exclude_none=True)
    handled = {"lastHandledRotate": former.token} if former.token else {}
    return Record((("producer", {**known, "rotation": rotation, **handled}),))


def moment_of(world: ProductWorld) -> Moment:
    """When this look is."""
    return Moment(world.now, world.settings.rotation_grace, world.is_time_trusted)


def plan_credentials(wish: Wish, world: ProductWorld, *, is_safe: bool) -> Steps:
    """The producer's principal, key and Secret, made or repaired; only where the bucket was read back as ours and as it should be."""
    binding = binding_of(wish)
    if binding is None or not is_safe:
        return Steps()
    if isinstance(world.principal, Unknown):
        return stopped(world.principal.error)
    if isinstance(world.principal, Absent):
        return _plan_making(binding, wish.product, world)
    principal = world.principal.value
    if not b.is_ours(principal, wish.owner):
        return stopped(b.principal_is_foreign(principal.name))
    policy = Steps(() if b.has_policy(binding, principal) else (b.put_policy(binding),))
    kept = keys.plan_keys(binding, principal, world.secret, history_of(wish.product, principal), moment_of(world))
    return policy + kept + _former_end(wish.owner, world.former_secret)


def _plan_making(binding: Binding, product: DataProduct, world: ProductWorld) -> Steps:
    """User, policy and key in one go. A Secret whose key is so new that nothing of it shows yet is waited for."""
    want = b.want_principal(binding)
    making = Steps((CreatePrincipal(want), b.put_policy(binding)))
    known, issued = value_of(world.secret), keys.plan_keys(binding, want, world.secret, history_of(product, None), moment_of(world))
    if known is not None and keys.is_late(binding, None, known, world.now):
        return issued
    return making + issued + _former_end(binding.owner, world.former_secret)


def plan_surplus(wish: Wish, world: ProductWorld) -> Steps:
    """Rights that nobody gave, whatever a user of ours may do besides what its one policy says; and keys whose time is over."""
    principal = own_principal(wish.product, world)
    if principal is None:
        return Steps()
    history, when, binding = history_of(wish.product, principal), moment_of(world), binding_of(wish)
    told = wish.product.status.storage
    given = told is not None and told.bucket == wish.name and told.ownership_verified and told.phase != "Creating"
    narrowed = b.narrowing(principal, binding, given=given) if binding is not None else ()
    return Steps((*narrowed, *b.surplus_rights(principal), *keys.end_keys(wish.owner, principal, world.secret, history, when)))


def own_principal(product: DataProduct, world: ProductWorld) -> Principal | None:
    """The user that was made for the product, wherever it is now; None where there is none, or only another's of that name."""
    principal, owner = value_of(world.principal), owner_of(product, world)
    if principal is None:
        return None
    history, seen = history_of(product, principal), (value_of(world.secret), value_of(world.former_secret))
    held = {secrets.holding(secret).key_id for secret in seen if secret is not None and secrets.is_of(secret, owner.key, owner.uid)}
    issued = {history.current, history.former, *held} - {""}
    return principal if b.was_made_for(principal, owner, issued) else None


def plan_removal(product: DataProduct, world: ProductWorld) -> Steps:
    """Rights, keys and Secret, each by itself; then the user. What is not ours is left, what cannot be seen is not called gone.

    A Secret that may not be read any more keeps no deletion waiting once its user is gone: it goes with the object that owns it.
    """
    principal, owner = own_principal(product, world), owner_of(product, world)
    operations: list[Operation] = []
    if principal is not None:
        operations += b.end_of(principal)
    seen: tuple[Seen[Manifest], ...] = (world.secret, world.former_secret)
    operations += [operation for secret in seen for operation in _secret_end(owner, secret)]
    leaves = product.metadata.deletion_timestamp is not None and isinstance(world.principal, Absent)
    unseen = (found for found in (world.principal, *seen) if isinstance(found, Unknown))
    unknown = next((found for found in unseen if not (leaves and found.error.reason == reasons.ACCESS_DENIED)), None)
    return Steps(tuple(operations), unknown.error if unknown is not None else None)


def _former_end(owner: Owner, secret: Seen[Manifest]) -> Steps:
    return Steps(tuple(_secret_end(owner, secret)))


def _secret_end(owner: Owner, secret: Seen[Manifest]) -> Iterator[Operation]:
    """One that is going already needs nothing more of us, whoever holds it."""
    found = value_of(secret)
    if found is not None and secrets.is_of(found, owner.key, owner.uid) and not found["metadata"].get("deletionTimestamp"):
        yield secrets.remove(found)
