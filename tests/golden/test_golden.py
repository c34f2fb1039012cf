"""Whole conversations, written down: `<case>.in.yaml` is applied to an empty mesh, `<case>.plan.yaml` is every write in its order and how
each object ends. `pytest tests/golden --update-golden` writes them again; the diff is then reviewed like code."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.support.mesh import Mesh

CASES = Path(__file__).with_name("cases")


def conversation(case: Path) -> dict[str, Any]:
    """Apply the documents one after the other, each settled before the next."""
    mesh = Mesh()
    steps = []
    for manifest in yaml.safe_load_all(case.read_text()):
        writes = mesh.writes_of(partial(_apply, manifest))
        steps.append({"apply": f"{manifest['kind']} {manifest['metadata']['name']}", "writes": writes})
    found = {kind: ends(mesh, kind) for kind in RECONCILED}
    return {"steps": steps, "ends": {kind: objects for kind, objects in found.items() if objects}}


def _apply(manifest: dict[str, Any], mesh: Mesh) -> None:
    mesh.apply(manifest)


def ends(mesh: Mesh, kind: str) -> dict[str, str]:
    """How each object of a kind is found at the end: reason and message of Ready."""
    found = {}
    for manifest in mesh.cluster.list(kind):
        ready = next(c for c in manifest["status"]["conditions"] if c["type"] == "Ready")
        found[manifest["metadata"]["name"]] = f"{ready['status']} {ready['reason']}: {ready['message']}"
    return found


@pytest.mark.parametrize("case", sorted(CASES.glob("*.in.yaml")), ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_conversation(case: Path, request: pytest.FixtureRequest) -> None:
    golden = case.with_name(case.name.replace(".in.yaml", ".plan.yaml"))
    text = yaml.safe_dump(conversation(case), sort_keys=False, width=140)
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert golden.read_text() == text
