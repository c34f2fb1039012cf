"""`clouddatamesh doctor` knows the objects of the chart by the names and labels that the chart gives them."""

import pytest

from clouddatamesh import __version__
from clouddatamesh.doctor.guards import GUARDS
from clouddatamesh.doctor.policies import judge
from clouddatamesh.doctor.release import release_of
from clouddatamesh.doctor.subject import CONTAINER, DEPLOYMENT
from clouddatamesh.doctor.versions import version_of
from tests.chart.rendering import objects_in, of_kind, pod_of, render_text

KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def names_of(*values: str) -> set[str]:
    """The policies that the chart renders, each of which has a binding of its name."""
    objects = objects_in(render_text(*values))
    policies, bindings = (set(of_kind(objects, kind)) for kind in KINDS)
    assert policies == bindings
    return policies


def test_every_policy_of_the_chart_is_missed_where_it_is_absent() -> None:
    assert names_of() == {name for names, _ in GUARDS.values() for name in names}


@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_each_guard_is_known_by_the_value_that_switches_it_off(guard: str) -> None:
    assert names_of() - names_of(f"guard.{guard}=false") == set(GUARDS[guard][0])


def test_the_policies_of_the_chart_are_sound_to_the_doctor() -> None:
    objects = objects_in(render_text())
    policies, bindings = (of_kind(objects, kind) for kind in KINDS)
    for name, policy in policies.items():
        assert list(judge(name, policy, bindings[name], version=__version__)) == []


def test_the_operators_pods_are_found() -> None:
    objects = objects_in(render_text())
    assert release_of(of_kind(objects, "Deployment")[DEPLOYMENT]) == "clouddatamesh"
    assert version_of(of_kind(objects, "Deployment")[DEPLOYMENT]) == __version__
    template = pod_of(objects)
    assert template["metadata"]["labels"].items() >= {
        ("app.kubernetes.io/name", "clouddatamesh"),
        ("app.kubernetes.io/component", "operator"),
    }
    container = next(one for one in template["spec"]["containers"] if one["name"] == CONTAINER)
    assert [port["name"] for port in container["ports"]] == ["health"]
