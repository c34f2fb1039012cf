"""The chart as `helm template` renders it with some values."""

import subprocess
from functools import cache
from typing import Any

import yaml

from hack.tools.binaries import get_binary
from tests.support.installation import CHART, NAMESPACE

Objects = list[dict[str, Any]]


def helm(*args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Helm; whether it succeeded is for the caller to say."""
    return subprocess.run([str(get_binary("helm")), *args], input=stdin, capture_output=True, text=True, check=False)


@cache
def render_text(*values: str, document: str = "", flags: tuple[str, ...] = ()) -> str:
    """What Helm prints with values set by `--set`, or by a document in YAML. Fails with what Helm says."""
    sets = [part for value in values for part in ("--set", value)]
    file = ["--values", "-"] if document else ["--set", "mesh=acme"]
    done = helm("template", "clouddatamesh", str(CHART), "--namespace", NAMESPACE, *sets, *file, *flags, stdin=document or None)
    assert not done.returncode, done.stderr
    return done.stdout


def objects_in(text: str) -> Objects:
    """The objects that a text of YAML holds."""
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def render_values(document: dict[str, Any], *flags: str) -> Objects:
    """The objects that Helm renders with a document of values."""
    return objects_in(render_text(document=yaml.safe_dump({"mesh": "acme", **document}), flags=flags))


def of_kind(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def pod_of(objects: Objects) -> dict[str, Any]:
    """The template of the operator's Pods."""
    return dict(of_kind(objects, "Deployment")["clouddatamesh"]["spec"]["template"])
