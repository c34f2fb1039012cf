"""An uninstall leaves the CRDs and all objects, and a release of another name takes them over. The operator itself does not run."""

import json
from collections.abc import Iterator

import pytest
import yaml

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from tests.support.installation import CHART
from tests.support.manifests import a_domain, a_product, a_request, a_store

pytestmark = pytest.mark.real
VALUES = ("--set", "mesh=acme", "--set", "replicas=0", "--create-namespace")


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """One of its own: the chart's names are fixed, and its policies hold for the whole cluster."""
    with ControlPlane() as found:
        yield found


@pytest.fixture(scope="module")
def left(cluster: ControlPlane) -> dict[str, str]:
    """Objects with finalizers under the release `clouddatamesh`, which is then uninstalled: name -> UID."""
    cluster.helm("install", "clouddatamesh", str(CHART), "--namespace", "mesh-one", *VALUES)
    cluster.kubectl("create", "namespace", "sales")
    objects = (a_store(), a_domain(), a_product(), a_request(namespace="sales"))
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    before = uids(cluster)
    assert len(before) == len(objects)
    cluster.helm("uninstall", "clouddatamesh", "--namespace", "mesh-one")
    return before


def uids(cluster: ControlPlane) -> dict[str, str]:
    found = json.loads(cluster.kubectl("get", "datamesh", "--all-namespaces", "-o", "json"))["items"]
    return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in found}


def test_an_uninstall_leaves_every_object_and_takes_all_else(cluster: ControlPlane, left: dict[str, str]) -> None:
    assert uids(cluster) == left
    kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings"
    mine = ("-l", "app.kubernetes.io/instance=clouddatamesh", "-o", "name")
    assert cluster.kubectl("get", kinds, *mine) == ""
    assert cluster.kubectl("get", "all,networkpolicies,pdb,serviceaccounts", "-n", "mesh-one", *mine) == ""


def test_a_release_of_another_name_says_what_stands_in_its_way(cluster: ControlPlane, left: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="invalid ownership metadata"):
        cluster.helm("install", "mesh", str(CHART), "--namespace", "mesh-two", *VALUES)
    assert uids(cluster) == left


def test_it_takes_the_objects_over_by_a_flag(cluster: ControlPlane, left: dict[str, str]) -> None:
    cluster.helm("upgrade", "--install", "mesh", str(CHART), "--namespace", "mesh-two", *VALUES, "--take-ownership")
    crd = json.loads(cluster.kubectl("get", "crd", "dataproducts.clouddatamesh.dev", "-o", "json"))["metadata"]
    assert crd["annotations"]["meta.helm.sh/release-name"] == "mesh"
    assert crd["annotations"]["meta.helm.sh/release-namespace"] == "mesh-two"
    assert crd["labels"]["app.kubernetes.io/instance"] == "mesh"
    assert uids(cluster) == left
    cluster.helm("upgrade", "mesh", str(CHART), "--namespace", "mesh-two", *VALUES)
    assert uids(cluster) == left
