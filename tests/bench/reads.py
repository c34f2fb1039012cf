"""A consumer that does nothing but read one object, as fast as it can."""

import base64
import time
from typing import Any

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from hack.tools.store import Store

_WAIT = 30.0


class Reader:
    """Reads over one kept connection; nothing but a signature is computed between two reads."""

    def __init__(self, store: Store, bucket: str, key: str) -> None:
        self._url, self._region = f"{store.endpoint}/{bucket}/{key}", store.region
        self._pool = urllib3.PoolManager()

    def read(self, credentials: Credentials) -> int:
        """The answer's status."""
        request = AWSRequest("GET", self._url)
        S3SigV4Auth(credentials, "s3", self._region).add_auth(request)
        return int(self._pool.request("GET", self._url, headers=dict(request.headers.items()), retries=False).status)

    def until(self, status: int, credentials: Credentials) -> float:
        """Read back to back until the answer is this one; its moment. Raises TimeoutError."""
        end = time.monotonic() + _WAIT
        while (found := self.read(credentials)) != status:
            if time.monotonic() > end:
                raise TimeoutError(f"reads are answered {found}, not {status}, after {_WAIT} s")
        return time.monotonic()


def credentials_of(secret: dict[str, Any]) -> Credentials:
    """What a consumer takes from its Secret."""
    data = {field: base64.b64decode(value).decode() for field, value in secret["data"].items()}
    return Credentials(data["access-key-id"], data["secret-access-key"])
