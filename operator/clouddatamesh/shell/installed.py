"""What `helm test` asks of an installation: permissions, a leader that renews its Lease, and replicas that are ready."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

from clouddatamesh.errors import MeshError
from clouddatamesh.kube.access import find_missing
from clouddatamesh.kube.errors import ApiError, is_absent, translate
from clouddatamesh.kube.resources import path
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.objects import Key
from clouddatamesh.shell.access import needs
from clouddatamesh.shell.leader import ROUND
from clouddatamesh.shell.lease import DURATION, NAME

_ASKING: Final = 10.0


def find_faults(client: Transport, *, namespace: str, url: str = "", wait: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """One sentence for each fault. `url` is where /readyz is asked; empty: it is not. Runs as the operator's own ServiceAccount."""
    checks = (
        lambda: _find_missing(client, namespace),
        lambda: _find_lease_faults(client, namespace, wait),
        lambda: _find_unready(url) if url else (),
    )
    return tuple(fault for check in checks for fault in _ask(check))


def _ask(check: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """A check that cannot be made is a fault, and keeps no other from being made."""
    try:
        return check()
    except MeshError as error:
        return (str(error),)


def _find_missing(client: Transport, namespace: str) -> tuple[str, ...]:
    missing = find_missing(client, needs(namespace))
    return tuple(f"The operator may not {need}; install the chart's RBAC" for need in missing)


def _find_lease_faults(client: Transport, namespace: str, wait: Callable[[float], None]) -> tuple[str, ...]:
    """A leader renews every 2 s. Two looks need no clock: the time in the Lease must have moved."""
    key, seen = Key("Lease", namespace, NAME), []
    for pause in (0.0, 2 * ROUND, DURATION - 2 * ROUND):
        wait(pause)
        seen.append(_renewed(client, key))
        if seen[0] != seen[-1] and seen[-1]:
            return ()
    return (f"No replica renews the Lease {NAME} in {namespace}, so none reconciles; read the logs of the operator's Pods",)


def _renewed(client: Transport, key: Key) -> str:
    try:
        spec = client.request("GET", path(key)).get("spec") or {}
    except ApiError as error:
        if is_absent(error):
            return ""
        raise translate(error, "Reading the Lease") from error
    return str(spec.get("renewTime", "")) if spec.get("holderIdentity") else ""


def _find_unready(url: str) -> tuple[str, ...]:
    try:
        with urllib.request.urlopen(url, timeout=_ASKING):  # noqa: S310 - the chart's own address
            return ()
    except urllib.error.HTTPError as error:
        with error:
            said = "; ".join(error.read().decode(errors="replace").split("\n")).strip("; ")
        return (f"{url} answers {error.code}: {said}",)
    except OSError as error:
        return (f"{url} does not answer: {error}; check the Service, its EndpointSlices and NetworkPolicies",)
