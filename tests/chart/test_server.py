"""The rendered objects as a real API server takes them: every field known, every expression compiled, every limit kept."""

import contextlib

import pytest
import yaml

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.monitoring import KINDS, get_monitoring_crds
from tests.chart.rendering import Objects, objects_in
from tests.chart.test_rendering import APPLIED, as_text
from tests.support.installation import NAMESPACE

pytestmark = pytest.mark.real
ACCOUNTS = ("clouddatamesh", "clouddatamesh-uninstall")
CRDS = tuple(f"{kind}.monitoring.coreos.com" for kind in KINDS)


@pytest.fixture(scope="module")
def prepared(control_plane: ControlPlane) -> ControlPlane:
    """The newest API server that is tested."""
    return prepare(control_plane)


def prepare(cluster: ControlPlane) -> ControlPlane:
    """Make the release's namespace, its accounts (else no Pod is admitted), and the kinds of the Prometheus operator."""
    for what in (("namespace", NAMESPACE), *(("serviceaccount", name, "-n", NAMESPACE) for name in ACCOUNTS)):
        with contextlib.suppress(ToolError):
            cluster.kubectl("create", *what)
    for file in get_monitoring_crds():
        cluster.kubectl("apply", "--server-side", "-f", str(file))
    cluster.kubectl("wait", "--for=condition=Established", "crd", *CRDS, "--timeout=90s")
    return cluster


def try_out(cluster: ControlPlane, objects: Objects) -> int:
    """How many objects the API server takes. Raises ToolError with what it says of one that it does not, or warns of."""
    flags = ("--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--warnings-as-errors")
    return len(cluster.kubectl("apply", *flags, "-f", "-", stdin=yaml.safe_dump_all(objects)).splitlines())


@pytest.mark.parametrize("case", APPLIED)
def test_the_api_server_takes_every_object_without_a_warning(prepared: ControlPlane, case: str) -> None:
    objects = objects_in(as_text(case))
    assert try_out(prepared, objects) == len(objects)
    assert ("Job" in {found["kind"] for found in objects}) == (case in ("everything", "quickstart"))


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("Deployment", {"spec": {"paused": "perhaps"}}, "paused"),
        ("Service", {"spec": {"portz": []}}, ".spec.portz: field not declared in schema"),
        ("ValidatingAdmissionPolicy", {"spec": {"validations": [{"expression": "object.spec ==="}]}}, "compilation failed"),
    ],
)
def test_a_fault_is_found(prepared: ControlPlane, kind: str, change: dict[str, dict[str, object]], words: str) -> None:
    """Otherwise the test above proves nothing."""
    found = next(found for found in objects_in(as_text("default")) if found["kind"] == kind)
    with pytest.raises(ToolError, match=words):
        try_out(prepared, [{**found, "spec": {**found["spec"], **change["spec"]}}])
