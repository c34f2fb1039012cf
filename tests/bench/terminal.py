"""How long a person waits for `list` and `search` of a large mesh and for `check` of many files, each as a program that starts cold."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from hack.tools.binaries import get_binary
from tests.bench.api import API
from tests.bench.known import DEPLOYMENT, objects, put_into_etcd
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import a_product

ROUNDS: Final = 5
FILES: Final = 100


def measure(mesh: Installation, products: int) -> dict[str, Any]:
    """Best and median seconds of each command, and of kubectl reading the same; CPU seconds of the command and of what it starts.

    `kubectl_get_raw` is the ceiling: a program in Go that reads the same bytes and passes them on.
    """
    cluster = mesh.cluster
    cluster.kubectl("scale", f"deployment/{DEPLOYMENT}", "-n", NAMESPACE, "--replicas=0")
    mesh.until(lambda: not mesh.kubelet.runs(), seconds=60, what="the operator is away")
    put_into_etcd(cluster, (one for one in objects(products) if one["kind"] == "DataProduct"))
    cluster.restart()
    env = {**cluster.env(), "PATH": f"{get_binary('kubectl').parent}:{os.environ['PATH']}"}
    program = (sys.executable, "-m", "clouddatamesh", "mesh")
    last = f"orders-{products - 1}"
    found = {
        "python": _time((sys.executable, "-c", "pass"), env),
        "kubectl_get": _time(("kubectl", "get", "dataproducts", "-A"), env, lines=products),
        "kubectl_get_json": _time(("kubectl", "get", "dataproducts", "-A", "-o", "json"), env, lines=products),
        "kubectl_get_raw": _time(("kubectl", "get", "--raw", f"{API}/dataproducts?limit=20000"), env),
        "list": _time((*program, "list"), env, lines=products),
        "search": _time((*program, "search", last), env, lines=1),
        "list_one_namespace": _time((*program, "list", "-n", "nowhere"), env),
    }
    with tempfile.TemporaryDirectory() as folder:
        for n in range(FILES):
            manifest = a_product(f"orders-{n}", producer={"secretName": f"producer-{n}"})
            Path(folder, f"{n}.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
        found["check_100_files"] = _time((*program, "check", folder), {**env, "KUBECONFIG": "/nonexistent"})
    return {"products": products, **{f"{name}_{part}": value for name, parts in found.items() for part, value in parts.items()}}


def _time(command: tuple[str, ...], env: Mapping[str, str], *, lines: int = 0) -> dict[str, float]:
    taken, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(ROUNDS):
        began = time.monotonic()
        done = subprocess.run(command, env=dict(env), capture_output=True, check=True)
        taken.append(time.monotonic() - began)
        if done.stdout.count(b"\n") < lines:
            raise RuntimeError(f"{' '.join(command)} shows fewer than {lines} lines: {done.stderr.decode()[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"best_s": min(taken), "p50_s": sorted(taken)[ROUNDS // 2], "cpu_s": cpu / ROUNDS}
