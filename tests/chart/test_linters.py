"""kube-score and kubeconform on what the chart renders: nothing critical but what a comment of the chart explains."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hack.tools.binaries import get_binary
from hack.tools.controlplane import ControlPlane
from tests.chart.rendering import render_text
from tests.chart.test_rendering import CASES, as_text
from tests.support.installation import CHART

pytestmark = pytest.mark.real
EXPLAINED = {"Container Image Pull Policy": ("values.yaml", "A release never moves its tag, so the default does not ask the registry")}
"""Critical findings that stay -> the file of the chart and the words that say why."""
SMALL_IS_CHOSEN = {"Pod NetworkPolicy", "Deployment Replicas"}
"""What whoever sets `networkPolicy.enabled=false` and one replica asks for."""
OTHERS = "PodMonitor,PrometheusRule,ServiceMonitor"
"""Kinds of the Prometheus operator, which the API server does not describe."""


def kube_score(text: str) -> dict[str, set[str]]:
    """The critical findings: check -> names of objects."""
    command = [str(get_binary("kube-score")), "score", "--output-format", "json", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    found: dict[str, set[str]] = {}
    for scored in json.loads(done.stdout):
        for check in scored["checks"] or ():
            if not check["skipped"] and check["grade"] == 1:
                found.setdefault(check["check"]["name"], set()).add(scored["object_meta"]["name"])
    return found


@pytest.mark.parametrize(("case", "chosen"), [("default", set()), ("everything", set()), ("small", SMALL_IS_CHOSEN)])
def test_kube_score_finds_nothing_critical_but_what_a_comment_explains(case: str, chosen: set[str]) -> None:
    found = kube_score(as_text(case))
    assert set(found) - chosen == set(EXPLAINED), found


def test_the_comments_are_there() -> None:
    for file, words in EXPLAINED.values():
        assert words in (CHART / file).read_text()


def test_kube_score_finds_what_it_is_asked_for() -> None:
    """Otherwise the test above proves nothing."""
    assert kube_score(render_text("resources=null")) != kube_score(render_text())


@pytest.fixture(scope="module")
def schemas(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JSON schemas of all kinds that the API server describes, one file each, in which nothing undescribed is allowed."""
    place = tmp_path_factory.mktemp("schemas")
    definitions = json.loads(control_plane.kubectl("get", "--raw", "/openapi/v2"))["definitions"]
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            version = "-".join(part.split(".")[0] for part in (kind["group"], kind["version"]) if part)
            needed = needs(name, definitions)
            strict = {inner: strictly(definitions[inner]) for inner in sorted(needed)}
            built = {"$ref": f"#/definitions/{name}", "definitions": strict}
            (place / f"{kind['kind']}-{version}.json".lower()).write_text(json.dumps(built))
    return place


def needs(name: str, definitions: dict[str, Any]) -> set[str]:
    """A definition and all that it refers to."""
    found, todo = {name}, [name]
    while todo:
        refers = set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(definitions[todo.pop()]))) - found
        found |= refers
        todo += refers
    return found


def strictly(schema: dict[str, Any]) -> dict[str, Any]:
    """As kubeconform's own strict schemas are: no other members, and numbers where a quantity or a port may be one."""
    if schema.get("format") == "int-or-string" or schema.get("description", "").startswith("Quantity is"):
        return {"type": ["string", "number"]}
    return {**schema, "additionalProperties": False} if "properties" in schema else schema


def kubeconform(text: str, schemas: Path) -> dict[str, Any]:
    location = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    command = [str(get_binary("kubeconform")), "-strict", "-summary", "-output", "json", "-skip", OTHERS, "-schema-location", location]
    done = subprocess.run([*command, "-"], input=text, capture_output=True, text=True, check=False)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("case", CASES)
def test_kubeconform_knows_every_field(case: str, schemas: Path) -> None:
    said = kubeconform(as_text(case), schemas)
    assert said["resources"] == [], said
    assert said["summary"]["valid"] > 30
    assert (said["summary"]["skipped"] > 0) == (case == "everything")


def test_kubeconform_finds_a_field_that_is_not_there(schemas: Path) -> None:
    """Otherwise the test above proves nothing."""
    (said,) = kubeconform(as_text("small").replace("automountServiceAccountToken: true", "automountToken: true", 1), schemas)["resources"]
    assert "automountToken" in said["msg"]
