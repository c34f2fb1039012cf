"""The quickstart as Helm renders it: absent by default, restricted, reachable inside the cluster only, with Jobs of few rights."""

import subprocess
from typing import Any

import pytest
import yaml

from hack.tools.binaries import get_binary
from hack.tools.children import ROOT
from quickstart import __main__ as program
from quickstart.cluster import LABELS
from tests.chart.test_linters import EXPLAINED, kube_score
from tests.support.installation import CHART, NAMESPACE

Objects = dict[tuple[str, str], dict[str, Any]]
CREDENTIALS, MESH, STORE = "clouddatamesh-quickstart-credentials", "clouddatamesh-quickstart-mesh", "clouddatamesh-quickstart"


def render(*values: str) -> Objects:
    sets = [part for value in ("mesh=acme", *values) for part in ("--set", value)]
    command = [str(get_binary("helm")), "template", "clouddatamesh", str(CHART), "--namespace", NAMESPACE, *sets]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(done.stdout) if found}


@pytest.fixture(scope="module")
def plain() -> Objects:
    return render()


@pytest.fixture(scope="module")
def added(plain: Objects) -> Objects:
    """What quickstart.enabled=true adds."""
    return {key: found for key, found in render("quickstart.enabled=true").items() if key not in plain}


def workloads(objects: Objects) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Labels and spec of each Pod."""
    templates = [found["spec"]["template"] for (kind, _), found in objects.items() if kind in ("Deployment", "Job")]
    return [(template["metadata"]["labels"], template["spec"]) for template in templates]


def test_it_is_absent_by_default_and_changes_nothing_else(plain: Objects, added: Objects) -> None:
    assert not [name for _, name in plain if "quickstart" in name]
    assert {name for _, name in added} == {STORE, CREDENTIALS, MESH}
    assert {key: found for key, found in render("quickstart.enabled=true").items() if key in plain} == plain
    assert {name for _, name in render("quickstart.enabled=true", "quickstart.mesh=false")} >= {STORE, CREDENTIALS}
    assert not [name for _, name in render("quickstart.enabled=true", "quickstart.mesh=false") if name == MESH]


def test_labels_and_annotations_of_pods_are_on_its_own_as_well(plain: Objects) -> None:
    """A mesh of services that puts a proxy into each Pod would keep both Jobs from ending. What selects Pods cannot be overwritten."""
    values = ("podAnnotations.proxy=none", "podLabels.network=stores", "podLabels.app\\.kubernetes\\.io/component=other")
    made = {key: found for key, found in render("quickstart.enabled=true", *values).items() if key not in plain}
    templates = [found["spec"]["template"]["metadata"] for (kind, _), found in made.items() if kind in ("Deployment", "Job")]
    assert [found["annotations"] for found in templates] == [{"proxy": "none"}] * 3
    assert [found["labels"]["network"] for found in templates] == ["stores"] * 3
    assert {found["labels"]["app.kubernetes.io/component"] for found in templates} == {"store", "credentials", "mesh"}
    selector = made["Deployment", STORE]["spec"]["selector"]["matchLabels"]
    assert sum(selector.items() <= found["labels"].items() for found in templates) == 1


def test_there_is_no_secret_and_no_way_in_from_outside(added: Objects) -> None:
    assert not [kind for kind, _ in added if kind in ("Secret", "Ingress", "HTTPRoute")]
    assert added["Service", STORE]["spec"]["type"] == "ClusterIP"
    policy = added["NetworkPolicy", STORE]["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    (rule,) = policy["ingress"]
    assert [next(iter(source)) for source in rule["from"]] == ["podSelector", "namespaceSelector"]
    assert rule["from"][1]["namespaceSelector"] == {"matchExpressions": [{"key": "clouddatamesh.dev/domain", "operator": "Exists"}]}


def test_every_pod_is_restricted_and_none_is_the_operators(plain: Objects, added: Objects) -> None:
    selector = plain["Deployment", "clouddatamesh"]["spec"]["selector"]["matchLabels"]
    pods = workloads(added)
    assert len(pods) == 3
    for labels, spec in pods:
        assert not selector.items() <= labels.items()
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {*container["resources"]["limits"]} == {"cpu", "memory", "ephemeral-storage"}
    assert added["Deployment", STORE]["spec"]["replicas"] == 1


def test_the_rights_of_each_part_are_few(added: Objects) -> None:
    def rights(kind: str, name: str) -> set[tuple[str, str]]:
        return {(resource, verb) for rule in added[kind, name]["rules"] for resource in rule["resources"] for verb in rule["verbs"]}

    assert rights("Role", STORE) == {("events", "create")}
    assert rights("Role", CREDENTIALS) == {("secrets", "create")}
    assert {verb for _, verb in rights("ClusterRole", MESH)} == {"get", "list", "create"}
    assert {kind for kind, _ in added if kind.startswith("ClusterRole")} == {"ClusterRole", "ClusterRoleBinding"}


def test_hooks_run_in_order_and_go_when_they_succeeded(added: Objects) -> None:
    for (kind, name), found in added.items():
        hook = found["metadata"].get("annotations", {})
        assert bool(hook) == (name != STORE), kind
        if hook:
            when = "pre-install,pre-upgrade" if name == CREDENTIALS else "post-install,post-upgrade"
            assert hook == {
                "helm.sh/hook": when,
                "helm.sh/hook-weight": "0" if kind == "Job" else "-1",
                "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
            }


def test_the_commands_are_ones_that_the_program_understands(added: Objects) -> None:
    for _, spec in workloads(added):
        command = spec["containers"][0]["command"]
        assert command[:3] == ["python", "-m", "quickstart"]
        options = program.parse(command[3:])
        assert getattr(options, "secret", STORE) == STORE
        assert getattr(options, "endpoint", "http://") in ("http://", f"http://{STORE}.{NAMESPACE}.svc:9000")
        assert getattr(options, "port", 9000) == 9000


def test_the_template_and_the_job_know_their_objects_by_the_same_label() -> None:
    check = (CHART / "templates" / "quickstart" / "check.yaml").read_text()
    ((name, value),) = LABELS.items()
    assert f'"{name}") "{value}"' in check


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ((), "clouddatamesh-quickstart:0.1.0"),
        (("quickstart.image.tag=v2", "quickstart.image.repository=r.example/q"), "r.example/q:v2"),
        (("quickstart.image.tag=v2", f"quickstart.image.digest=sha256:{'a' * 64}"), f"clouddatamesh-quickstart@sha256:{'a' * 64}"),
    ],
)
def test_all_pods_have_the_image_that_was_asked_for(plain: Objects, values: tuple[str, ...], image: str) -> None:
    found = {key: made for key, made in render("quickstart.enabled=true", *values).items() if key not in plain}
    assert {spec["containers"][0]["image"] for _, spec in workloads(found)} == {image}


def test_the_notes_warn_of_the_loss() -> None:
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    assert 'include "clouddatamesh.quickstart.notes"' in notes
    assert (ROOT / "docs" / "getting-started.md").is_file()


def test_kube_score_finds_nothing_critical_but_what_a_comment_explains(added: Objects) -> None:
    assert set(kube_score(yaml.safe_dump_all(added.values()))) == set(EXPLAINED)
