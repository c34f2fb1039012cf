"""A request that lost its record, as one that a backup tool restored: what was given before is known by what the store shows."""

from dataclasses import replace

from clouddatamesh.model.access import Answer, Ask, GrantId, Place
from clouddatamesh.model.evidence import value_of
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan import policies
from clouddatamesh.plan.access.taking import owner_of
from clouddatamesh.plan.access.terms import port_of
from clouddatamesh.plan.binding import is_ours


def found_again(ask: Ask, world: AccessWorld, answer: Answer, others: tuple[Answer, ...] = ()) -> Ask:
    """The request with the record that its user, its keys and its policy bear out; as it is where they do not.

    `answer` is the approval on which access goes on, with the `others`, while nothing new may be given. The product may have lost its
    record, too. What opens nothing of the port is not the port's.
    """
    principal, store, known = value_of(world.principal), world.store, world.offer.bucket if world.offer else ""
    if principal is None or store is None or not principal.keys or not is_ours(principal, owner_of(ask, world)):
        return ask
    bucket, path = policies.consumer_place(principal.policy or ()) or ("", "")
    port = port_of(ask, world.offer)
    if port is None or known not in ("", bucket) or not (path.startswith(port.path) or (path and port.path.startswith(path))):
        return ask
    return replace(
        ask,
        place=Place(store.metadata.name, bucket, path, store.status.store_id or ""),
        principal=principal.name,
        key_ids=frozenset(key.id for key in principal.keys),
        grant_key=answer.key,
        grant_uid=answer.uid,
        counted=tuple(GrantId(one.key, one.uid) for one in (*others, answer)) if others else (),
    )
