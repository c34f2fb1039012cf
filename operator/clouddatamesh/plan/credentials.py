"""The producer's principal, its one key and the Secret that holds it; and how all three are taken away again."""

from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import CreatePrincipal, DeleteKey, DeletePolicy, DeletePrincipal, IssueKey, Operation, Plan, stopped
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import marks
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.storage import Wish

CONDITION = "CredentialsReady"


def plan_credentials(wish: Wish, world: ProductWorld) -> Plan:
    """The producer's principal, key and Secret, made, repaired or taken away."""
    producer, uid = wish.product.spec.producer, wish.product.metadata.uid
    if producer is None:
        return plan_credentials_removal(wish.key, uid, world)
    binding = Binding(wish.key, uid, wish.mesh, wish.store, wish.name, producer.secret_name)
    name = b.want_principal(binding).name
    if world.principal is not None and not b.is_ours(world.principal, mesh=wish.mesh, owner=wish.key):
        return stopped(b.principal_is_foreign(name, condition=CONDITION))
    if world.secret is not None and not marks.is_made_by(world.secret, wish.key, uid):
        surplus = (DeleteKey(name, key.id) for key in sorted(world.principal.keys if world.principal else ()))
        return stopped(b.secret_is_foreign(Key("Secret", wish.key.namespace, producer.secret_name), wish.key), *surplus)
    made = (
        b.policy_updates(binding, world.principal)
        if world.principal
        else (CreatePrincipal(b.want_principal(binding)), b.put_policy(binding))
    )
    return Plan((*made, *_key_updates(binding, world), *_former_secret(wish.key, uid, world)))


def _key_updates(binding: Binding, world: ProductWorld) -> tuple[Operation, ...]:
    name = b.want_principal(binding).name
    good = b.good_key(world.principal, world.secret)
    surplus = tuple(DeleteKey(name, key.id) for key in sorted(world.principal.keys if world.principal else ()) if key.id != good)
    if good and world.secret is not None:
        return (*surplus, *b.content_updates(binding, world.secret))
    broken = (b.remove_secret(world.secret),) if world.secret else ()
    return (*surplus, *broken, IssueKey(name, b.secret_manifest(binding)))


def _former_secret(owner: Key, uid: str, world: ProductWorld) -> tuple[Operation, ...]:
    former: Manifest | None = world.former_secret
    return (b.remove_secret(former),) if former is not None and marks.is_made_by(former, owner, uid) else ()


def plan_credentials_removal(owner: Key, uid: str, world: ProductWorld) -> Plan:
    """Policy first, then keys, user and Secret. What is not ours is left."""
    operations: list[Operation] = []
    if world.principal is not None and b.is_ours(world.principal, mesh=world.settings.mesh, owner=owner):
        policy = (PREFIX,) if world.principal.policy is not None else ()
        operations += [DeletePolicy(world.principal.name, name) for name in (*policy, *world.principal.other_policies)]
        operations += [DeleteKey(world.principal.name, key.id) for key in sorted(world.principal.keys)]
        operations.append(DeletePrincipal(world.principal.name))
    if world.secret is not None and marks.is_made_by(world.secret, owner, uid):
        operations.append(b.remove_secret(world.secret))
    return Plan((*operations, *_former_secret(owner, uid, world)))
