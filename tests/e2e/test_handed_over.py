"""A namespace of a Domain that was forced away, as another Domain has it, on the real API server with the operator's own rights."""

from tests.e2e.actors import BREAK_GLASS, Actors
from tests.support.manifests import a_domain

LAB = "handed-over"
CONSENT = "clouddatamesh.dev/adopt-by=heir"
MARKS = ("clouddatamesh.dev/domain-", "clouddatamesh.dev/held-by-", "clouddatamesh.dev/released-by-")


def owned_by(*names: str) -> dict[str, object]:
    return {"owners": [{"kind": "User", "name": name} for name in names]}


def forced_away(mesh: Actors, name: str) -> None:
    """A suspended Domain waits; whoever may act in the operator's place takes its finalizer off."""
    kubectl = mesh.installed.cluster.kubectl
    kubectl("delete", "domain", name, "--wait=false")
    who = ("--as=anna", f"--as-group={BREAK_GLASS}", "--as-group=system:masters")
    kubectl("patch", "domain", name, "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]', *who)
    mesh.installed.until(lambda: not mesh.installed.get("domain", name), what="the end of the Domain")


def test_an_heir_takes_what_a_domain_that_was_forced_away_left(mesh: Actors) -> None:
    installed, kubectl = mesh.installed, mesh.installed.cluster.kubectl
    former = a_domain("former", namespaces=[{"name": LAB}], access=owned_by("ann") | {"viewers": owned_by("bob")["owners"]})
    installed.apply(former)
    installed.wait("domain", "former")
    installed.apply({**former, "spec": {**former["spec"], "suspend": True}})
    forced_away(mesh, "former")
    kubectl("label", "namespace", LAB, MARKS[0])
    kubectl("annotate", "namespace", LAB, "--overwrite", CONSENT, *MARKS[1:])
    installed.apply(a_domain("heir", namespaces=[{"name": LAB}], namespaceAdoption="IfConsented", access=owned_by("kim")))
    installed.wait("domain", "heir")
    assert [subject["name"] for subject in installed.get("rolebinding", "clouddatamesh-owners", LAB)["subjects"]] == ["kim"]
    assert not installed.get("rolebinding", "clouddatamesh-viewers", LAB)
    kubectl("delete", "domain", "heir", "--wait=true", "--timeout=60s")
