"""Whose credentials are these? Three requests tell, none of which every store knows; the first that does ends the asking."""

from typing import Any, Final

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model.identity import Connection, StoreAccount
from clouddatamesh.storage.calls import WIRE_ERRORS, Calls
from clouddatamesh.storage.errors import code_of, status_of, verdict_of_code

DENIED: Final = ("AccessDenied", "403", "Forbidden")
_ARN_PARTS: Final = 6


def read_account(s3: Calls, sts: Calls, iam: Calls, connection: Connection) -> StoreAccount:
    """On AWS by STS; elsewhere by the ARN of one's own user; else by the owner of the bucket list, which every valid key may see.

    RGW tells its account only in the ARN: the owner of the list is the user, and ExpectedBucketOwner is compared with the account.
    """
    if connection.is_aws:
        return StoreAccount(str(sts.do("get_caller_identity", "")["Account"]))
    return StoreAccount(_by_user(iam) or _by_sts(sts) or _by_list(s3))


def _by_user(iam: Calls) -> str:
    arn = str((_ask(iam, "get_user").get("User") or {}).get("Arn") or "").split(":")
    return arn[4] if len(arn) == _ARN_PARTS else ""


def _by_sts(sts: Calls) -> str:
    return str(_ask(sts, "get_caller_identity").get("Account") or "")


def _by_list(s3: Calls) -> str:
    try:
        owner = s3.client.list_buckets(MaxBuckets=1).get("Owner") or {}
    except WIRE_ERRORS as error:
        if isinstance(error, ClientError) and code_of(error) in DENIED:
            remedy = "check the Secret of the ObjectStore's spec.credentialsSecretRef"
            raise Terminal(reasons.CREDENTIALS_INVALID, f"The store refused the credentials: {code_of(error)}; {remedy}") from None
        raise s3.explain(error, "list_buckets", "") from None
    return str(owner.get("ID") or "")


def _ask(calls: Calls, operation: str) -> dict[str, Any]:
    """Nothing where the store refuses: the bucket list says why. Silence is raised, or an account would change with the weather."""
    try:
        return dict(getattr(calls.client, operation)())
    except ResponseParserError:
        return {}
    except WIRE_ERRORS as error:
        if isinstance(error, ClientError) and not _is_down(error):
            return {}
        raise calls.explain(error, operation, "") from None


def _is_down(error: ClientError) -> bool:
    verdict = verdict_of_code(code_of(error))
    down = verdict is not None and verdict[1] in (reasons.STORE_UNAVAILABLE, reasons.THROTTLED)
    return status_of(error) not in (404, 405, 501) and (down or status_of(error) >= 500)
