"""Namespaces without marks in which a Domain's children are left: what leads to them, and what is somebody else's."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.children import ADDITIONAL
from clouddatamesh.reconcile.children import find_former, find_marked, is_close_look
from clouddatamesh.reconcile.parse import parse
from tests.reconcile.test_children import people
from tests.reconcile.test_forgotten_namespaces import lose_status, replace_namespace
from tests.support.manifests import a_domain, a_store
from tests.support.mesh import Mesh

KINDS: Final = ("RoleBinding", "NetworkPolicy", "ResourceQuota", "LimitRange")
Act = Callable[[Mesh], Any]


@cache
def _settled() -> Mesh:
    both = [{"name": "sales"}, {"name": "lab"}]
    return (
        Mesh()
        .apply(
            a_store(),
            a_domain(namespaces=both, access={"owners": people("kim")}, resources={"quota": {"pods": "9"}}),
            a_domain("inventory"),
        )
        .settle()
    )


def strip(mesh: Mesh) -> None:
    replace_namespace(mesh, "lab")
    lose_status(mesh)


def in_lab(mesh: Mesh) -> list[Key]:
    return [key for key in mesh.cluster.all_keys() if key.namespace == "lab" and key.kind in KINDS]


def copy_all(mesh: Mesh) -> None:
    """A team's own tool deletes them and writes them again, with marks and labels."""
    for key in in_lab(mesh):
        body = mesh.get(key.kind, key.name, key.namespace)
        kept = {name: body["metadata"][name] for name in ("name", "namespace", "labels", "annotations")}
        mesh.cluster.user_delete(key)
        mesh.apply({**{part: value for part, value in body.items() if part != "status"}, "metadata": kept})


def leave_roles(mesh: Mesh) -> None:
    """Of all children only one whose name somebody else may have made as well."""
    binding = mesh.get("RoleBinding", "clouddatamesh-owners", "lab")
    kept = {**binding["metadata"], "name": f"{ADDITIONAL}view"}
    for key in in_lab(mesh):
        mesh.cluster.user_delete(key)
    mesh.cluster.create({**binding, "metadata": {name: kept[name] for name in ("name", "namespace", "labels", "annotations")}})


def found(*acts: Act, name: str = "sales") -> tuple[set[str], set[str]]:
    """The namespaces, and those of which that is not known."""
    mesh = _settled().copy()
    for act in acts:
        act(mesh)
    domain = parse(Domain, mesh.get("Domain", name))
    former, unread = find_former(domain, find_marked("sales", mesh.cluster), mesh.ports)
    return set(former), set(unread)


def hide_answers(mesh: Mesh) -> None:
    mesh.cluster.unreadable.update(KINDS)


def hide_bindings(mesh: Mesh) -> None:
    mesh.cluster.unreadable.add("RoleBinding")


@pytest.mark.parametrize(
    ("acts", "former", "unread"),
    [
        ((), set(), set()),
        ((lambda mesh: replace_namespace(mesh, "lab"),), set(), set()),
        ((lose_status,), set(), set()),
        ((strip,), {"lab"}, set()),
        ((strip, copy_all), set(), set()),
        ((strip, leave_roles), set(), set()),
        ((strip, hide_answers), set(), {"lab"}),
        ((strip, hide_bindings), {"lab"}, set()),
    ],
    ids=[
        "everything is there",
        "status knows it",
        "its marks tell",
        "nothing else tells",
        "copies of a team",
        "a role that somebody may have made",
        "nothing can be read",
        "one kind cannot be read",
    ],
)
def test_what_leads_to_a_namespace_that_lost_its_marks(acts: tuple[Act, ...], former: set[str], unread: set[str]) -> None:
    assert found(*acts) == (former, unread)


def test_children_of_another_domain_lead_nowhere() -> None:
    assert found(strip, name="inventory") == (set(), set())


@pytest.mark.parametrize(
    ("status", "always"),
    [
        ({}, False),
        ({"observedGeneration": 7}, True),
        ({"conditions": []}, True),
        ({"conditions": [{"type": "Ready", "status": "False", "reason": "NotOwned"}]}, True),
        ({"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Pending"}]}, False),
    ],
    ids=["Ready", "of another generation", "not looked at", "not Ready", "unknown"],
)
def test_a_look_is_close_after_a_change_and_once_an_hour(status: dict[str, Any], always: bool) -> None:
    mesh = _settled().copy()
    manifest = mesh.get("Domain", "sales")
    seen = {**manifest, "status": {**manifest["status"], **status}}
    close = [is_close_look(seen, mesh.clock.now() + timedelta(minutes=10 * turn)) for turn in range(6)]
    assert sum(close) == (6 if always else 1)
