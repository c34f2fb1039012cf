"""examples/gitops is the retail mesh as a repository for Argo CD: the same objects, each in the folder of those who may change it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.installation import ROOT

GITOPS: Final = ROOT / "examples/gitops"
DOMAINS: Final = ("customer", "inventory", "sales")


def objects(*folders: Path) -> Iterator[dict[str, Any]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.yaml")):
            yield from yaml.safe_load_all(path.read_text())


def by_name(found: Iterator[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in found}


ARGOCD: Final = by_name(objects(GITOPS / "argocd"))


def spec(kind: str, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ARGOCD[kind, "argocd", name]["spec"]
    return found


def test_it_is_the_retail_mesh() -> None:
    mesh = by_name(objects(GITOPS / "platform", GITOPS / "domains", GITOPS / "grants"))
    assert mesh == by_name(objects(ROOT / "examples/retail"))


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domains_folders_hold_what_their_projects_allow(domain: str) -> None:
    for what, kinds in (("domains", {"DataProduct", "AccessRequest"}), ("grants", {"AccessGrant"})):
        project = spec("AppProject", f"mesh-{what}-{domain}")
        assert {one["kind"] for one in project["namespaceResourceWhitelist"]} == kinds
        assert {one["group"] for one in project["namespaceResourceWhitelist"]} == {"clouddatamesh.dev"}
        assert project["clusterResourceWhitelist"] == []
        assert [place["namespace"] for place in project["destinations"]] == [domain]
        held = list(objects(GITOPS / what / domain))
        assert {(one["kind"], one["metadata"]["namespace"]) for one in held} <= {(kind, domain) for kind in kinds}
        assert (GITOPS / what / domain / "README.md").is_file()


def test_every_folder_is_merged_by_owners_as_the_policies_do_not_see_the_author() -> None:
    lines = [line.split() for line in (GITOPS / "CODEOWNERS").read_text().splitlines() if not line.startswith("#")]
    owners = {path: owner for path, owner in lines}
    assert set(owners) == {"*", *(f"/{what}/{domain}" for what in ("domains", "grants") for domain in DOMAINS)}
    assert all(owners[f"/{what}/{domain}"] == f"@example/{domain}-owners" for what in ("domains", "grants") for domain in DOMAINS)


def test_nothing_waits_for_anything_else_within_an_application() -> None:
    for path in GITOPS.rglob("*.yaml"):
        assert "sync-wave" not in path.read_text()
    applications = [spec("Application", "mesh-platform"), *(spec("ApplicationSet", f"mesh-{what}") for what in ("domains", "grants"))]
    policies = [found.get("template", {"spec": found})["spec"]["syncPolicy"] for found in applications]
    assert all(policy["automated"]["prune"] and policy["automated"]["selfHeal"] and policy["retry"]["refresh"] for policy in policies)
    assert [policy["automated"].get("allowEmpty", False) for policy in policies] == [False, False, True]
    assert spec("ApplicationSet", "mesh-domains")["syncPolicy"]["applicationsSync"] == "create-update"
    assert spec("ApplicationSet", "mesh-grants")["syncPolicy"]["applicationsSync"] == "sync"


def test_the_end_of_an_applicationset_deletes_no_product_and_leaves_no_grant_that_git_does_not_show() -> None:
    assert spec("ApplicationSet", "mesh-domains")["syncPolicy"]["preserveResourcesOnDeletion"] is True
    assert "preserveResourcesOnDeletion" not in spec("ApplicationSet", "mesh-grants")["syncPolicy"]


def test_the_operator_goes_last_and_alone() -> None:
    operator = ARGOCD["Application", "argocd", "clouddatamesh"]
    hook, cascade = "pre-delete-finalizer.argocd.argoproj.io", "resources-finalizer.argocd.argoproj.io"
    assert operator["metadata"]["finalizers"] == [hook, f"{hook}/cleanup", cascade], "else a parent Application takes off what Argo CD adds"
    source = operator["spec"]["source"]
    assert (source["path"], source["helm"]["valuesObject"]["uninstall"]) == ("charts/clouddatamesh", {"check": "wait"})
