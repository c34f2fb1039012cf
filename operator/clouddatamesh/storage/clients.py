"""The Stores port over boto3: clients are made once per connection and shared; making one asks the store nothing."""

import logging
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from clouddatamesh.model.identity import Connection
from clouddatamesh.ports import BucketStore, Identities
from clouddatamesh.storage.iam import IamIdentities
from clouddatamesh.storage.s3 import S3Buckets

_MOST: Final = 64
_POOL: Final = 32
_CHATTY: Final = ("boto3", "botocore", "urllib3", "s3transfer")


class BotoStores:
    """Opens stores. Connections that differ only in what is read and written share their clients."""

    def __init__(self) -> None:
        self._clients: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._bundles: dict[str, str] = {}
        self._lock = threading.Lock()
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)  # below that they print headers and bodies, with keys in them

    def buckets(self, connection: Connection) -> BucketStore:
        return S3Buckets(self._client("s3", connection), self._client("sts", connection), self._client("iam", connection), connection)

    def identities(self, connection: Connection) -> Identities:
        return IamIdentities(self._client("iam", connection))

    def _client(self, service: str, connection: Connection) -> Any:
        endpoint = connection.endpoint if service == "s3" else connection.iam_endpoint
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
                self._clients[key] = self._make(service, endpoint, connection)
            self._clients.move_to_end(key)
            while len(self._clients) > _MOST:
                self._clients.popitem(last=False)
            return self._clients[key]

    def _make(self, service: str, endpoint: str | None, connection: Connection) -> Any:
        session = boto3.Session(
            aws_access_key_id=connection.access_key_id,
            aws_secret_access_key=connection.secret_access_key,
            region_name=connection.region,
        )
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=_POOL,
            retries={"mode": "standard", "max_attempts": 2},
            s3={"addressing_style": connection.addressing_style},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        verify = self._bundle(connection.ca_bundle) if connection.ca_bundle else None
        return session.client(service, endpoint_url=endpoint, config=config, verify=verify)

    def _bundle(self, pem: str) -> str:
        """The path of a file with this PEM, readable by this user alone; boto3 takes no text."""
        if pem not in self._bundles:
            with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
                file.write(pem)
            self._bundles[pem] = str(Path(file.name))
        return self._bundles[pem]
