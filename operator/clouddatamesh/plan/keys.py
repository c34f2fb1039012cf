"""The one key of a principal and the Secret that holds it: kept, looked for, or replaced as a whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Waiting
from clouddatamesh.model.evidence import Absent, Seen, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import Steps, stopped
from clouddatamesh.model.store_operations import DeleteKey, ReplaceKey
from clouddatamesh.plan import binding as b
from clouddatamesh.plan import features, marks
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.binding import Binding

_LAG_AWS: Final = timedelta(seconds=60)
_LAG: Final = timedelta(seconds=10)
"""How long a write of ours to IAM may not show in reads: AWS is eventually consistent, others are nearly not."""


@dataclass(frozen=True)
class Moment:
    """When a look is, and which key that was replaced works on until later."""

    now: datetime
    former_key: str = ""


def plan_keys(binding: Binding, principal: Principal, secret: Seen[Manifest], when: Moment) -> Steps:
    """The Secret with the one key that works; surplus keys go only while it is known which one that is."""
    if isinstance(secret, Unknown):
        return stopped(secret.error)
    if isinstance(secret, Absent):
        return Steps((_replacement(binding, principal, None),))
    found = secret.value
    if not marks.is_made_by(found, binding.owner.key, binding.owner.uid):
        return stopped(b.secret_is_foreign(Key("Secret", binding.owner.key.namespace, binding.secret_name), binding.owner.key))
    if found["metadata"].get("deletionTimestamp"):
        why = f"Secret {binding.secret_name} is being deleted and held by a finalizer; it is made again once it is gone"
        return stopped(Waiting(reasons.SECRET_TERMINATING, why))
    good = b.good_key(principal, found)
    if good:
        surplus = (DeleteKey(principal.name, key.id) for key in sorted(principal.keys) if key.id not in (good, when.former_key))
        return Steps((*surplus, *b.content_updates(binding, found)))
    if is_late(binding, principal, found, when.now):
        return stopped(Waiting(reasons.NOT_VISIBLE_YET, f"The key in Secret {binding.secret_name} does not show in the store's list yet"))
    return Steps((_replacement(binding, principal, found),))


def _replacement(binding: Binding, principal: Principal, secret: Manifest | None) -> ReplaceKey:
    """The key that the Secret holds comes last: it works until the new one is in its place."""
    held = b.holding(secret).key_id if secret is not None else ""
    surplus = sorted((key.id for key in principal.keys), key=lambda key: (key == held, key))
    uid = secret["metadata"]["uid"] if secret is not None else ""
    return ReplaceKey(principal.name, b.secret_manifest(binding), uid, tuple(surplus))


def is_late(binding: Binding, principal: Principal | None, secret: Manifest, now: datetime) -> bool:
    """Whether the key in a Secret is so new that a list without it, or without its user, proves nothing."""
    held = b.holding(secret)
    issued = moment(held.issued)
    if not held.intact or issued is None or any(key.id == held.key_id for key in (principal.keys if principal else ())):
        return False
    return now - issued < (_LAG_AWS if features.is_aws(binding.store) else _LAG)
