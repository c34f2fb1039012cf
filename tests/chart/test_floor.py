"""The oldest API server that the chart allows takes CRDs, roles, policies and everything else that the newest one takes."""

import json
from collections.abc import Iterator

import pytest
import yaml

from hack.tools.binaries import FLOOR
from hack.tools.controlplane import ControlPlane
from tests.chart.rendering import objects_in
from tests.chart.test_rendering import CASES, as_text
from tests.chart.test_server import prepare, try_out
from tests.support.installation import CHART

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def floor() -> Iterator[ControlPlane]:
    """A control plane whose API server is of the `kubeVersion` in Chart.yaml."""
    with ControlPlane(apiserver=FLOOR) as cluster:
        yield prepare(cluster)


def test_it_is_the_version_of_the_chart(floor: ControlPlane) -> None:
    served = json.loads(floor.kubectl("version", "-o", "json"))["serverVersion"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={served['major']}.{served['minor']}.0-0"


@pytest.mark.parametrize("case", CASES)
def test_it_takes_every_object_without_a_warning(floor: ControlPlane, case: str) -> None:
    objects = objects_in(as_text(case))
    assert try_out(floor, objects) == len(objects)


def test_helm_installs_on_it(floor: ControlPlane) -> None:
    """CRDs and policies for real: the API server compiles every rule, and refuses one that costs too much."""
    values = ("--set", "mesh=acme", "--set", "replicas=0", "--create-namespace", "--namespace", "mesh")
    floor.helm("install", "clouddatamesh", str(CHART), *values)
    floor.kubectl("wait", "--for=condition=Established", "crd", "dataproducts.clouddatamesh.dev", "--timeout=30s")
