"""The starter pack as Helm brings it, changes it and takes it away, on a mesh that runs: it reports, and stops nothing."""

from collections.abc import Iterator

import pytest
import yaml

from hack.tools.children import ToolError
from tests.e2e.actors import Actors
from tests.support.installation import CHART, NAMESPACE, RELEASE
from tests.support.manifests import a_domain

HOME = "starters"
PACK = {one["metadata"]["name"]: one for one in yaml.safe_load((CHART / "files" / "starterpack.yaml").read_text())["policies"]}
BROKEN = {"starter-ownership/owner-named", "starter-ownership/support-named", "starter-documentation/purpose-said"}
"""By a product with a name, a bucket and nothing else."""


def upgrade(mesh: Actors, *, enabled: bool, flags: tuple[str, ...] = ()) -> None:
    """As docs/starter-pack.md says: an upgrade of the running release that changes nothing else."""
    values = ("--reset-then-reuse-values", "--set", f"governance.starterPack.enabled={str(enabled).lower()}")
    mesh.installed.cluster.helm("upgrade", RELEASE, str(CHART), "-n", NAMESPACE, "--wait", "--timeout", "180s", *values, *flags)


def pack_in(mesh: Actors) -> set[str]:
    return {one["metadata"]["name"] for one in mesh.installed.all("governancepolicies")} & PACK.keys()


def broken(mesh: Actors, name: str) -> set[str]:
    """Rules of the pack that a product breaks, by its own status."""
    compliance = mesh.product(name, HOME).get("status", {}).get("compliance") or {}
    found = {f"{one['policy'].partition('/')[2]}/{one['rule']}" for one in compliance.get("violations", ())}
    return {one for one in found if one.partition("/")[0] in PACK}


@pytest.fixture(scope="module")
def started(mesh: Actors) -> Iterator[Actors]:
    """A mesh with a product that says nothing of itself, before the pack comes; the pack goes again, whatever fails."""
    mesh.installed.apply(a_domain(HOME))
    mesh.installed.wait("domain", HOME, seconds=60)
    mesh.make("silent", HOME, description={"purpose": "no"}, owner={"name": "Kim Roe"})
    try:
        upgrade(mesh, enabled=True)
        yield mesh
    finally:
        if pack_in(mesh):
            upgrade(mesh, enabled=False, flags=("--force-conflicts",))
        mesh.installed.until(lambda: not [one for one in mesh.installed.all("dataproducts") if judged(one)], seconds=60, what="no verdicts")


def judged(product: dict[str, object]) -> bool:
    return "starter-" in str(product.get("status"))


def test_every_policy_of_the_pack_is_ready(started: Actors) -> None:
    assert pack_in(started) == set(PACK)
    started.installed.wait_all("governancepolicy", PACK, seconds=60)


def test_what_a_silent_product_breaks_is_in_its_status_and_it_stays_ready(started: Actors) -> None:
    started.installed.until(lambda: broken(started, "silent") >= BROKEN, seconds=60, what="the violations")
    assert started.condition("silent", HOME)["status"] == "True"
    assert started.condition("silent", HOME, type_="PoliciesCompliant")["status"] == "False"


def test_a_copy_under_another_name_is_kept_when_the_release_is_upgraded(started: Actors) -> None:
    """The way that the page shows, with another enforcement."""
    own = {**PACK["starter-ownership"], "metadata": {"name": "acme-ownership"}}
    started.installed.apply({**own, "spec": {**own["spec"], "enforcement": "Warn"}})
    try:
        started.installed.wait("governancepolicy", "acme-ownership", seconds=60)
        upgrade(started, enabled=True)
        assert started.installed.get("governancepolicy", "acme-ownership")["spec"]["enforcement"] == "Warn"
    finally:
        started.installed.cluster.kubectl("delete", "governancepolicy", "acme-ownership")


def test_an_edit_of_the_packs_own_policy_is_not_kept(started: Actors) -> None:
    """Helm refuses the upgrade because of it, and does not lose it silently; who says so gets the pack's own again."""
    kubectl = started.installed.cluster.kubectl
    kubectl("patch", "governancepolicy", "starter-ownership", "--type=merge", "-p", '{"spec":{"enforcement":"Warn"}}')
    with pytest.raises(ToolError, match="conflict"):
        upgrade(started, enabled=True)
    assert started.installed.get("governancepolicy", "starter-ownership")["spec"]["enforcement"] == "Warn"
    upgrade(started, enabled=True, flags=("--force-conflicts",))
    assert started.installed.get("governancepolicy", "starter-ownership")["spec"]["enforcement"] == "Audit"


def test_without_the_pack_its_policies_and_their_verdicts_are_gone(started: Actors) -> None:
    upgrade(started, enabled=False)
    assert pack_in(started) == set()
    started.installed.until(lambda: not broken(started, "silent"), seconds=60, what="the end of the violations")
    started.installed.until(
        lambda: not started.condition("silent", HOME, type_="PoliciesCompliant"), seconds=60, what="the end of the condition"
    )
