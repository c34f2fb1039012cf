"""What ends access: rights and keys, read back as gone, then the user; the Secret by itself; and what is told where a store is given up."""

from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.access import Ask
from clouddatamesh.model.evidence import Unknown, value_of
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Event
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.plan import Steps, stopped
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import names, secrets
from clouddatamesh.plan.marks import Owner
from clouddatamesh.plan.takeover import own_record

BLOCKED: Final = "DeletionBlocked"
RECORD: Final = ("grantRef", "countedGrants", "place", "principal", "accessKeyId", "rotation", "rotatedAt")
"""Status fields that tell of what is in the store: they go only when that was seen to be gone, or was given up. The Secret's is apart."""


def owner_of(ask: Ask, world: AccessWorld) -> Owner:
    """The marks of a request."""
    domain = world.consumer_home.name if world.consumer_home else ""
    return Owner(world.settings.mesh, world.cluster, ask.key, ask.uid, domain, world.namespace_uid)


def principal_of(ask: Ask, world: AccessWorld, store: ObjectStore | None = None) -> str:
    """The name of the one principal of a request: as it was recorded, as it was left in a store that is here again, or as it is to be."""
    return recorded_principal(ask, world, store) or names.principal_name(world.settings.mesh, world.cluster, ask.key)


def recorded_principal(ask: Ask, world: AccessWorld, store: ObjectStore | None) -> str:
    """The same, empty where it was not made yet."""
    left = value_of(world.left) if world.left is not None and store is not None and store.metadata.name == ask.abandoned else None
    left_here = left.name if left is not None and b.is_ours(left, owner_of(ask, world)) else ""
    return own_record(ask.principal, world.settings.mesh, world.cluster, ask.key) or left_here


def is_told_of_another(ask: Ask, world: AccessWorld) -> bool:
    """Whether status records a user that is not the request's own, and so tells of a Secret that this cluster did not write."""
    return bool(ask.principal) and not own_record(ask.principal, world.settings.mesh, world.cluster, ask.key)


def plan_taking(ask: Ask, world: AccessWorld) -> Steps:
    """Rights and keys, each by itself; the user once they are read back as gone. What is not ours is left, what is not seen is not gone."""
    if world.abandoned:
        return plan_abandoning(ask)
    principal = own_principal(ask, world)
    if principal is not None:
        return Steps(b.end_of(principal))
    if ask.place is not None and isinstance(world.principal, Unknown):
        return stopped(world.principal.error)
    return Steps()


def plan_abandoning(ask: Ask) -> Steps:
    """The store is given up: what may be left in it is told, and its record dropped."""
    if ask.place is None:
        return Steps()
    left = (
        f"Left in ObjectStore {ask.place.store}: principal {ask.principal} with its keys, for {ask.place.path} of bucket {ask.place.bucket}"
    )
    record = Record(
        (*((field, None) for field in RECORD), ("abandoned", ask.place.store), ("abandonedStoreId", ask.place.store_id or None))
    )
    return Steps((Announce(Event("Warning", reasons.ABANDONED, left)), record))


def own_principal(ask: Ask, world: AccessWorld) -> Principal | None:
    """The user that was made for the request, wherever it is now; None where there is none, or only another's of that name."""
    principal, owner, secret = value_of(world.principal), owner_of(ask, world), value_of(world.secret)
    held = secrets.holding(secret).key_id if secret is not None and secrets.is_of(secret, ask.key, ask.uid) else ""
    return principal if principal is not None and b.was_made_for(principal, owner, {*ask.key_ids, held}) else None


def plan_secret_end(ask: Ask, world: AccessWorld) -> Steps:
    """The Secret goes by itself: one that somebody holds keeps nobody waiting, for its key is dead."""
    if isinstance(world.secret, Unknown):
        return stopped(world.secret.error) if ask.secret else Steps()
    return Steps() if is_secret_gone(ask, world) else Steps((secrets.remove(world.secret.value),))  # type: ignore[union-attr]


def is_secret_gone(ask: Ask, world: AccessWorld) -> bool:
    """Whether there is no Secret of this request any more: none at all, somebody else's, or one that goes as soon as its holder lets it."""
    if isinstance(world.secret, Unknown):
        return False
    secret = value_of(world.secret)
    return secret is None or not secrets.is_of(secret, ask.key, ask.uid) or bool(secret["metadata"].get("deletionTimestamp"))
