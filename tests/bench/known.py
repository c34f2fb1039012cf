"""What it costs to know a large mesh: a replica that does not lead lists and watches 50,000 objects, which were written into etcd."""

import base64
import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from hack.tools.controlplane import ControlPlane
from tests.bench.api import cpu_of
from tests.reconcile.access_flows import granted
from tests.support.installation import NAMESPACE, Installation
from tests.support.mesh import Mesh

DEPLOYMENT: Final = "clouddatamesh"
REQUESTS_EACH: Final = 2
LISTED: Final = 150.0
"""Seconds in which the lists of each minute come round twice."""
_BATCH: Final = 100
_PLURALS: Final = {"DataProduct": "dataproducts", "AccessRequest": "accessrequests", "AccessGrant": "accessgrants"}


def measure(mesh: Installation, products: int) -> dict[str, Any]:
    """Resident MB, at most and at last, of a replica that knows so many products with two requests and two grants each."""
    cluster = mesh.cluster
    cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=0")
    mesh.until(lambda: not mesh.kubelet.runs(), seconds=60, what="the operator is away")
    _lead_elsewhere(cluster)
    figures = {"empty_mb": _run(mesh, seconds=20.0)["last_mb"]}
    sizes = put_into_etcd(cluster, objects(products))
    cluster.restart()  # else its own cache follows what was written behind its back for minutes
    found = _run(mesh, seconds=LISTED)
    count = sum(count for count, _ in sizes.values())
    per_thousand = (found["last_mb"] - figures["empty_mb"]) * 1000 / count
    kinds = {f"{kind}_bytes": round(total / number) for kind, (number, total) in sizes.items()}
    return {"objects": count, **figures, **found, "mb_per_1000_objects": per_thousand, **kinds}


def objects(products: int) -> Iterator[Mapping[str, Any]]:
    """Settled objects as an operator leaves them, each with names and a uid of its own."""
    world = granted(Mesh())
    product, request, grant = (
        json.dumps({**world.get(kind, name, namespace)})
        for kind, name, namespace in (
            ("DataProduct", "orders", "sales"),
            ("AccessRequest", "orders-for-forecast", "inventory"),
            ("AccessGrant", "inventory-forecast", "sales"),
        )
    )
    for n in range(products):
        yield _copied(product, f"{n}", orders=f"orders-{n}")
        for m in range(REQUESTS_EACH):
            words = {"orders-for-forecast": f"asks-{n}-{m}", "orders": f"orders-{n}", "inventory-forecast": f"for-{n}-{m}"}
            yield _copied(request, f"{n}-{m}", **words)
            yield _copied(grant, f"{n}-{m}", **words)


def _copied(text: str, number: str, **words: str) -> Mapping[str, Any]:
    for word, other in words.items():
        text = text.replace(word, other)
    found: dict[str, Any] = json.loads(text)
    found["metadata"] |= {"uid": f"00000000-{found['kind']}-{number}"}
    found["metadata"].pop("resourceVersion", None)
    return found


def put_into_etcd(cluster: ControlPlane, found: Iterator[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Put objects where the API server keeps them; how many of each kind, and how many bytes."""
    sizes: dict[str, tuple[int, int]] = {}
    while batch := list(islice(found, _BATCH)):
        puts = []
        for one in batch:
            metadata, value = one["metadata"], json.dumps(one)
            place = f"/registry/clouddatamesh.dev/{_PLURALS[one['kind']]}/{metadata['namespace']}/{metadata['name']}"
            puts.append({"requestPut": {"key": _encoded(place), "value": _encoded(value)}})
            number, total = sizes.get(one["kind"], (0, 0))
            sizes[one["kind"]] = (number + 1, total + len(value))
        body = json.dumps({"success": puts}).encode()
        urllib.request.urlopen(f"{cluster.etcd}/v3/kv/txn", data=body, timeout=30).close()  # noqa: S310 - always http://127.0.0.1
    return sizes


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _lead_elsewhere(cluster: ControlPlane) -> None:
    """Another replica leads, for hours: what is measured is what each replica costs."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "clouddatamesh", "namespace": NAMESPACE},
        "spec": {"holderIdentity": "elsewhere", "leaseDurationSeconds": 86_400},
    }
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(lease))


def _run(mesh: Installation, *, seconds: float) -> dict[str, float]:
    """Start the operator, let it list again for a while, and end it."""
    mesh.cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=1")
    began = time.monotonic()
    pod = mesh.kubelet.wait(DEPLOYMENT, lambda found: found.is_ready, seconds=900)
    ready = time.monotonic() - began
    time.sleep(seconds)
    figures = {"most_mb": _memory(pod.pid, "VmHWM"), "last_mb": _memory(pod.pid, "VmRSS"), "ready_s": ready, "cpu_s": cpu_of(pod.pid)}
    mesh.cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=0")
    mesh.until(lambda: not mesh.kubelet.runs(), seconds=60, what="the operator is away")
    return figures


def _memory(pid: int, field: str) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024
