"""The oldest API server that the chart allows takes CRDs, roles, policies and everything else that the newest one takes."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from hack.tools.binaries import FLOOR
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from tests.chart.rendering import objects_in
from tests.chart.test_rendering import APPLIED, as_text
from tests.chart.test_server import prepare, try_out
from tests.e2e.cases import a_port, without
from tests.support.installation import CHART, ROOT
from tests.support.manifests import a_product, a_store

pytestmark = pytest.mark.real


AS_ADMIN = ("--as=admin", "--as-group=system:masters", "--as-group=clouddatamesh:break-glass")
"""Who may write status in place of the operator."""


@dataclass(frozen=True)
class Place:
    """A field of a CRD."""

    crd: str
    field: tuple[str, ...]

    @property
    def pointer(self) -> str:
        return "/".join(("/spec/versions/0/schema/openAPIV3Schema", *self.field))

    def rules(self) -> list[dict[str, Any]]:
        """Its rules, in the order in which they were added."""
        plural, _, group = self.crd.partition(".")
        schema = yaml.safe_load((ROOT / "crds" / f"{group}_{plural}.yaml").read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for name in self.field:
            schema = schema[name]
        return list(schema["x-kubernetes-validations"])


STORE = Place("objectstores.clouddatamesh.dev", ("properties", "spec"))
PRODUCT = Place("dataproducts.clouddatamesh.dev", ("properties", "spec"))
PORT = Place("dataproducts.clouddatamesh.dev", ("properties", "spec", "properties", "outputPorts", "items", "properties", "access"))


def accepts(cluster: ControlPlane, manifest: dict[str, Any]) -> bool:
    """Whether the API server would take an object."""
    try:
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    except ToolError:
        return False
    return True


def apply_rules(cluster: ControlPlane, place: Place, rules: list[dict[str, Any]], *, then: tuple[dict[str, Any], bool]) -> None:
    """Exchange the rules of a field, until the API server accepts an object by them, or does not."""
    change = [{"op": "replace", "path": f"{place.pointer}/x-kubernetes-validations", "value": rules}]
    cluster.kubectl("patch", "crd", place.crd, "--type=json", "-p", json.dumps(change))
    manifest, accepted = then
    deadline = time.monotonic() + 90
    while accepts(cluster, manifest) is not accepted:
        assert time.monotonic() < deadline, f"rules do not change the answer to {manifest}"
        time.sleep(0.2)


def store_as_before(cluster: ControlPlane, place: Place, manifest: dict[str, Any]) -> None:
    """Make an object that the last rule of a field refuses, as one that is older than the rule; it has a finalizer of its own."""
    rules = place.rules()
    metadata = {**manifest["metadata"], "name": "old", "finalizers": ["example.com/held"]}
    apply_rules(cluster, place, rules[:-1], then=(manifest, True))
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({**manifest, "metadata": metadata}))
    apply_rules(cluster, place, rules, then=(manifest, False))


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
    floor.kubectl("wait", "--for=condition=Established", "crd", "dataproducts.clouddatamesh.dev", "--timeout=90s")


def test_a_store_that_a_new_rule_would_refuse_can_still_be_reported_on_and_deleted(floor: ControlPlane) -> None:
    """Its status as well, which the ratcheting of this version would refuse. Only a change of the baseline must heed the rule."""
    store_as_before(floor, STORE, without(a_store("new", baseline={"tlsOnly": "Off"}), "spec", "endpointUrl"))
    with pytest.raises(ToolError, match="every protection is Required; remove spec"):
        floor.kubectl("patch", "ostore", "old", "--type=merge", "-p", '{"spec": {"baseline": {"encryption": "Off"}}}')
    floor.kubectl("annotate", "ostore", "old", "example.com/seen=yes")
    floor.kubectl("patch", "ostore", "old", "--subresource=status", "--type=merge", "-p", '{"status": {"provider": "aws"}}', *AS_ADMIN)
    floor.kubectl("delete", "ostore", "old", "--wait=false")
    floor.kubectl("patch", "ostore", "old", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    floor.kubectl("wait", "--for=delete", "ostore", "old", "--timeout=60s")


def test_a_port_that_a_new_rule_would_refuse_can_still_be_edited_reported_on_and_deleted(floor: ControlPlane) -> None:
    """Only a change of the two durations, or of the port's version, must heed the rule."""
    floor.kubectl("create", "namespace", "sales")
    ports = [a_port(access={"minDuration": "2h", "maxDuration": "90m"}), a_port("hourly", path="hourly/")]
    store_as_before(floor, PORT, a_product("new", outputPorts=ports))

    def change(place: str, value: object, *flags: str) -> None:
        patch = json.dumps([{"op": "add", "path": place, "value": value}])
        floor.kubectl("patch", "dataproduct", "old", "-n", "sales", "--type=json", "-p", patch, *flags)

    for place, value in (("/spec/outputPorts/0/access/maxDuration", "1h30m"), ("/spec/outputPorts/0/version", "1.0.1")):
        with pytest.raises(ToolError, match=r"access\.minDuration is longer than access\.maxDuration; lower access\.minDuration, or"):
            change(place, value)
    change("/spec/displayName", "Edited")
    change("/spec/outputPorts/0/access/modes", ["ReadOnly", "WriteOnly"])
    change("/spec/outputPorts/1/access/maxDuration", "30d")
    change("/status", {"observedGeneration": 1}, "--subresource=status", *AS_ADMIN)
    change("/spec/outputPorts/0/access/minDuration", "90m")
    floor.kubectl("delete", "dataproduct", "old", "-n", "sales", "--wait=false")
    change("/metadata/finalizers", [])
    floor.kubectl("wait", "--for=delete", "dataproduct", "old", "-n", "sales", "--timeout=60s")


def test_a_support_link_that_a_new_rule_would_refuse_can_still_be_kept_reported_on_and_deleted(floor: ControlPlane) -> None:
    """Only a change of the list of support channels must heed the rule."""
    floor.kubectl("create", "namespace", "inventory")
    manifest = a_product("new", "inventory", support=[{"channel": "#sales", "url": "irc://chat.test/sales"}])
    store_as_before(floor, PRODUCT, manifest)

    def patch(change: dict[str, Any], *flags: str) -> None:
        floor.kubectl("patch", "dataproduct", "old", "-n", "inventory", "--type=merge", "-p", json.dumps(change), *flags)

    with pytest.raises(ToolError, match=r"A url of spec\.support is not a link that is allowed"):
        patch({"spec": {"support": [{"channel": "#other", "url": "irc://chat.test/sales"}]}})
    patch({"spec": {"displayName": "Edited"}})
    patch({"status": {"observedGeneration": 1}}, "--subresource=status", *AS_ADMIN)
    patch({"spec": {"support": [{"channel": "#sales", "url": "https://chat.test/sales"}]}})
    floor.kubectl("delete", "dataproduct", "old", "-n", "inventory", "--wait=false")
    patch({"metadata": {"finalizers": None}})
    floor.kubectl("wait", "--for=delete", "dataproduct", "old", "-n", "inventory", "--timeout=60s")
