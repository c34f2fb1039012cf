"""The producer's principal, its one key and the Secret that holds it; and how all three are taken away again."""

from collections.abc import Iterator

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.evidence import Absent, Seen, Unknown, value_of
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.store_operations import CreatePrincipal
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import keys, marks, names
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.keys import Moment
from clouddatamesh.plan.marks import Owner
from clouddatamesh.plan.storage import Wish

CONDITION = "CredentialsReady"


def principal_of(product: DataProduct, mesh: str, cluster: str) -> str:
    """The name of a product's one principal: as it was recorded, or as it is to be."""
    recorded = product.status.producer.principal if product.status.producer else ""
    return recorded or names.principal_name(mesh, cluster, Key("DataProduct", product.metadata.namespace, product.metadata.name))


def binding_of(wish: Wish) -> Binding | None:
    """What is to be, None where the product wants no credentials."""
    producer = wish.product.spec.producer
    if producer is None:
        return None
    recorded = wish.product.status.producer.principal if wish.product.status.producer else ""
    return Binding(wish.owner, wish.store, wish.name, producer.secret_name, recorded=recorded, region=wish.region)


def plan_credentials(wish: Wish, world: ProductWorld, *, is_safe: bool) -> Steps:
    """The producer's principal, key and Secret, made or repaired; only where the bucket was read back as ours and as it should be."""
    binding = binding_of(wish)
    if binding is None or not is_safe:
        return Steps()
    if isinstance(world.principal, Unknown):
        return stopped(world.principal.error)
    if isinstance(world.principal, Absent):
        return _plan_making(binding, world)
    principal = world.principal.value
    if not b.is_ours(principal, wish.owner):
        return stopped(b.principal_is_foreign(principal.name))
    policy = Steps(() if b.has_policy(binding, principal) else (b.put_policy(binding),))
    return policy + keys.plan_keys(binding, principal, world.secret, Moment(world.now)) + _former_end(wish.owner, world.former_secret)


def _plan_making(binding: Binding, world: ProductWorld) -> Steps:
    """User, policy and key in one go. A Secret whose key is so new that nothing of it shows yet is waited for."""
    want = b.want_principal(binding)
    making = Steps((CreatePrincipal(want), b.put_policy(binding)))
    known = value_of(world.secret)
    if known is not None and keys.is_late(binding, None, known, world.now):
        return keys.plan_keys(binding, want, world.secret, Moment(world.now))
    return making + keys.plan_keys(binding, want, world.secret, Moment(world.now)) + _former_end(binding.owner, world.former_secret)


def plan_surplus(wish: Wish, world: ProductWorld) -> Steps:
    """Rights that nobody gave: whatever a user of ours may do besides what its one policy says."""
    principal = value_of(world.principal)
    return Steps(tuple(b.surplus_rights(principal))) if principal is not None and b.is_ours(principal, wish.owner) else Steps()


def plan_removal(owner: Owner, world: ProductWorld) -> Steps:
    """Rights first, then keys, user and Secret. What is not ours is left; what cannot be seen is not called gone."""
    principal = value_of(world.principal)
    operations: list[Operation] = []
    if principal is not None and b.is_ours(principal, owner):
        operations += [*b.all_rights(principal), *b.remains(principal)]
    seen: tuple[Seen[Manifest], ...] = (world.secret, world.former_secret)
    operations += [operation for secret in seen for operation in _secret_end(owner, secret)]
    unknown = next((found for found in (world.principal, *seen) if isinstance(found, Unknown)), None)
    return Steps(tuple(operations), unknown.error if unknown is not None else None)


def _former_end(owner: Owner, secret: Seen[Manifest]) -> Steps:
    return Steps(tuple(_secret_end(owner, secret)))


def _secret_end(owner: Owner, secret: Seen[Manifest]) -> Iterator[Operation]:
    """One that is going already needs nothing more of us, whoever holds it."""
    found = value_of(secret)
    if found is not None and marks.is_made_by(found, owner.key, owner.uid) and not found["metadata"].get("deletionTimestamp"):
        yield b.remove_secret(found)
