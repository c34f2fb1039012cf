"""The Identities port over IAM."""

import json
from datetime import UTC
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import PREFIX, Statement
from clouddatamesh.model.identity import AccessKey, Connection, IssuedKey, Principal
from clouddatamesh.storage.calls import WIRE_ERRORS, Calls
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document, parse_document

_ABSENT: Final = ("NoSuchEntity", "NoSuchEntityException")
_EXISTS: Final = ("EntityAlreadyExists", "EntityAlreadyExistsException")
_TAGS_UNKNOWN: Final = ("InvalidArgument", "InvalidInput", "NotImplemented", "ValidationError")


class IamIdentities:
    """Users of one connection."""

    def __init__(self, iam: Any, connection: Connection) -> None:
        self._iam = Calls(iam, connection)

    def _do(self, operation: str, name: str, **arguments: Any) -> dict[str, Any]:
        return self._iam.do(operation, f"of user {name}", UserName=name, **arguments)

    def _get(self, operation: str, name: str, **arguments: Any) -> dict[str, Any] | None:
        """One request, None where what it is about does not exist."""
        return self._iam.get(operation, f"of user {name}", unless=_ABSENT, UserName=name, **arguments)

    def observe(self, name: str) -> Principal | None:
        found = self._get("get_user", name)
        policies = self._get("list_user_policies", name) if found else None
        keys = self._get("list_access_keys", name) if policies else None
        if found is None or policies is None or keys is None:
            return None
        user, names = found["User"], policies["PolicyNames"]
        return Principal(
            name=user["UserName"],
            path=user.get("Path", "/"),
            tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in user.get("Tags", ()))),
            policy=self._read_policy(name) if PREFIX in names else None,
            other_policies=tuple(sorted(other for other in names if other != PREFIX)),
            keys=tuple(sorted(_parse_key(key) for key in keys["AccessKeyMetadata"])),
        )

    def _read_policy(self, name: str) -> tuple[Statement, ...] | None:
        """Ours; with anything foreign in it, it is not what we wrote and equals nothing that we want."""
        answer = self._get("get_user_policy", name, PolicyName=PREFIX)
        if answer is None:
            return None
        try:
            ours, foreign = parse_document(_document(answer["PolicyDocument"]))
        except ValueError:
            return (Statement.unreadable(PREFIX),)
        return (*ours, *(Statement.unreadable(f"foreign{number}") for number, _ in enumerate(foreign)))

    def create(self, want: Principal) -> None:
        tags = [{"Key": key, "Value": value} for key, value in want.tags]
        if not self._is_made(want, Tags=tags):
            self._is_made(want)

    def _is_made(self, want: Principal, **tags: Any) -> bool:
        """False where the store takes no tags."""
        try:
            self._iam.client.create_user(UserName=want.name, Path=want.path, **tags)
        except WIRE_ERRORS as error:
            code = code_of(error) if isinstance(error, ClientError) else ""
            if code in _TAGS_UNKNOWN and tags:
                return False
            if code not in _EXISTS:
                raise self._iam.explain(error, "create_user", want.name) from None
            self._check_path(want)
        return True

    def _check_path(self, want: Principal) -> None:
        """Names are unique across paths, and in most stores in any case of letters."""
        found = self._get("get_user", want.name)
        if found is None or found["User"].get("Path") != want.path:
            raise Terminal(reasons.NOT_OWNED, f"IAM user {want.name} exists and is not of this mesh; remove or rename it")

    def list(self, path: str) -> tuple[str, ...]:
        users = self._iam.collect("list_users", f"under {path}", part="Users", PathPrefix=path)
        return tuple(sorted(user["UserName"] for user in users if user.get("Path", "/").startswith(path)))

    def disable_key(self, name: str, key_id: str) -> None:
        self._get("update_access_key", name, AccessKeyId=key_id, Status="Inactive")

    def put_policy(self, want: Principal) -> None:
        self._do("put_user_policy", want.name, PolicyName=PREFIX, PolicyDocument=build_document(want.policy or ()))

    def delete_policy(self, name: str, policy: str) -> None:
        self._get("delete_user_policy", name, PolicyName=policy)

    def create_key(self, name: str) -> IssuedKey:
        key = self._do("create_access_key", name)["AccessKey"]
        return IssuedKey(key["AccessKeyId"], key["SecretAccessKey"])

    def delete_key(self, name: str, key_id: str) -> None:
        self._get("delete_access_key", name, AccessKeyId=key_id)

    def delete(self, name: str) -> None:
        self._get("delete_user", name)


def _document(raw: Any) -> dict[str, Any]:
    """botocore has decoded the document already where it knew it for one."""
    return dict(raw) if isinstance(raw, dict) else dict(json.loads(unquote(raw)))


def _parse_key(raw: dict[str, Any]) -> AccessKey:
    created = raw.get("CreateDate")
    return AccessKey(raw["AccessKeyId"], raw.get("Status", "Active") == "Active", created.astimezone(UTC).isoformat() if created else "")
