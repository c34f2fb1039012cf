"""`make demo`: the retail mesh on this machine, from nothing to objects written, shared and refused, and what it cost."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import boto3
import yaml
from botocore import UNSIGNED
from botocore.config import Config

from hack import demo_access as access
from hack.demo_access import client_of, is_refused
from hack.demo_policies import judge_mesh
from hack.tools.binaries import get_binary
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.s3_moto import Moto
from hack.tools.s3_rgw import Rgw
from hack.tools.store import Store
from tests.support.installation import NAMESPACE, ROOT, Installation, git_describe

EXAMPLE = ROOT / "examples" / "retail"
TEAM = ROOT / "examples" / "team" / "profile.yaml"
OBJECT, BODY = "daily/hello.txt", b"one row per order line\n"


def say(text: str = "") -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(title: str, facts: dict[str, Any]) -> Iterator[None]:
    """Announce a step and note how long it took."""
    started = time.monotonic()
    say(f"\n==> {title}")
    yield
    facts.setdefault("seconds", {})[title] = round(time.monotonic() - started, 2)


def manifests(file: str, store: Store) -> list[dict[str, Any]]:
    """The objects of an example file, with the endpoint of the store that was started."""
    found = list(yaml.safe_load_all((EXAMPLE / file).read_text()))
    for manifest in found:
        if manifest["kind"] == "ObjectStore":
            manifest["spec"].update(endpointUrl=store.endpoint, region=store.region)
    return found


def build_mesh(mesh: Installation, store: Store) -> None:
    """Store, domains, products; each waited for as a user would."""
    mesh.give_credentials(store)
    mesh.apply(*manifests("00-store.yaml", store), *manifests("10-domains.yaml", store))
    mesh.cluster.kubectl("wait", "objectstores,domains", "--all", "--for=condition=Ready", "--timeout=60s")
    mesh.apply(*manifests("20-products.yaml", store))
    mesh.cluster.kubectl("wait", "dataproducts", "--all", "-A", "--for=condition=Ready", "--timeout=60s")


def use_mesh(mesh: Installation, store: Store) -> dict[str, bool]:
    """Write and read with the product's own key; the same object without a key, and with another product's."""
    own, bucket = client_of(mesh, store, "orders-producer", "sales")
    other, _ = client_of(mesh, store, "stock-levels-producer", "inventory")
    anonymous = anonymous_client(store)
    own.put_object(Bucket=bucket, Key=OBJECT, Body=BODY)
    return {
        "written and read back with the producer's own Secret": own.get_object(Bucket=bucket, Key=OBJECT)["Body"].read() == BODY,
        "refused to an anonymous caller": is_refused(lambda: anonymous.get_object(Bucket=bucket, Key=OBJECT)),
        "refused to another product's key": is_refused(lambda: other.get_object(Bucket=bucket, Key=OBJECT)),
    }


def share_mesh(mesh: Installation, store: Store, facts: dict[str, Any]) -> dict[str, bool]:
    """Ask, wait, grant, read, revoke."""
    access.produce(mesh, store)
    mesh.apply(*manifests("30-requests.yaml", store))
    asked = access.ask(mesh, store)
    say(mesh.cluster.kubectl("get", "areq,agrant", "-A"))
    mesh.apply(*manifests("40-grant.yaml", store))
    granted, reads = access.use_grant(mesh, store)
    say(mesh.cluster.kubectl("get", "areq,agrant", "-A"))
    ended, seconds = access.cut_off(mesh, reads)
    facts["revokedAfterSeconds"] = round(seconds, 3)
    return {**asked, **granted, **ended}


def show_team(mesh: Installation) -> dict[str, bool]:
    """The profile of a team, one of whom has to learn something again."""
    mesh.apply(*yaml.safe_load_all(TEAM.read_text()))
    mesh.wait("domainprofile", "sales", "sales", condition="TrainingOverdue")
    say(mesh.cluster.kubectl("get", "domainprofiles", "-A"))
    status = mesh.get("domainprofile", "sales", "sales")["status"]
    say(next(found["message"] for found in status["conditions"] if found["type"] == "TrainingOverdue"))
    return {"one person's training is overdue, and the others are current": status["training"]["overdue"] == 1}


def show_checks(checks: dict[str, bool]) -> None:
    for what, held in checks.items():
        say(f"  {'yes' if held else 'NO '}  {what}")


def anonymous_client(store: Store) -> Any:
    """An S3 client that signs nothing."""
    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=store.endpoint, region_name=store.region, config=config)


def show_costs(mesh: Installation, store: Store, facts: dict[str, Any]) -> None:
    """Requests that the operator made, by the API server's audit log and the store's own count."""
    requests = mesh.cluster.audit.read(user=f"system:serviceaccount:{NAMESPACE}:")
    facts["kubernetesWrites"] = sum(request.writes for request in requests)
    facts["kubernetesReads"] = len(requests) - facts["kubernetesWrites"]
    facts["storeRequests"] = store.requests()
    say(f"the operator wrote {facts['kubernetesWrites']} and read {facts['kubernetesReads']} times from the API server;")
    say(f"the store counted {facts['storeRequests']} requests")


def stay_up(mesh: Installation, store: Store) -> None:
    """Wait for Ctrl-C, after saying how to look around."""
    say(f"""
It stays up until Ctrl-C. Look around in another terminal:

  export KUBECONFIG={mesh.cluster.kubeconfig}
  export PATH={get_binary("kubectl", say=say).parent}:$PATH
  kubectl get datamesh -A -o wide
  kubectl describe dataproduct orders -n sales
  kubectl get areq,agrant -A
  kubectl apply -f examples/retail/40-grant.yaml         # customer grants access again
  kubectl get secret orders-producer -n sales -o yaml
  kubectl explain dataproduct.spec.storage
  kubectl delete dataproduct deliveries -n inventory     # its bucket stays: deletionPolicy is Retain

The store is at {store.endpoint}; the operator's log is {", ".join(str(pod.log) for pod in mesh.kubelet.pods())}""")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def run(facts: dict[str, Any]) -> bool:
    """The whole demo; whether everything held."""
    make_store = Rgw if facts["store"] == "rgw" else Moto
    with contextlib.ExitStack() as stack:
        with step("a control plane and a store", facts):
            cluster = stack.enter_context(ControlPlane(say=say))
            store = stack.enter_context(make_store(say=say))
        with step("helm install --wait", facts):
            mesh = stack.enter_context(Installation(cluster, mesh="retail"))
        with step("kubectl apply, until everything is Ready", facts):
            build_mesh(mesh, store)
        say(cluster.kubectl("get", "datamesh", "-A"))
        with step("an object, written and read", facts):
            facts["checks"] = use_mesh(mesh, store)
            show_checks(facts["checks"])
        with step("a team, its profile and its training", facts):
            team = show_team(mesh)
            show_checks(team)
            facts["checks"] |= team
        with step("policies: what they find, waive and refuse", facts):
            judged = judge_mesh(mesh, say)
            show_checks(judged)
            facts["checks"] |= judged
        with step("access: asked for, granted, used, taken away", facts):
            shared = share_mesh(mesh, store, facts)
            show_checks(shared)
            facts["checks"] |= shared
        show_costs(mesh, store, facts)
        finish(facts)
        if not os.environ.get("CI"):
            stay_up(mesh, store)
    return all(facts["checks"].values())


def finish(facts: dict[str, Any]) -> None:
    """Totals, and the facts as JSON."""
    facts["seconds"]["total"] = round(sum(facts["seconds"].values()), 2)
    target = ROOT / "build" / "demo.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(facts, indent=2) + "\n")
    say(f"{facts['seconds']['total']} s in all; facts in build/demo.json")


def main() -> int:
    """0 where everything held."""
    facts: dict[str, Any] = {"commit": git_describe(), "store": os.environ.get("STORE", "moto")}
    try:
        return 0 if run(facts) else 1
    except (ToolError, TimeoutError) as error:
        say(f"\nthe demo failed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
