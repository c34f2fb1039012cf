"""The store: moto in this process. Every request is checked against IAM, and nothing is kept after the process ends."""

import json
import logging
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from quickstart.turns import InTurn

REGION: Final = "us-east-1"
READY: Final = "/-/ready"
"""No bucket can have that name."""
SERVICES: Final = frozenset({"s3", "iam", "sts"})
_USER: Final = "quickstart"
_SIGNED: Final = "AWS4-HMAC-SHA256 "
_EVERYTHING: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*", "sts:*"], "Resource": "*"}],
}
_DENIED: Final = b"<Error><Code>AccessDenied</Code><Message>Only requests signed with Signature Version 4 are served</Message></Error>"
Start = Callable[..., object]


@dataclass(frozen=True)
class RootKey:
    """The key that may do everything in the store."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


class Door:
    """A WSGI application that answers the probe itself and passes on what is signed.

    moto lets unsigned requests through in places, and its own API under /moto-api dumps and resets everything without a key.
    """

    def __init__(self, store: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self._store = store

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == READY:
            start("200 OK", [("Content-Type", "text/plain")])
            return (b"ok\n",)
        if not environ.get("HTTP_AUTHORIZATION", "").startswith(_SIGNED):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return (_DENIED,)
        return self._store(environ, start)


def make_store(key: RootKey) -> Door:
    """The application, in which `key` exists already. To be called once in a process: the state of moto is global."""
    os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"  # else the first label of the Service's name would be taken for a bucket
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    from moto import settings
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    class Dispatcher(DomainDispatcherApplication):
        def get_backend_for_host(self, host: str | None) -> Any:
            """S3 in place of every other service that moto knows, its own API included."""
            found = super().get_backend_for_host(host)
            return found if found is None or found in SERVICES else "s3"

    _add_root(key)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0  # no request is served before it is checked
    return Door(InTurn(Dispatcher(create_backend_app)))


def _add_root(key: RootKey) -> None:
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user(REGION, _USER)
    iam.put_user_policy(_USER, _USER, json.dumps(_EVERYTHING))
    made = iam.create_access_key(_USER)
    del iam.access_keys[made.access_key_id]
    made.access_key_id, made.secret_access_key = key.access_key_id, key.secret_access_key
    iam.access_keys[key.access_key_id] = made


def serve(key: RootKey, port: int) -> None:
    """Answer until the process ends."""
    store = make_store(key)
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import run_simple

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request would hold signatures
    host = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - a Pod, behind a ClusterIP
    run_simple(host, port, store, threaded=True, request_handler=MotoRequestHandler)
