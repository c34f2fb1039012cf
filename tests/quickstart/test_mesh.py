"""The Job that creates the retail mesh, on an API server that is a dictionary."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from hack.tools.children import ROOT
from hack.tools.engines import QUICKSTART
from quickstart import mesh as quickstart
from quickstart.cluster import LABELS, PLURALS, Manifest
from quickstart.mesh import Mesh, QuickstartError, make_mesh, name_of, read_manifests

RETAIL = Mesh(ROOT / "examples" / "retail", "http://store.example:9000", "root-key", seconds=0.05)
READY = {"conditions": [{"type": "Ready", "status": "True", "message": "Everything is there"}]}
REFUSED = {"conditions": [{"type": "Ready", "status": "False", "message": "The store refused the credentials"}]}


class FakeCluster:
    """Remembers what was created; every object has the status that `answers` says for its name."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]] | None = None, *, stores: list[Manifest] | None = None) -> None:
        self.answers, self.stores = answers or {}, [] if stores is None else stores
        self.objects: dict[str, Manifest] = {}
        self.served = True

    def create(self, manifest: Manifest) -> bool:
        assert manifest["kind"] in PLURALS
        is_new = name_of(manifest) not in self.objects
        self.objects.setdefault(name_of(manifest), manifest)
        return is_new

    def get(self, kind: str, name: str, namespace: str) -> Manifest:
        found = name_of({"kind": kind, "metadata": {"name": name, "namespace": namespace}})
        return {**self.objects[found], "status": self.answers.get(found, READY)}

    def list_stores(self) -> list[Manifest] | None:
        return self.stores if self.served else None


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "_PAUSE", 0.001)


def test_the_mesh_is_the_example_on_the_store_of_the_quickstart() -> None:
    written = [found for file in sorted(RETAIL.folder.glob("*.yaml")) for found in yaml.safe_load_all(file.read_text())]
    made = list(read_manifests(RETAIL))
    assert [name_of(found) for found in made] == [name_of(found) for found in written if found["kind"] != "AccessGrant"]
    assert made[0]["spec"]["endpointUrl"] == "http://store.example:9000"
    assert made[0]["spec"]["credentialsSecretRef"] == {"name": "root-key"}
    assert made[1:] == [found for found in written if found["kind"] not in ("AccessGrant", "ObjectStore")]


def test_what_is_there_is_said_and_left() -> None:
    cluster, said = FakeCluster(), list[str]()
    make_mesh(cluster, RETAIL, said.append)
    assert "DataProduct sales/orders created" in said
    assert len(cluster.objects) == len(said) == 1 + 3 + 5 + 2
    make_mesh(cluster, RETAIL, said.append)
    assert "DataProduct sales/orders exists and is left as it is" in said


@pytest.mark.parametrize(
    ("status", "message"), [(REFUSED, "The store refused the credentials"), ({}, "the operator has not looked at it yet")]
)
def test_products_wait_for_domains_and_the_error_says_why(status: Mapping[str, Any], message: str) -> None:
    cluster = FakeCluster({"Domain sales": status})
    with pytest.raises(QuickstartError, match=f"Domain sales: {message}"):
        make_mesh(cluster, RETAIL, lambda _: None)
    assert not [name for name in cluster.objects if name.startswith("DataProduct")]


def test_it_creates_nothing_beside_a_store_of_somebody_else() -> None:
    own = {"kind": "ObjectStore", "metadata": {"name": "main", "labels": {**LABELS, "more": "yes"}}}
    other = {"kind": "ObjectStore", "metadata": {"name": "theirs"}}
    cluster = FakeCluster(stores=[own, other])
    with pytest.raises(QuickstartError, match=r"^ObjectStore theirs exists: .*set quickstart.enabled=false"):
        make_mesh(cluster, RETAIL, lambda _: None)
    assert not cluster.objects
    cluster.stores = [own]
    make_mesh(cluster, RETAIL, lambda _: None)


def test_crds_that_are_not_served_are_named() -> None:
    cluster = FakeCluster()
    cluster.served = False
    with pytest.raises(QuickstartError, match=re.escape("install the CRDs of the chart (crds.enabled=true)")):
        make_mesh(cluster, RETAIL, lambda _: None)


def test_page_and_examples_name_the_image_that_is_built() -> None:
    for name in ("write", "read"):
        job = yaml.safe_load((ROOT / "examples" / "quickstart" / f"{name}.yaml").read_text())
        assert job["spec"]["template"]["spec"]["containers"][0]["image"] == QUICKSTART.name
    assert f"--tag {QUICKSTART.name} " in (ROOT / "docs" / "getting-started.md").read_text()
