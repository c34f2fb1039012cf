"""A living DataProduct's plan: what is taken away, its bucket, its producer's credentials, its inbox."""

from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Waiting
from clouddatamesh.model.access import Home
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.objects import Key
from clouddatamesh.model.plan import Part, Plan, Steps, stopped
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan.access.facts import cut_offs
from clouddatamesh.plan.access.inbox import plan_inbox
from clouddatamesh.plan.credentials import CONDITION, plan_credentials, plan_removal, plan_surplus, take_over_of
from clouddatamesh.plan.losses import find_loss, is_lost
from clouddatamesh.plan.namespaces import why_leaving
from clouddatamesh.plan.storage import had_bucket, plan_excess, plan_hold, plan_storage
from clouddatamesh.plan.takeover import is_over, plan_former
from clouddatamesh.plan.wish import Wish, wish_of

STORAGE_READY: Final = "StorageReady"


def plan(product: DataProduct, world: ProductWorld) -> Plan:
    """Everything that differs, whatever the mode; what of it is carried out is `permitted`'s to say."""
    inbox = Part("inbox", plan_inbox(product, world))
    if product.spec.lifecycle == "proposed" or product.spec.storage is None:
        return Plan((inbox,))
    wish = wish_of(product, world)
    storage = _plan_storage(product, wish, world)
    taking = plan_taking(wish, world) if wish is not None else Steps()
    return Plan(
        (
            Part("taking", taking, CONDITION, each=True),
            Part("former", plan_formers(wish, world), CONDITION, each=True),
            Part("storage", plan_hold(product, storage) + storage, STORAGE_READY),
            Part("excess", plan_excess(wish, world) if wish is not None and world.obstacle is None else Steps(), STORAGE_READY),
            _plan_credentials(wish, world, storage),
            inbox,
        )
    )


def _plan_credentials(wish: Wish | None, world: ProductWorld, storage: Steps) -> Part:
    """Where nothing new may be given, what was given goes on: it does not wait for what keeps the bucket from being made."""
    goes_on = wish is not None and _goes_on(wish, world)
    steps = plan_credentials(wish, world, is_safe=goes_on or storage == Steps()) if wish is not None else Steps()
    return Part("credentials", steps, CONDITION, after=("taking",) if goes_on else ("taking", "storage"))


def _goes_on(wish: Wish, world: ProductWorld) -> bool:
    """Whether an obstacle keeps only what is new from being made: a key was given, its user can be seen, the bucket is as it should be."""
    told = wish.product.status.producer
    is_given = told is not None and (isinstance(world.principal, Present) or (isinstance(world.principal, Absent) and told.key is not None))
    is_ours = world.home is not None and find_loss(wish, world) is None
    return world.obstacle is not None and is_given and is_ours and is_as_it_was(wish, world)


def _plan_storage(product: DataProduct, wish: Wish | None, world: ProductWorld) -> Steps:
    loss = find_loss(wish, world) if wish is not None else None
    if loss is not None:
        return stopped(loss)
    if wish is None:
        return Steps((), world.obstacle)
    if world.obstacle is not None:
        return Steps(plan_kept(wish, world).operations, world.obstacle)
    if product.status.storage is None and world.home is not None and (closed := _why_closed(world.home, product.metadata.namespace)):
        return stopped(closed)
    return plan_storage(wish, world)


def _why_closed(home: Home, namespace: str) -> Waiting | None:
    """Why a Domain takes no new products."""
    if home.denied:
        why = f"Domain {home.name} violates a policy that denies, and takes no new products; its status.compliance says which one"
        return Waiting(reasons.POLICY_VIOLATION, why)
    if home.undecided:
        why = f"Whether a policy refuses Domain {home.name} could not be asked just now; it takes no new products until then"
        return Waiting(reasons.POLICY_VIOLATION, why)
    if home.cordoned:
        return Waiting(reasons.CORDONED, f"Domain {home.name} is cordoned and takes no new products")
    if not home.readable:
        why = f"Domain {home.name} cannot be read by this version of the operator; correct what its own status names"
        return Waiting(reasons.UNREADABLE, why)
    return Waiting(reasons.DOMAIN_NOT_FOUND, why_leaving(namespace, home.name)) if home.deleting else None


def plan_kept(wish: Wish, world: ProductWorld) -> Steps:
    """Whatever keeps anything new from being given, the bucket that is there stays as it is to be, for nobody loses by it.

    How it is to be is not known where the product cannot be read, nor whose it is in a store that is not Ready, which may be another one.
    """
    if not (world.is_readable and world.is_store_ready) or had_bucket(wish, world) is None:
        return Steps()
    return plan_storage(wish, world)


def is_as_it_was(wish: Wish, world: ProductWorld) -> bool:
    """Whether the bucket is there, could be seen, and needs no repair: then those who write to it may go on."""
    is_seen = world.is_readable and world.is_store_ready
    return is_seen and had_bucket(wish, world) is not None and plan_kept(wish, world) == Steps()


def plan_taking(wish: Wish, world: ProductWorld) -> Steps:
    """All credentials where the bucket is positively another's or none are wanted; else what a user may do beyond its policy."""
    wanted = wish.product.spec.producer is not None
    return plan_surplus(wish, world) if wanted and not is_lost(wish, world) else plan_removal(wish.product, world)


def plan_formers(wish: Wish | None, world: ProductWorld) -> Steps:
    """The users that lost clusters made for it: after their hour, or at once where no credentials are to be."""
    if wish is None:
        return Steps()
    record = take_over_of(wish.product, world)
    over = is_over(record, world.now, is_time_trusted=world.is_time_trusted)
    unwanted = wish.product.spec.producer is None and world.is_readable
    ends = over or unwanted or is_lost(wish, world)
    return plan_former(world.formers, world.settings.mesh, wish.key, ends=ends)


def permitted(product: DataProduct, full: Plan) -> Plan:
    """What of a plan the product's mode and suspend leave to be done: they end giving, making and repairing, never taking away."""
    return full.keeping("inbox", "taking", "former") if product.spec.suspend or product.spec.mode != "Manage" else full


def key_of_product(product: DataProduct) -> Key:
    """The key of a parsed product."""
    return Key("DataProduct", product.metadata.namespace, product.metadata.name)


def is_forced(product: DataProduct, port: str) -> bool:
    """Whether the owner ends the access of one port, named as `port/major`."""
    return port in set(cut_offs({"metadata": {"name": product.metadata.name, "annotations": product.metadata.annotations}}))
