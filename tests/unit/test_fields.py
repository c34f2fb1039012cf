"""Every field that a page or a piece of advice names in backticks exists in a CRD, so that nobody is sent to a field that is not there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.advice import ADVICE
from clouddatamesh.api.kinds import KINDS as REGISTRY
from tests.support.installation import ROOT

PAGES = sorted({*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")})
KINDS = tuple(kind.kind for kind in REGISTRY)
OF_OTHER_APIS = {
    "spec.healthChecks",  # Kustomization of Flux
    "status.used",  # ResourceQuota
}
PATH = re.compile(rf"^(?:({'|'.join(KINDS)})\.)?((?:spec|status)(?:\.[A-Za-z]+(?:\[[^\]]*\])?)+)")


def fields_of(schema: dict[str, Any], path: str) -> Iterator[str]:
    """All paths of a schema. A map of strings has any name below it."""
    yield path
    for name, below in schema.get("properties", {}).items():
        yield from fields_of(below, f"{path}.{name}")
    if "items" in schema:
        yield from (found for found in fields_of(schema["items"], path) if found != path)


@cache
def fields() -> dict[str, frozenset[str]]:
    """Paths of each kind."""
    found = {}
    for file in (ROOT / "crds").glob("*.yaml"):
        crd = yaml.safe_load(file.read_text(encoding="utf-8"))
        top = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        found[crd["spec"]["names"]["kind"]] = frozenset(path for part in ("spec", "status") for path in fields_of(top.get(part, {}), part))
    return found


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def unknown(text: str) -> list[str]:
    """What of the words in backticks reads like a field of the mesh and is none."""
    named = [match for match in map(PATH.match, ticked(text)) if match]
    return [match[0] for match in named if not is_known(match[1], re.sub(r"\[[^\]]*\]", "", match[2]))]


def is_known(kind: str | None, path: str) -> bool:
    return path in OF_OTHER_APIS or any(path in found for name, found in fields().items() if kind in {None, name})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_fields_that_exist(page: Path) -> None:
    assert unknown(page.read_text(encoding="utf-8")) == []


def test_advice_names_only_fields_and_values_that_exist() -> None:
    values = yaml.safe_load((ROOT / "charts" / "clouddatamesh" / "values.yaml").read_text(encoding="utf-8"))
    names = {part for found in fields().values() for path in found for part in path.split(".")} | set(values)
    advice = " ".join(said for rows in ADVICE.values() for said in rows.values())
    assert unknown(advice) == []
    assert [word for word in ticked(advice) if re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", word) and word not in names] == []


def test_a_planted_field_is_found() -> None:
    assert len(fields()) == len(KINDS)
    assert unknown("`spec.storage.storeRef` and `Domain.spec.access: {}`, `spec.outputPorts[].name`") == []
    assert unknown("`spec.maxCalls`, `Domain.spec.bucketPrefix` and `status.x: 1`") == [
        "spec.maxCalls",
        "Domain.spec.bucketPrefix",
        "status.x",
    ]
