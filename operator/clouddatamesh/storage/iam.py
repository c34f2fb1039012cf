"""The Identities port over IAM."""

import json
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import AccessKey, IssuedKey, Principal
from clouddatamesh.storage.errors import code_of, translate
from clouddatamesh.storage.policy import build_document, parse_document

_ABSENT: Final = ("NoSuchEntity", "NoSuchEntityException", "404")
_EXISTS: Final = ("EntityAlreadyExists", "EntityAlreadyExistsException")


class IamIdentities:
    """Users of one connection."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def _do(self, operation: str, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            return dict(getattr(self._iam, operation)(UserName=name, **arguments))
        except (ClientError, BotoCoreError) as error:
            raise translate(error, f"{_words(operation)} {name}") from error

    def _get(self, operation: str, name: str, **arguments: Any) -> dict[str, Any] | None:
        """One request, None where what it is about does not exist."""
        try:
            return dict(getattr(self._iam, operation)(UserName=name, **arguments))
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise translate(error, f"{_words(operation)} {name}") from error
        except BotoCoreError as error:
            raise translate(error, f"{_words(operation)} {name}") from error

    def observe(self, name: str) -> Principal | None:
        found = self._get("get_user", name)
        if found is None:
            return None
        user = found["User"]
        names = self._do("list_user_policies", name)["PolicyNames"]
        policy = self._read_policy(name) if PREFIX in names else None
        keys = self._do("list_access_keys", name)["AccessKeyMetadata"]
        return Principal(
            name=user["UserName"],
            path=user.get("Path", "/"),
            tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in user.get("Tags", ()))),
            policy=policy,
            other_policies=tuple(sorted(other for other in names if other != PREFIX)),
            keys=tuple(sorted(_parse_key(key) for key in keys)),
        )

    def _read_policy(self, name: str) -> Any:
        """Ours; with anything foreign in it, it is not what we wrote and equals nothing that we want."""
        answer = self._get("get_user_policy", name, PolicyName=PREFIX)
        if answer is None:
            return None
        ours, foreign = parse_document(_document(answer["PolicyDocument"]))
        return (*ours, *(type(ours[0]).unreadable("foreign") for _ in foreign)) if ours else ()

    def create(self, want: Principal) -> None:
        tags = [{"Key": key, "Value": value} for key, value in want.tags]
        try:
            self._iam.create_user(UserName=want.name, Path=want.path, Tags=tags)
        except ClientError as error:
            if code_of(error) not in _EXISTS:
                raise translate(error, f"CreateUser {want.name}") from error
            self._check_path(want)
        except BotoCoreError as error:
            raise translate(error, f"CreateUser {want.name}") from error

    def _check_path(self, want: Principal) -> None:
        found = self._get("get_user", want.name)
        if found is None or found["User"].get("Path") != want.path:
            raise Terminal(reasons.NOT_OWNED, f"IAM user {want.name} exists and is not of this mesh; remove or rename it")

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
    return AccessKey(raw["AccessKeyId"], raw.get("Status", "Active") == "Active", created.isoformat() if created else "")


def _words(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))
