"""How others may reach a bucket before it is adopted: ACL, website, public statements of its policy; and where it is. Reads only."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError
from clouddatamesh.model.bucket import Openings
from clouddatamesh.storage.policy import listed

_UNSET: Final = ("NoSuchWebsiteConfiguration", "NoSuchBucketPolicy")
_UNKNOWN: Final = ("NotImplemented", "501", "MethodNotAllowed", "405", "InvalidRequest", "AccessControlListNotSupported")
"""A store that does not know the question has no such way in."""
_FORMER_NAMES: Final = {"EU": "eu-west-1"}
_FIRST: Final = "us-east-1"


class Ask(Protocol):
    """One request about a bucket, None where the store answers with one of the codes `unless`."""

    def __call__(self, operation: str, *, unless: tuple[str, ...]) -> Mapping[str, Any] | None: ...


def find_openings(ask: Ask) -> Openings:
    """Three requests; what is refused is named, for it may be a way in. Other errors are raised."""
    unread: list[str] = []

    def read(operation: str, what: str) -> Mapping[str, Any]:
        try:
            return ask(operation, unless=(*_UNSET, *_UNKNOWN)) or {}
        except MeshError as error:
            if error.reason != reasons.ACCESS_DENIED:
                raise
            unread.append(what)
            return {}

    acl, website = read("get_bucket_acl", "its ACL"), read("get_bucket_website", "its website")
    policy = read("get_bucket_policy", "its policy").get("Policy")
    return Openings(
        grants=grants_of(acl),
        website=any(name in website for name in ("IndexDocument", "ErrorDocument", "RedirectAllRequestsTo", "RoutingRules")),
        statements=public_statements(str(policy)) if policy else (),
        unread=tuple(unread),
    )


def grants_of(acl: Mapping[str, Any]) -> tuple[str, ...]:
    """What an ACL gives to others than the bucket's owner."""
    owner = (acl.get("Owner") or {}).get("ID")
    others = [grant for grant in acl.get("Grants") or () if (grant.get("Grantee") or {}).get("ID", "") != (owner or "-")]
    return tuple(sorted({f"{grant.get('Permission')} to {_name(grant.get('Grantee') or {})}" for grant in others}))


def _name(grantee: Mapping[str, Any]) -> str:
    uri = str(grantee.get("URI") or "")
    return uri.rpartition("/")[2] or str(grantee.get("DisplayName") or grantee.get("EmailAddress") or grantee.get("ID") or "somebody")


def public_statements(policy: str) -> tuple[str, ...]:
    """The statements that allow something to everybody, by their Sid or their place; whatever conditions they name, a store judges them."""
    try:
        statements = listed(json.loads(policy).get("Statement"))
    except (ValueError, AttributeError):
        return ()
    return name_public(statements)


def name_public(statements: list[Any]) -> tuple[str, ...]:
    """Those of some statements that allow something to everybody."""
    return tuple(
        str(raw.get("Sid") or f"number {place}")
        for place, raw in enumerate(statements, start=1)
        if isinstance(raw, Mapping) and raw.get("Effect") == "Allow" and _is_everybody(raw)
    )


def _is_everybody(statement: Mapping[str, Any]) -> bool:
    """NotPrincipal with Allow means everybody but some."""
    principal = statement.get("Principal")
    named = listed(principal.get("AWS")) if isinstance(principal, Mapping) else listed(principal)
    return "*" in named or "NotPrincipal" in statement


def region_of(answer: Mapping[str, Any], *, is_aws: bool) -> str:
    """The region that GetBucketLocation tells of, in the words of today. AWS tells nothing for its first one."""
    told = str(answer.get("LocationConstraint") or "")
    return _FORMER_NAMES.get(told, told) or (_FIRST if is_aws else "")
