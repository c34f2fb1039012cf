"""The Identities port over IAM."""

import json
from datetime import UTC
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import ATTACHED_POLICIES, GROUPS, PREFIX, Statement
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import AccessKey, Connection, IssuedKey, Principal
from clouddatamesh.storage.calls import STRANGE, WIRE_ERRORS, Calls, strange
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document, parse_document

_ABSENT: Final = ("NoSuchEntity", "NoSuchEntityException")
_EXISTS: Final = ("EntityAlreadyExists", "EntityAlreadyExistsException")
_TAGS_UNKNOWN: Final = ("InvalidArgument", "InvalidInput", "NotImplemented", "ValidationError")


class IamIdentities:
    """Users of one connection."""

    def __init__(self, iam: Any, connection: Connection) -> None:
        self._iam, self._settings = Calls(iam, connection), connection.settings

    def _do(self, operation: str, name: str, **arguments: Any) -> dict[str, Any]:
        return self._iam.do(operation, f"of user {name}", UserName=name, **arguments)

    def _get(self, operation: str, name: str, **arguments: Any) -> dict[str, Any] | None:
        """One request, None where what it is about does not exist."""
        return self._iam.get(operation, f"of user {name}", unless=_ABSENT, UserName=name, **arguments)

    def observe(self, name: str) -> Seen[Principal]:
        try:
            found = self._get("get_user", name)
            return Absent() if found is None else Present(self._read(name, found["User"]))
        except MeshError as error:
            return Unknown(error)
        except STRANGE:
            return Unknown(strange(f"Reading IAM user {name}"))

    def _read(self, name: str, user: dict[str, Any]) -> Principal:
        names = self._must("list_user_policies", name)["PolicyNames"]
        keys = self._must("list_access_keys", name)["AccessKeyMetadata"]
        attached = self._must("list_attached_user_policies", name)["AttachedPolicies"] if ATTACHED_POLICIES in self._settings else ()
        groups = self._must("list_groups_for_user", name)["Groups"] if GROUPS in self._settings else ()
        return Principal(
            name=user["UserName"],
            path=user.get("Path", "/"),
            tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in user.get("Tags", ()))),
            policy=self._read_policy(name) if PREFIX in names else None,
            other_policies=tuple(sorted(other for other in names if other != PREFIX)),
            attached=tuple(sorted(policy["PolicyArn"] for policy in attached)),
            groups=tuple(sorted(group["GroupName"] for group in groups)),
            keys=tuple(sorted(_parse_key(key) for key in keys)),
        )

    def _must(self, operation: str, name: str, **arguments: Any) -> dict[str, Any]:
        """One more request about a user that was just seen. That it is not there now is no evidence: reads of IAM are late."""
        answer = self._get(operation, name, **arguments)
        if answer is None:
            raise Transient(reasons.NOT_VISIBLE_YET, f"Reads of IAM user {name} do not agree yet; it was changed a moment ago")
        return answer

    def _read_policy(self, name: str) -> tuple[Statement, ...]:
        """Ours; with anything foreign in it, it is not what we wrote and equals nothing that we want."""
        answer = self._must("get_user_policy", name, PolicyName=PREFIX)
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
        if found is None:
            why = "the store says that it exists and does not show it yet"
            raise Transient(reasons.CONFLICT, f"CreateUser {want.name} failed: EntityAlreadyExists: {why}")
        if found["User"].get("Path") != want.path:
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

    def detach_policy(self, name: str, arn: str) -> None:
        self._get("detach_user_policy", name, PolicyArn=arn)

    def leave_group(self, name: str, group: str) -> None:
        self._get("remove_user_from_group", name, GroupName=group)

    def create_key(self, name: str) -> IssuedKey:
        """A full quota passes: a key that a lost answer left is removed at the next look."""
        try:
            key = self._do("create_access_key", name)["AccessKey"]
        except MeshError as error:
            raise Transient(error.reason, error.message) if error.reason == reasons.LIMIT_EXCEEDED else error from None
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
