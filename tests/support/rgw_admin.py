"""Further accounts of Ceph RGW and their limits, by its admin API. Only what tests need."""

import json
import urllib.request
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hack.tools.store import Store

ACCOUNT = "RGW00000000000000001"
"""The operator's own, as rgw.sh makes it."""


def account_id(number: int) -> str:
    """Of a further account."""
    return f"{ACCOUNT[:-4]}{number:04}"


def make_account(store: Store, number: int) -> Store:
    """The same store as the root of another account sees it; its id ends in the number."""
    account = account_id(number)
    root = f"root-{number}"
    _ask(store, "POST", "account", name=f"account-{number}", id=account)
    made = _ask(store, "PUT", "user", **{"uid": root, "display-name": root, "account-id": account, "account-root": "true"})
    key = made["keys"][0]
    return replace(store, access_key=key["access_key"], secret_key=key["secret_key"])


def limit_buckets(store: Store, number: int, most: int) -> None:
    """How many buckets an account may have from now on."""
    _ask(store, "PUT", "account", **{"id": account_id(number), "max-buckets": str(most)})


def accept_key(store: Store, key_id: str, secret: str) -> None:
    """Let another store's key be one of the operator's here too, as twins and replicas have it. RGW decodes the secret twice."""
    given = {"uid": "root", "access-key": key_id, "secret-key": quote(secret, safe=""), "generate-key": "false"}
    _ask(store, "PUT", "user?key", **given)


def _ask(store: Store, method: str, path: str, **query: str) -> Any:
    url = f"{store.endpoint}/admin/{path}{'&' if '?' in path else '?'}{urlencode({**query, 'format': 'json'})}"
    request = AWSRequest(method, url)
    S3SigV4Auth(Credentials(*store.admin), "s3", store.region).add_auth(request)
    wire = urllib.request.Request(url, method=method, headers=dict(request.headers))  # noqa: S310 - always http://127.0.0.1
    with urllib.request.urlopen(wire, timeout=20) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")
