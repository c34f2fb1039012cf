"""What becomes of a Domain's children where others change them: emptied, hidden from the cache, left in a namespace that is let go."""

from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from tests.support.driven import Driven
from tests.support.manifests import a_domain
from tests.support.mesh import Mesh

LIMITS: dict[str, Any] = {
    "quota": {"pods": "9"},
    "limitRange": {"default": {"cpu": "500m"}},
    "networkIsolation": {"mode": "Domain"},
}


def people(*names: str) -> list[dict[str, str]]:
    return [{"kind": "User", "name": name} for name in names]


def child(kind: str, name: str = "clouddatamesh", namespace: str = "sales") -> Key:
    return Key(kind, namespace, name)


OWNERS, VIEWERS = child("RoleBinding", "clouddatamesh-owners"), child("RoleBinding", "clouddatamesh-viewers")


def who(mesh: Mesh, key: Key = OWNERS) -> list[str] | None:
    """Who has the role of a binding, whether or not the cache shows it; None where there is none."""
    found = mesh.cluster.raw(key)
    return None if found is None else [subject["name"] for subject in found["subjects"]]


EMPTIED = [
    (child("ResourceQuota"), {"spec": {}}),
    (child("ResourceQuota"), {"spec": None}),
    (child("ResourceQuota"), {"spec": {"hard": None}}),
    (child("LimitRange"), {"spec": None}),
    (child("LimitRange"), {"spec": {"limits": None}}),
    (child("NetworkPolicy"), {"spec": None}),
    (child("NetworkPolicy"), {"spec": {"podSelector": {}, "ingress": None}}),
    (VIEWERS, {"subjects": None}),
]


@pytest.mark.parametrize(("key", "body"), EMPTIED, ids=str)
def test_a_child_that_somebody_emptied_is_repaired_and_keeps_nothing_else_waiting(key: Key, body: dict[str, Any]) -> None:
    access = {"owners": people("kim", "leaver"), "viewers": people("lee")}
    mesh = Mesh().apply(a_domain(resources=LIMITS, access=access)).settle()
    before = mesh.cluster.get(key)
    assert before is not None
    mesh.apply({**before, **body})
    mesh.apply(a_domain(resources=LIMITS, access={**access, "owners": people("kim")}))
    Driven(mesh).run(minutes=1)
    after = mesh.cluster.get(key)
    assert after is not None
    assert [after.get(part) for part in ("spec", "subjects")] == [before.get(part) for part in ("spec", "subjects")]
    assert who(mesh) == ["kim"]
    assert mesh.condition("Domain", "sales")["reason"] == "Ready"
