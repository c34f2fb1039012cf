"""The one key of a principal and the Secret that holds it: kept, looked for, replaced as a whole, or rotated.

Whoever holds a key that is replaced can use it for another hour, recorded in status before the new one is made: nobody is cut off
because a Secret was edited, deleted or restored. A key that somebody switched off gets no such time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Waiting
from clouddatamesh.model.evidence import Seen, Unknown, value_of
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Event, Key, Manifest
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.store_operations import DeleteKey, ReplaceKey, RotateKey
from clouddatamesh.plan import features, moments, secrets
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.binding import Binding
from clouddatamesh.plan.marks import Owner

_LAG_AWS: Final = timedelta(seconds=60)
_LAG: Final = timedelta(seconds=10)
"""How long a write of ours to IAM may not show in reads: AWS is eventually consistent, others are nearly not."""


@dataclass(frozen=True)
class Former:
    """A key that was replaced and works on: its id, until when, and the rotate token that was acted on with it (empty: none).

    Replaced by a clock that is not trusted it has no end yet: the first look by one that is gives it one.
    """

    key_id: str
    until: datetime | None
    token: str = ""


@dataclass(frozen=True)
class History:
    """What status tells of a principal's keys, and what is asked of them. `write` records a key that is about to be replaced."""

    write: Callable[[Former], Record]
    current: str = ""
    """Id of the key that was last read back from the Secret."""
    former: str = ""
    until: datetime | None = None
    """Of the former key."""
    rotated_at: datetime | None = None
    token: str = ""
    """What the rotate annotation says, as much of it as status holds."""
    handled: str = ""
    max_age: timedelta | None = None

    def works_on(self, when: "Moment") -> str:
        """The former key, while it works; by a clock that is not trusted none ends, nor without an end that was told."""
        return self.former if self.until is None or self.until > when.now or not when.is_time_trusted else ""

    @property
    def is_asked(self) -> bool:
        """Whether somebody asks for a new key. A token that was there before the first key asks for nothing."""
        return bool(self.token and self.current and self.token != self.handled)

    @property
    def rotates_at(self) -> datetime | None:
        """When the key is to be replaced by age."""
        return None if self.max_age is None or self.rotated_at is None else self.rotated_at + self.max_age

    def is_due(self, now: datetime) -> bool:
        """Whether the key is to be replaced now."""
        return self.is_asked or (self.rotates_at is not None and now >= self.rotates_at)


@dataclass(frozen=True)
class Moment:
    """When a look is, and how long a key that is replaced works on."""

    now: datetime
    grace: timedelta = timedelta(hours=1)
    is_time_trusted: bool = True

    @property
    def until(self) -> datetime | None:
        """Until when a key works that is replaced now."""
        return moments.ends(None, self.grace, self)


def plan_keys(binding: Binding, principal: Principal, secret: Seen[Manifest], history: History, when: Moment) -> Steps:
    """The Secret with the one key that works."""
    if isinstance(secret, Unknown):
        return stopped(secret.error)
    found = value_of(secret)
    if found is None:
        return _replacement(binding, principal, None, history, when)
    if not secrets.is_of(found, binding.owner.key, binding.owner.uid):
        return stopped(secrets.is_foreign(Key("Secret", binding.owner.key.namespace, binding.secret_name), binding.owner.key))
    if found["metadata"].get("deletionTimestamp"):
        why = f"Secret {binding.secret_name} is being deleted and held by a finalizer; the operator recreates it once it is gone"
        return stopped(Waiting(reasons.SECRET_TERMINATING, why))
    good = good_key(principal, found, history)
    if good:
        return _kept(binding, principal, found, history, when)
    if is_late(binding, principal, found, when.now):
        return stopped(Waiting(reasons.NOT_VISIBLE_YET, f"The key in Secret {binding.secret_name} does not show in the store's list yet"))
    return _replacement(binding, principal, found, history, when)


def _kept(binding: Binding, principal: Principal, secret: Manifest, history: History, when: Moment) -> Steps:
    """The key stays, unless the Secret must say something new and lets nobody write into it, or the key is to be rotated."""
    good = good_key(principal, secret, history)
    if secrets.holding(secret).locked and secrets.is_to_be_written(binding, secret):
        return _replacement(binding, principal, secret, history, when)
    rotation = plan_rotation(binding, principal, secret, history, when) if when.is_time_trusted else Steps()
    return Steps(tuple(secrets.updates(binding, secret, good))) + rotation


def end_keys(owner: Owner, principal: Principal, secret: Seen[Manifest], history: History, when: Moment) -> Iterator[Operation]:
    """The end of keys that nobody is to hold: one that was replaced and whose time is over; where the Secret's key works, any other.

    That is taking: whatever keeps new keys from being issued keeps none of these alive.
    """
    if isinstance(secret, Unknown):
        return
    found = value_of(secret)
    held = found if found is not None and secrets.is_of(found, owner.key, owner.uid) else None
    good, working = good_key(principal, held, history), history.works_on(when)
    in_use = {history.current, secrets.holding(held).key_id if held is not None else ""}
    for key in sorted(principal.keys):
        is_over = key.id == history.former and key.id not in in_use
        if key.id not in (good, working) and (good or is_over):
            yield DeleteKey(principal.name, key.id)


def good_key(principal: Principal | None, secret: Manifest | None, history: History) -> str:
    """Id of the active key that an intact Secret holds; empty where there is none, and a fresh one is needed.

    Where somebody changed the annotation that names it, it is the one that status recorded, if no other could be meant.
    """
    if principal is None or secret is None:
        return ""
    held, active = secrets.holding(secret), {key.id for key in principal.keys if key.active}
    if not held.intact:
        return ""
    if held.named:
        return held.key_id if held.key_id in active else ""
    certain = {key.id for key in principal.keys} <= {history.current, history.former}
    return history.current if certain and history.current in active else ""


def _replacement(binding: Binding, principal: Principal, secret: Manifest | None, history: History, when: Moment) -> Steps:
    """A fresh key into the Secret; whoever holds the present one has it for a while. A store takes two keys, so there is one such."""
    keeps = next((key for key in _in_use(secret, history) if any(key == k.id and k.active for k in principal.keys)), "")
    surplus = tuple(sorted(key.id for key in principal.keys if key.id != keeps))
    uid = secret["metadata"]["uid"] if secret is not None else ""
    replace = ReplaceKey(principal.name, secrets.manifest_of(binding, secret), uid, surplus, keeps)
    if not keeps:
        return Steps((replace,))
    if history.works_on(when) == keeps:
        return Steps((replace, _told(binding, history.until)))
    return Steps((history.write(Former(keeps, when.until)), replace, _told(binding, when.until)))


def _in_use(secret: Manifest | None, history: History) -> Iterator[str]:
    """Keys that somebody may hold, the likeliest first: the last one that was read back, that of the Secret, the one before."""
    yield history.current
    if secret is not None:
        yield secrets.holding(secret).key_id
    yield history.former


def _told(binding: Binding, until: datetime | None) -> Operation:
    words = f"until {until:%H:%M} UTC" if until is not None else "on until some time after the operator's clock is right again"
    return Announce(Event("Normal", reasons.ROTATED, f"The key in Secret {binding.secret_name} was replaced; the old one works {words}"))


def plan_rotation(binding: Binding, principal: Principal, secret: Manifest, history: History, when: Moment) -> Steps:
    """A rotation that is due is recorded first; one that was recorded and not done (the Secret still holds that key) is done.

    There is room for the second key: in either case any other was surplus, and `end_keys` comes before.
    """
    good = good_key(principal, secret, history)
    under_way = history.former == good
    if not under_way and (history.works_on(when) or not history.is_due(when.now)):
        return Steps()
    record = history.write(Former(good, when.until, history.token))
    rotate = RotateKey(principal.name, secrets.manifest_of(binding, secret), secret["metadata"]["uid"])
    return Steps((record, rotate, _told(binding, when.until)))


def is_late(binding: Binding, principal: Principal | None, secret: Manifest, now: datetime) -> bool:
    """Whether the key in a Secret is so new that a list without it, or without its user, proves nothing; not one of the future."""
    held = secrets.holding(secret)
    issued = moment(held.issued)
    if not held.intact or issued is None or any(key.id == held.key_id for key in (principal.keys if principal else ())):
        return False
    return not moments.is_ahead(issued, now) and now - issued < (_LAG_AWS if features.is_aws(binding.store) else _LAG)


def may_be_unseen(store: ObjectStore, issued: Iterable[datetime | None], now: datetime) -> bool:
    """Whether a key was issued so recently that it proves nothing where the store shows no user: reads of AWS IAM may go back."""
    fresh = (moment for moment in issued if moment is not None and not moments.is_ahead(moment, now))
    return features.is_aws(store) and any(now - moment < _LAG_AWS for moment in fresh)


def counted(rotation: Mapping[str, Any], when: Moment) -> dict[str, Any]:
    """status' rotation with the end that the former key has by now, where it has one."""
    until = moments.ends(moment(rotation.get("until")), when.grace, when)
    return {**{name: value for name, value in rotation.items() if name != "until"}, **({"until": moments.text(until)} if until else {})}
