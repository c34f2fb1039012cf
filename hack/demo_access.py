"""The demo's second half: access that is asked for, granted by a manifest, used with the consumer's own Secret, and taken away."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.support.installation import Installation

BODY = b"one row\n"
ASKED = "daily/stock.txt"
GIVEN, KEPT = "profiles/names.txt", "raw/everything.txt"
_WAIT = 30.0


def client_of(mesh: Installation, store: Store, secret: str, namespace: str) -> tuple[Any, str]:
    """An S3 client with what a Secret holds, and its bucket."""
    data = mesh.secret(secret, namespace)
    return store.client("s3", access_key=data["access-key-id"], secret_key=data["secret-access-key"]), data["bucket"]


def is_refused(call: Callable[[], object]) -> bool:
    """Whether a call is refused as forbidden."""
    try:
        call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403)
    return False


def produce(mesh: Installation, store: Store) -> None:
    """Objects of the two products that are asked for."""
    stock, bucket = client_of(mesh, store, "stock-levels-producer", "inventory")
    stock.put_object(Bucket=bucket, Key=ASKED, Body=BODY)
    profiles, bucket = client_of(mesh, store, "profiles-producer", "customer")
    for key in (GIVEN, KEPT):
        profiles.put_object(Bucket=bucket, Key=key, Body=BODY)


def ask(mesh: Installation, store: Store) -> dict[str, bool]:
    """Both requests are made: one port is open, the other waits for its owner."""
    mesh.cluster.kubectl("wait", "areq/stock-for-forecast", "-n", "sales", "--for=condition=Ready", "--timeout=60s")
    own, bucket = client_of(mesh, store, "stock-access", "sales")
    mesh.until(lambda: _pending(mesh), what="customer sees who asks")
    return {
        "an open port is read with the consumer's own Secret": own.get_object(Bucket=bucket, Key=ASKED)["Body"].read() == BODY,
        "and is not written with it": is_refused(lambda: own.put_object(Bucket=bucket, Key=ASKED, Body=b"")),
        "personal data waits for its owner": not mesh.get("areq", "profiles-for-deliveries", "inventory")["status"].get("binding"),
    }


def _pending(mesh: Installation) -> bool:
    return bool(mesh.get("accessinbox", "profiles", "customer").get("status", {}).get("pending"))


def use_grant(mesh: Installation, store: Store) -> tuple[dict[str, bool], Callable[[], bool]]:
    """The granted port is read, and nothing else; besides, a question that tells later whether the same key still reads it."""
    mesh.cluster.kubectl("wait", "areq/profiles-for-deliveries", "-n", "inventory", "--for=condition=Ready", "--timeout=60s")
    own, bucket = client_of(mesh, store, "profiles-access", "inventory")
    _, elsewhere = client_of(mesh, store, "stock-access", "sales")

    def reads() -> bool:
        return not is_refused(lambda: own.get_object(Bucket=bucket, Key=GIVEN))

    held = {
        "granted by a manifest, it is read with the consumer's own Secret": reads(),
        "the rest of that bucket is refused": is_refused(lambda: own.get_object(Bucket=bucket, Key=KEPT)),
        "and so are other buckets": is_refused(lambda: own.get_object(Bucket=elsewhere, Key=ASKED)),
    }
    return held, reads


def cut_off(mesh: Installation, reads: Callable[[], bool]) -> tuple[dict[str, bool], float]:
    """The manifest is deleted: how many seconds until the key that read before is refused."""
    started = time.monotonic()
    mesh.cluster.kubectl("delete", "agrant/inventory-deliveries", "-n", "customer", "--wait=false")
    committed = time.monotonic()
    while reads() and time.monotonic() - started < _WAIT:
        pass
    return {"the manifest deleted, the same key is refused": not reads()}, time.monotonic() - committed
