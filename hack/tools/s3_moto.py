"""moto as a server with IAM enforcement: the small store, one process with its state in memory."""

import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hack.tools.children import (
    ROOT,
    Say,
    free_ports,
    is_answering,
    make_log_dir,
    say_nothing,
    start_child,
    stop_child,
    wait_until,
)
from hack.tools.store import Store

OPERATOR = "clouddatamesh"
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*", "sts:*"], "Resource": "*"}],
}


@contextlib.contextmanager
def Moto(*, host: str = "127.0.0.1", say: Say = say_nothing) -> Iterator[Store]:  # noqa: N802 - used like a class, as ControlPlane is
    """A store that enforces users' inline policies, on an address of this machine. Raises ToolError where it does not come up."""
    (port,) = free_ports(1)
    log = make_log_dir("moto") / "moto.log"
    env = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}  # those of AWS's own can be attached
    child = start_child([sys.executable, "-m", "hack.tools.moto_server", host, str(port)], log=log, env=env, cwd=ROOT)
    try:
        endpoint = f"http://{host}:{port}"
        wait_until("moto", lambda: is_answering(f"{endpoint}/moto-api/"), child=child)
        yield _enforce(Store(endpoint, "open", "open", "us-east-1", "moto", lambda: _count(log)))
    finally:
        stop_child(child, grace=0.5)
        say("moto is gone")


def _enforce(store: Store) -> Store:
    """Make the operator's user while everything is still allowed, then have every later call checked."""
    iam = store.client("iam")
    iam.create_user(UserName=OPERATOR)
    iam.put_user_policy(UserName=OPERATOR, PolicyName="operator", PolicyDocument=json.dumps(_POLICY))
    key = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
    url, headers = f"{store.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    request = urllib.request.Request(url, data=b"0", headers=headers, method="POST")  # noqa: S310 - http://127.0.0.1
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    return replace(store, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])


def _count(log: Path) -> int:
    """The lines of werkzeug's access log."""
    with log.open("rb") as lines:
        return sum(b" HTTP/1." in line for line in lines)
