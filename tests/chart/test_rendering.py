"""What single values make of the rendered objects, and snapshots of whole renderings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.__main__ import main
from tests.chart.rendering import Objects, helm, objects_in, of_kind, pod_of, render_text, render_values
from tests.chart.values import NOT_DEFAULT, nested
from tests.support.installation import CHART, NAMESPACE

GOLDEN = Path(__file__).parent / "golden"
EVERYTHING: dict[str, Any] = {
    **NOT_DEFAULT,
    "mesh": "acme",
    "replicas": 3,
    "hostNetwork": True,
    "uninstall.check": "always",
    "flowControl.enabled": True,
    "discover.everyone": True,
    "governance.gate.enabled": True,
    "metrics.serviceMonitor.enabled": True,
    "metrics.podMonitor.enabled": True,
    "metrics.prometheusRule.enabled": True,
    "metrics.dashboards.enabled": True,
    "metrics.service.ipFamilyPolicy": "PreferDualStack",
    "metrics.service.ipFamilies": ["IPv4"],
}
CASES: dict[str, dict[str, Any]] = {
    "default": {"mesh": "acme"},
    "everything": EVERYTHING,
    "small": {
        "mesh": "acme",
        "replicas": 1,
        "crds.enabled": False,
        "networkPolicy.enabled": False,
        "metrics.service.enabled": False,
        **{f"rbac.aggregate.{role}": False for role in ("view", "edit", "admin")},
    },
}
APPLIED: dict[str, dict[str, Any]] = {
    **CASES,
    "quickstart": {"mesh": "acme", "quickstart.enabled": True, **{key: NOT_DEFAULT[key] for key in ("podLabels", "podAnnotations")}},
}
"""What an API server is shown by tests/chart/test_server.py and test_floor.py."""
FROM_FILES = ("CustomResourceDefinition ", "PrometheusRule ", "ConfigMap clouddatamesh-dashboard")


def snapshot(objects: Objects, *, policies: bool) -> str:
    """Without CRDs, alerts and dashboards, which are committed files; policies and roles are in one snapshot only."""
    left_out = (*FROM_FILES, *(() if policies else ("Validating", "ClusterRole ")))
    shown = [found for found in objects if not f"{found['kind']} {found['metadata']['name']}".startswith(left_out)]
    shown.sort(key=lambda found: (found["kind"], found["metadata"]["name"]))
    return yaml.safe_dump_all(shown, sort_keys=True, width=140)


@pytest.mark.parametrize("case", CASES)
def test_renderings_are_as_reviewed(case: str, pytestconfig: pytest.Config) -> None:
    found, file = snapshot(render_values(nested(CASES[case])), policies=case == "default"), GOLDEN / f"{case}.yaml"
    if pytestconfig.getoption("update_golden"):
        file.write_text(found)
    assert found == file.read_text()


def as_text(case: str) -> str:
    """A case as Helm prints it."""
    return render_text(document=yaml.safe_dump(nested(APPLIED[case])))


def everything() -> Objects:
    return render_values(nested(EVERYTHING))


def test_common_labels_and_annotations_are_on_every_object_and_pod() -> None:
    """Extra objects are the user's own."""
    objects = [found for found in everything() if not found["metadata"]["name"].startswith("extra-")]
    pods = [found["spec"]["template"] for found in objects if found["kind"] in ("Deployment", "Job")]
    assert len(pods) == 3
    for found in (*objects, *pods):
        assert found["metadata"]["labels"]["team"] == "platform", found
    for found in (*objects, *pods):
        assert found["metadata"]["annotations"]["docs"] == "https://mesh.example", found


def test_no_sidecar_keeps_a_job_from_ending() -> None:
    """Annotations and labels of the Pods are on those of `helm test` and of the check before an uninstall as well."""
    objects = everything()
    pods = [pod_of(objects), of_kind(objects, "Job")["clouddatamesh-uninstall"]["spec"]["template"], *of_kind(objects, "Pod").values()]
    assert len(pods) == 3
    for pod in pods:
        assert pod["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
        assert pod["metadata"]["labels"]["network"] == "stores"


def test_what_the_chart_says_wins_over_common_labels() -> None:
    common = {"app.kubernetes.io/name": "other", "app.kubernetes.io/component": "other", "team": "platform"}
    objects = render_values({"commonLabels": common, "podLabels": common})
    selected = of_kind(objects, "Deployment")["clouddatamesh"]["spec"]["selector"]["matchLabels"]
    labels = pod_of(objects)["metadata"]["labels"]
    assert selected.items() <= labels.items()
    assert labels["app.kubernetes.io/component"] == "operator"


def test_every_selector_finds_the_pods_of_the_operator_and_no_others() -> None:
    objects = everything()
    own = pod_of(objects)["metadata"]["labels"]
    others = [found["metadata"]["labels"] for found in objects if found["kind"] == "Pod"]
    others += [found["spec"]["template"]["metadata"]["labels"] for found in objects if found["kind"] == "Job"]
    selectors = {
        "NetworkPolicy": of_kind(objects, "NetworkPolicy")["clouddatamesh"]["spec"]["podSelector"]["matchLabels"],
        "PodDisruptionBudget": of_kind(objects, "PodDisruptionBudget")["clouddatamesh"]["spec"]["selector"]["matchLabels"],
        "Service": of_kind(objects, "Service")["clouddatamesh-metrics"]["spec"]["selector"],
        "PodMonitor": of_kind(objects, "PodMonitor")["clouddatamesh"]["spec"]["selector"]["matchLabels"],
        "Deployment": of_kind(objects, "Deployment")["clouddatamesh"]["spec"]["selector"]["matchLabels"],
        "spread": pod_of(render_values({}))["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    }
    checks = of_kind(objects, "NetworkPolicy")["clouddatamesh-checks"]["spec"]["podSelector"]["matchLabels"]
    assert [checks.items() <= labels.items() for labels in (own, *others)] == [False, True, True]
    for name, selector in selectors.items():
        assert selector.items() <= own.items(), name
        assert not [labels for labels in others if selector.items() <= labels.items()], name


def test_the_service_monitor_finds_the_service() -> None:
    objects = everything()
    wanted = of_kind(objects, "ServiceMonitor")["clouddatamesh"]["spec"]["selector"]["matchLabels"]
    service = of_kind(objects, "Service")["clouddatamesh-metrics"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["name"] == "metrics"


def test_a_service_monitor_without_the_service_is_refused() -> None:
    flags = ("--set", "metrics.serviceMonitor.enabled=true,metrics.service.enabled=false")
    done = helm("template", "x", str(CHART), "--set", "mesh=acme", *flags)
    assert "metrics.serviceMonitor.enabled needs the Service: set metrics.service.enabled=true" in done.stderr


def test_a_digest_wins_over_the_tag() -> None:
    digest = NOT_DEFAULT["image.digest"]
    image = pod_of(render_values({"image": {"repository": "r.example/mesh", "tag": "1", "digest": digest}}))["spec"]["containers"][0][
        "image"
    ]
    assert image == f"r.example/mesh@{digest}"


def test_openshift_assigns_the_user_itself() -> None:
    context = pod_of(render_values({}, "--api-versions", "security.openshift.io/v1"))["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod_of(render_values({}))["spec"]["securityContext"]["runAsUser"] > 10_000


@pytest.mark.parametrize(("replicas", "budgets"), [(0, set()), (1, set()), (2, {"clouddatamesh"})])
def test_one_replica_never_blocks_a_drain(replicas: int, budgets: set[str]) -> None:
    assert set(of_kind(render_values({"replicas": replicas}), "PodDisruptionBudget")) == budgets


def test_the_host_network_brings_the_dns_policy_that_it_needs() -> None:
    assert pod_of(render_values({"hostNetwork": True}))["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert pod_of(render_values({"hostNetwork": True, "dnsPolicy": "Default"}))["spec"]["dnsPolicy"] == "Default"


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_each_aggregation_can_be_left_out(role: str) -> None:
    roles = set(of_kind(render_values({"rbac": {"aggregate": {role: False}}}), "ClusterRole"))
    assert set(of_kind(render_values({}), "ClusterRole")) - roles == {f"clouddatamesh-aggregate-{role}"}


def test_what_is_added_to_the_role_view_reads_no_secrets_and_no_object_of_the_platform() -> None:
    (rule,) = of_kind(render_values({}), "ClusterRole")["clouddatamesh-aggregate-view"]["rules"]
    assert set(rule["verbs"]) == {"get", "list", "watch"}
    assert set(rule["resources"]) == {"dataproducts", "accessrequests", "accessgrants", "accessinboxes", "domainpolicies", "domainprofiles"}


def test_extra_objects_are_templates() -> None:
    found = of_kind(everything(), "ConfigMap")
    assert {"extra-acme", "extra-text"} <= set(found)
    assert found["extra-text"]["metadata"]["namespace"] == NAMESPACE


def test_extra_arguments_are_arguments_of_the_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The wrong value is refused in the words of the variable that the argument overrides."""
    container = pod_of(render_values({"extraArgs": ["--threads=many"]}))["spec"]["containers"][0]
    for name in ("CLOUDDATAMESH_MESH", "POD_NAME", "POD_NAMESPACE"):
        monkeypatch.setenv(name, "acme")
    monkeypatch.setattr("sys.argv", [*container["command"], *container["args"]])
    assert main() == 2
    assert "THREADS must be a number from 1 to 128, not 'many'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "is_there"),
    [
        ((), False),
        (("crds.keep=false",), True),
        (("uninstall.check=always",), True),
        (("uninstall.check=wait",), True),
        (("crds.keep=false", "crds.enabled=false"), False),
        (("crds.keep=false", "uninstall.check=never"), False),
    ],
)
def test_the_check_before_an_uninstall_is_there_where_objects_would_be_lost(values: tuple[str, ...], is_there: bool) -> None:
    objects = objects_in(render_text(*values))
    assert ("clouddatamesh-uninstall" in of_kind(objects, "Job")) == is_there
    assert ("clouddatamesh-uninstall" in of_kind(objects, "ClusterRole")) == is_there


def test_the_check_before_an_uninstall_always_ends_and_may_only_list() -> None:
    objects = render_values({"uninstall": {"check": "always", "waitSeconds": 100}})
    job = of_kind(objects, "Job")["clouddatamesh-uninstall"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-delete"
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (0, 160)
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][2:] == ["--wait-seconds=100"]
    (rule,) = of_kind(objects, "ClusterRole")["clouddatamesh-uninstall"]["rules"]
    assert rule["verbs"] == ["list"]
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "clouddatamesh-uninstall"


def test_the_check_waits_for_what_nobody_deletes_where_it_is_told_to() -> None:
    job = of_kind(render_values({"uninstall": {"check": "wait"}}), "Job")["clouddatamesh-uninstall"]
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][2:] == ["--wait-seconds=240", "--patient"]
    assert job["spec"]["ttlSecondsAfterFinished"] == 3600, "Argo CD takes a Job that was left for one that has succeeded now"


def test_every_pod_of_the_chart_is_restricted_bounded_and_placed_alike() -> None:
    objects = everything()
    pods = [pod_of(objects)["spec"], of_kind(objects, "Job")["clouddatamesh-uninstall"]["spec"]["template"]["spec"]]
    pods.append(of_kind(objects, "Pod")["clouddatamesh-test"]["spec"])
    for part in ("securityContext", "nodeSelector", "tolerations", "affinity", "imagePullSecrets", "priorityClassName", "dnsConfig"):
        assert pods[0][part] == pods[1][part] == pods[2][part], part
    containers = [pod["containers"][0] for pod in pods]
    for part in ("image", "imagePullPolicy", "resources", "securityContext"):
        assert containers[0][part] == containers[1][part] == containers[2][part], part


def notes(*values: str) -> str:
    sets = [part for value in ("mesh=acme", *values) for part in ("--set", value)]
    done = helm("install", "mesh", str(CHART), "--namespace", NAMESPACE, "--dry-run=client", *sets)
    assert not done.returncode, done.stderr
    return done.stdout.partition("NOTES:")[2]


@pytest.mark.parametrize(
    ("values", "words", "absent"),
    [
        ((), "helm test mesh --namespace clouddatamesh-system", "WARNING"),
        ((), "--take-ownership", "It also deletes the CRDs"),
        (("replicas=0",), "Start the operator:\n  helm upgrade mesh <chart> --namespace clouddatamesh-system", "Next:"),
        (("guard.ports=false",), "WARNING: guard.ports is false", "guard.status is false"),
        (("crds.keep=false",), "It also deletes the CRDs and every object (crds.keep=false), so it is refused", "WARNING"),
        (("crds.keep=false", "uninstall.check=never"), "WARNING: It also deletes the CRDs", "--take-ownership"),
        ((), "--set 'discover.groups={<group>}'", "WARNING"),
        ((), "--set 'access.bindableRoles={clouddatamesh-workloads}'", "WARNING"),
        (("discover.everyone=true",), "kubectl get datamesh", "discover.groups"),
        (("discover.groups={staff}",), "kubectl get datamesh", "discover.groups"),
        (("access.bindableRoles={clouddatamesh-workloads}",), "kubectl get datamesh", "access.bindableRoles"),
    ],
)
def test_notes_say_what_comes_next_and_what_an_uninstall_leaves(values: tuple[str, ...], words: str, absent: str) -> None:
    said = notes(*values)
    assert words in said
    assert absent not in said
