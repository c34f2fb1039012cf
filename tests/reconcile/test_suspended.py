"""spec.suspend of a Domain: what takes away is done, and nothing else."""

from typing import Any

from clouddatamesh.model.objects import Key
from tests.support.manifests import a_domain
from tests.support.mesh import Mesh

OWNERS = Key("RoleBinding", "sales", "clouddatamesh-owners")


def test_a_suspended_domain_takes_away_and_gives_nothing() -> None:
    mesh = Mesh().apply(a_domain(namespaces=[{"name": "sales"}, {"name": "lab"}])).settle()
    assert mesh.cluster.get(OWNERS) is not None
    wish: dict[str, Any] = {"namespaces": [{"name": "sales"}, {"name": "shop"}], "access": {"viewers": [{"kind": "Group", "name": "all"}]}}
    mesh.apply(a_domain(**wish, suspend=True)).settle()
    assert mesh.cluster.get(OWNERS) is None
    assert "clouddatamesh.dev/domain" not in mesh.get("Namespace", "lab")["metadata"].get("labels", {})
    assert not mesh.exists("Namespace", "shop")
    assert not mesh.exists("RoleBinding", "clouddatamesh-viewers", "sales")
    mesh.apply(a_domain(**wish, suspend=False)).settle()
    assert mesh.exists("Namespace", "shop")
    assert mesh.exists("RoleBinding", "clouddatamesh-viewers", "sales")
