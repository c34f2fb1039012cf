"""The Stores port over boto3: clients are made once per connection and shared; making one asks the store nothing."""

import base64
import hashlib
import io
import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import Identities
from clouddatamesh.storage.answers import check_answer
from clouddatamesh.storage.calls import hidden_of
from clouddatamesh.storage.clock import StoreClock
from clouddatamesh.storage.errors import translate
from clouddatamesh.storage.iam import IamIdentities
from clouddatamesh.storage.meter import Report, measure
from clouddatamesh.storage.s3 import S3Buckets

_MOST: Final = 384
"""Clients that are kept: three for each of 128 stores with credentials of their own."""
_POOL: Final = 32
_WITHOUT: Final = 10.0
"""Seconds for which the chain of credentials is not asked again after it found none: asking may take seconds, under the lock."""
_READS: Final = ("Get", "List", "Head")
"""How the names of operations begin that change nothing."""
_SDK: Final = f"Boto3/{boto3.__version__}"
_CHATTY: Final = ("boto3", "botocore", "urllib3", "s3transfer")


class BotoStores:
    """Opens stores. Connections that differ only in what is read and written share their clients.

    `report` is called for each call, except for clients that are used once: these prove that something is refused. `gate` is called with
    the service in the moment before a request that may change something is sent, and raises where it must not be. `agent` is who asks,
    for the store's log.
    """

    def __init__(
        self,
        *,
        report: Report | None = None,
        gate: Callable[[str], object] = lambda _service: None,
        agent: str = "clouddatamesh",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report, self._gate, self._agent, self._monotonic = report, gate, agent, monotonic
        self._without_until = 0.0
        self._clients: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._session: Any = None
        self._folder: Path | None = None
        self._lock = threading.Lock()
        silence()

    def buckets(self, connection: Connection) -> S3Buckets:
        s3, sts, iam = (self._client(service, connection) for service in ("s3", "sts", "iam"))
        return S3Buckets(s3, sts, iam, connection, open_as=partial(self._open_as, connection, s3.meta.endpoint_url))

    def identities(self, connection: Connection) -> Identities:
        return IamIdentities(self._client("iam", connection), connection)

    def _open_as(self, connection: Connection, url: str, key: tuple[str, str], *, plain: bool) -> Any:
        """A client of S3 with another key that nobody keeps; without TLS, and then not patient, where an endpoint for that is known."""
        endpoint = (connection.plain_endpoint or _without_tls(url)) if plain else connection.endpoint
        if plain and endpoint is None:
            return None
        with self._lock:
            return self._make("s3", endpoint, replace(connection, access_key_id=key[0], secret_access_key=key[1]), is_brief=plain)

    def _client(self, service: str, connection: Connection) -> Any:
        endpoint = connection.endpoint if service == "s3" else connection.iam_endpoint
        if service == "sts" and connection.is_aws:
            endpoint = None
        key = (
            service,
            endpoint,
            connection.region,
            connection.addressing_style,
            connection.ca_bundle,
            connection.access_key_id,
            connection.secret_access_key,
        )
        with self._lock:
            if key not in self._clients:
                client = self._clients[key] = self._make(service, endpoint, connection)
                if self._report is not None:
                    measure(client, service, self._report)
            self._clients.move_to_end(key)
            while len(self._clients) > _MOST:
                self._clients.popitem(last=False)
            return self._clients[key]

    def _make(self, service: str, endpoint: str | None, connection: Connection, *, is_brief: bool = False) -> Any:
        """Under the lock: a session is not thread-safe, the clients that it makes are."""
        try:
            self._session = self._session or boto3.Session()
            self._require_credentials(connection)
            client = self._session.client(
                service,
                region_name=connection.region,
                endpoint_url=endpoint,
                aws_access_key_id=connection.access_key_id,
                aws_secret_access_key=connection.secret_access_key,
                config=_config(connection, self._agent, is_brief=is_brief),
                verify=self._bundle(connection.ca_bundle) if connection.ca_bundle else None,
            )
        except BotoCoreError as error:
            raise translate(error, f"Opening {service} of the store", hide=hidden_of(connection)) from None
        except ValueError:  # raised for an endpoint that is no URL
            raise translate(BotoCoreError(), f"Opening {service} of the store") from None
        client.meta.events.register(f"before-parse.{service}", check_answer)
        client.meta.events.register_first(f"before-send.{service}", self._ask_gate)
        StoreClock().keep(client, service)
        if service == "iam":
            client.meta.events.register_first("needs-retry.iam.CreateAccessKey", _give_up)
        if service == "s3" and not connection.is_aws:
            client.meta.events.register("before-call.s3", _add_digest)
        return client

    def _ask_gate(self, event_name: str, **_: Any) -> None:
        """Of each attempt: botocore may have waited since the one before."""
        service, operation = event_name.split(".")[1:]
        if not operation.startswith(_READS):
            self._gate(service)

    def _require_credentials(self, connection: Connection) -> None:
        """A client keeps what the chain found when it was made. So while an identity agent is not up yet, none is made and kept."""
        if connection.access_key_id is not None:
            return
        if self._monotonic() >= self._without_until and self._session.get_credentials() is None:
            self._without_until = self._monotonic() + _WITHOUT
        if self._monotonic() < self._without_until:
            raise NoCredentialsError

    def _bundle(self, pem: str) -> str:
        """The path of a file with this PEM, readable by this user alone and removed at exit; boto3 takes no text.

        It is written under another name first: other clients open it at any moment, and must never see half of it.
        """
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="clouddatamesh-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / f"{hashlib.sha256(pem.encode()).hexdigest()}.pem"
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.touch(mode=0o600)
            draft.write_text(pem)
            draft.replace(path)
        return str(path)


def silence() -> None:
    """Below INFO these libraries print headers and bodies, with keys in them, whatever level the root logger has."""
    for name in _CHATTY:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


def _without_tls(url: str) -> str | None:
    """The same host's port 80, where the store is at the usual ports."""
    place = urlsplit(url)
    return f"http://{place.netloc}" if place.scheme == "https" and place.port in (None, 443) else None


def _config(connection: Connection, agent: str, *, is_brief: bool) -> Config:
    return Config(
        user_agent=_SDK,  # else the SDK composes a long one for each request: 3 % of the operator's time while access is taken
        user_agent_extra=agent,
        connect_timeout=2 if is_brief else 5,
        read_timeout=5 if is_brief else 30,
        max_pool_connections=_POOL,
        retries={"mode": "standard", "max_attempts": 0 if is_brief else 2},
        s3={"addressing_style": connection.addressing_style},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
    )


def _add_digest(params: dict[str, Any], **_: Any) -> None:
    """S3-compatible stores of before 2025 know no other checksum than Content-MD5, and some refuse every write without it."""
    body = params.get("body")
    content = body.getvalue() if isinstance(body, io.BytesIO) else body
    if isinstance(content, bytes) and params.get("method") in ("PUT", "POST"):
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        params["headers"].setdefault("Content-MD5", base64.b64encode(digest).decode())


def _give_up(response: tuple[Any, dict[str, Any]] | None = None, caught_exception: Exception | None = None, **_: Any) -> None:
    """Asked before botocore's own retries: a request whose answer was lost may have made a key, and the next one would make a second."""
    if caught_exception is not None:
        raise caught_exception
    if response is not None and response[0].status_code >= 300:
        raise ClientError(response[1], "CreateAccessKey")
