"""The oldest API server that the chart allows takes CRDs, roles, policies and everything else that the newest one takes."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hack.tools.binaries import FLOOR
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from tests.chart.rendering import objects_in
from tests.chart.test_rendering import APPLIED, as_text
from tests.chart.test_server import prepare, try_out
from tests.e2e.cases import without
from tests.support.installation import CHART, ROOT
from tests.support.manifests import a_store

pytestmark = pytest.mark.real


AS_ADMIN = ("--as=admin", "--as-group=system:masters", "--as-group=clouddatamesh:break-glass")
"""Who may write status in place of the operator."""
STORES = "objectstores.clouddatamesh.dev"


def accepts(cluster: ControlPlane, manifest: dict[str, Any]) -> bool:
    """Whether the API server would take an object."""
    try:
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    except ToolError:
        return False
    return True


def apply_rules(cluster: ControlPlane, rules: list[dict[str, str]], old: dict[str, Any], *, accepted: bool) -> None:
    """Exchange the rules of an ObjectStore's spec, until the API server judges by them."""
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations"
    cluster.kubectl("patch", "crd", STORES, "--type=json", "-p", json.dumps([{"op": "replace", "path": path, "value": rules}]))
    deadline = time.monotonic() + 20
    while accepts(cluster, old) is not accepted:
        assert time.monotonic() < deadline, f"rules do not change the answer to {old}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def floor() -> Iterator[ControlPlane]:
    """A control plane whose API server is of the `kubeVersion` in Chart.yaml."""
    with ControlPlane(apiserver=FLOOR) as cluster:
        yield prepare(cluster)


def test_it_is_the_version_of_the_chart(floor: ControlPlane) -> None:
    served = json.loads(floor.kubectl("version", "-o", "json"))["serverVersion"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={served['major']}.{served['minor']}.0-0"


@pytest.mark.parametrize("case", APPLIED)
def test_it_takes_every_object_without_a_warning(floor: ControlPlane, case: str) -> None:
    objects = objects_in(as_text(case))
    assert try_out(floor, objects) == len(objects)


def test_helm_installs_on_it(floor: ControlPlane) -> None:
    """CRDs and policies for real: the API server compiles every rule, and refuses one that costs too much."""
    values = ("--set", "mesh=acme", "--set", "replicas=0", "--create-namespace", "--namespace", "mesh")
    floor.helm("install", "clouddatamesh", str(CHART), *values)
    floor.kubectl("wait", "--for=condition=Established", "crd", "dataproducts.clouddatamesh.dev", "--timeout=30s")


def test_a_store_that_a_new_rule_would_refuse_can_still_be_reported_on_and_deleted(floor: ControlPlane) -> None:
    """Its status as well, which the ratcheting of this version would refuse. Only a change of the baseline must heed the rule."""
    new = without(a_store("new", baseline={"tlsOnly": "Off"}), "spec", "endpointUrl")
    old = {**new, "metadata": {"name": "old", "finalizers": ["example.com/held"]}}
    crd = yaml.safe_load((ROOT / "crds" / "clouddatamesh.dev_objectstores.yaml").read_text())
    rules = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"]
    apply_rules(floor, rules[:1], new, accepted=True)
    floor.kubectl("create", "-f", "-", stdin=json.dumps(old))
    apply_rules(floor, rules, new, accepted=False)
    with pytest.raises(ToolError, match="every protection is Required; remove spec"):
        floor.kubectl("patch", "ostore", "old", "--type=merge", "-p", '{"spec": {"baseline": {"encryption": "Off"}}}')
    floor.kubectl("annotate", "ostore", "old", "example.com/seen=yes")
    floor.kubectl("patch", "ostore", "old", "--subresource=status", "--type=merge", "-p", '{"status": {"provider": "aws"}}', *AS_ADMIN)
    floor.kubectl("delete", "ostore", "old", "--wait=false")
    floor.kubectl("patch", "ostore", "old", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    floor.kubectl("wait", "--for=delete", "ostore", "old", "--timeout=10s")
