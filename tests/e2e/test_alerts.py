"""Every alert of the chart fires on the fault that it is for, and none fires on a quiet mesh: an operator on fakes, judged by promtool."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from hack.tools.promtool import get_promtool
from tests.support.alert_faults import FAULTS, Fault, a_quiet_mesh
from tests.support.mesh import Mesh
from tests.support.promtool import Scenario, Scrape, judge
from tests.support.running import Running, an_operator

pytestmark = pytest.mark.real
RULES = Path(__file__).parents[2] / "charts/clouddatamesh/files/alerts.yaml"
BEFORE = 4
"""Minutes of quiet before each fault."""
QUIET = "a quiet mesh"


def run(mesh: Mesh, fault: Fault | None) -> list[Scrape]:
    """What a scrape a minute sees before and after a fault."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        running = Running(an_operator(patch, Path(folder), mesh), mesh)
        try:
            seen: list[Scrape] = [*running.pass_time(minutes=BEFORE)]
            if fault is None:
                return [*seen, *running.pass_time(minutes=8), *[running.scrape()] * 90]
            if not fault.answers:
                return [*seen, *[None] * fault.minutes]
            fault.plant(running, mesh)
            seen += running.pass_time(minutes=fault.minutes, each=lambda: fault.each(running, mesh))
            return [*seen, *[seen[-1]] * fault.hold]
        finally:
            running.stop()


def play(fault: Fault, mesh: Mesh) -> Scenario:
    """Nothing fires until the fault; at the end that fires which is for it."""
    scrapes = run(mesh, fault)
    return Scenario(fault.alert, scrapes, {BEFORE - 1: frozenset(), len(scrapes) - 1: frozenset({fault.alert, *fault.also})})


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What promtool has against each fault, and against quiet."""
    mesh = a_quiet_mesh()
    quiet = run(mesh.copy(), None)
    scenarios = [
        Scenario(QUIET, quiet, dict.fromkeys(range(0, len(quiet), 10), frozenset())),
        *(play(fault, mesh.copy()) for fault in FAULTS),
    ]
    return judge(get_promtool(), RULES, scenarios, tmp_path_factory.mktemp("rules"))


def test_no_alert_fires_on_a_quiet_mesh(verdicts: dict[str, str]) -> None:
    assert verdicts[QUIET] == ""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.alert)
def test_an_alert_fires_on_its_fault_and_no_other_does(fault: Fault, verdicts: dict[str, str]) -> None:
    assert verdicts[fault.alert] == ""


def test_every_alert_has_a_fault() -> None:
    rules = yaml.safe_load(RULES.read_text())
    assert [fault.alert for fault in FAULTS] == [rule["alert"] for group in rules["groups"] for rule in group["rules"]]


def test_prometheus_reads_every_query_of_the_dashboard(tmp_path: Path) -> None:
    panels = json.loads((RULES.parent / "dashboards" / "clouddatamesh.json").read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    rules = [{"record": f"panel:{n}", "expr": query.replace("$__rate_interval", "5m")} for n, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([get_promtool(), "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False)
    assert f"SUCCESS: {len(queries)} rules found" in done.stdout, done.stderr
