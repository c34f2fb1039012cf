"""The Identities port of the fake."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import AccessKey, Connection, IssuedKey, Principal
from clouddatamesh.storage.memory_held import World

_MOST_KEYS: Final = 2


class MemoryIdentities:
    """Users of one store, as one connection sees them."""

    def __init__(self, store: World, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def observe(self, name: str) -> Seen[Principal]:
        try:
            self._store.check(self._connection, "observe user", name)
        except MeshError as error:
            return Unknown(error)
        found = self._store.seen_users().get(name)
        return Absent() if found is None else Present(self._as_read(found))

    def _as_read(self, user: Principal) -> Principal:
        settings = self._connection.settings
        attached = user.attached if b.ATTACHED_POLICIES in settings else ()
        return replace(user, attached=attached, groups=user.groups if b.GROUPS in settings else ())

    def create(self, want: Principal) -> None:
        self._store.check(self._connection, "create user", want.name)
        existing = self._store.users.get(want.name)
        if existing is not None and want.name not in self._store.seen_users():
            raise Transient(reasons.CONFLICT, f"CreateUser {want.name} failed: EntityAlreadyExists, and it does not show yet")
        if existing is not None and existing.path != want.path:
            raise Terminal(reasons.NOT_OWNED, f"IAM user {want.name} exists and is not of this mesh; remove or rename it")
        blank = replace(want, policy=None, keys=(), other_policies=(), attached=(), groups=())
        self._store.write("create user", want.name, lambda: self._store.users.setdefault(want.name, blank) and None)

    def list(self, path: str) -> tuple[str, ...]:
        self._store.check(self._connection, "list users", path)
        return tuple(sorted(name for name, user in self._store.seen_users().items() if user.path.startswith(path)))

    def disable_key(self, name: str, key_id: str) -> None:
        def change(user: Principal) -> Principal:
            return replace(user, keys=tuple(replace(key, active=key.active and key.id != key_id) for key in user.keys))

        self._take("disable key", name, change)

    def put_policy(self, want: Principal) -> None:
        self._change("put policy", want.name, lambda user: replace(user, policy=want.policy))

    def delete_policy(self, name: str, policy: str) -> None:
        def change(user: Principal) -> Principal:
            others = tuple(other for other in user.other_policies if other != policy)
            return replace(user, other_policies=others, policy=None if policy == b.PREFIX else user.policy)

        self._take("delete policy", name, change)

    def detach_policy(self, name: str, arn: str) -> None:
        self._take("detach policy", name, lambda user: replace(user, attached=tuple(one for one in user.attached if one != arn)))

    def leave_group(self, name: str, group: str) -> None:
        self._take("leave group", name, lambda user: replace(user, groups=tuple(one for one in user.groups if one != group)))

    def create_key(self, name: str) -> IssuedKey:
        def change(user: Principal) -> Principal:
            if len(user.keys) >= _MOST_KEYS:
                raise Transient(reasons.LIMIT_EXCEEDED, f"CreateAccessKey of user {name} failed: LimitExceeded")
            self._store.secrets[key.id] = key.secret
            return replace(user, keys=(*user.keys, AccessKey(key.id, True, datetime(2026, 1, 1, tzinfo=UTC).isoformat())))

        key = self._store.issue()
        self._change("create key", name, change)
        return key

    def delete_key(self, name: str, key_id: str) -> None:
        self._take("delete key", name, lambda user: replace(user, keys=tuple(key for key in user.keys if key.id != key_id)))

    def delete(self, name: str) -> None:
        self._store.check(self._connection, "delete user", name)
        user = self._store.users.get(name)
        if user is not None and (user.keys or user.policy is not None or user.other_policies or user.attached or user.groups):
            raise Transient(reasons.CONFLICT, f"DeleteUser of user {name} failed: DeleteConflict")
        self._store.write("delete user", name, lambda: self._store.users.pop(name, None) and None)

    def _change(self, verb: str, name: str, change: Callable[[Principal], Principal]) -> None:
        """A write that needs the user."""
        self._store.check(self._connection, verb, name)
        if name not in self._store.users:
            raise Transient(reasons.CONFLICT, f"IAM user {name} does not exist")
        self._write(verb, name, change)

    def _take(self, verb: str, name: str, change: Callable[[Principal], Principal]) -> None:
        """A removal: of what is absent it is done already."""
        self._store.check(self._connection, verb, name)
        if name in self._store.users:
            self._write(verb, name, change)

    def _write(self, verb: str, name: str, change: Callable[[Principal], Principal]) -> None:
        def apply() -> None:
            self._store.users[name] = change(self._store.users[name])

        self._store.write(verb, name, apply)
