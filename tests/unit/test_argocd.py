"""The health check for Argo CD tells what kstatus tells; it is run as Argo CD runs it, in Lua, over statuses that the operator writes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import lupa
import pytest
import yaml

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.reconcile.dispatch import RECONCILED
from clouddatamesh.status.summarize import summarize
from tests.support.installation import ROOT

CHECKS: Final[Mapping[str, str]] = yaml.safe_load((ROOT / "examples" / "argocd" / "argocd-cm.yaml").read_text())["data"]
PREFIX: Final = "resource.customizations.health.clouddatamesh.dev_"
GENERATION: Final = 3


def health(status: Mapping[str, Any] | None, *, generation: int = GENERATION) -> tuple[str, str]:
    """What the check says of an object with that status."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=False)
    obj = {"metadata": {"generation": generation}, **({"status": status} if status is not None else {})}
    check: Any = lua.eval(f"function(obj) {CHECKS[f'{PREFIX}DataProduct']} end")
    found = check(lua.table_from(obj, recursive=True))
    return str(found["status"]), str(found["message"])


def told(outcome: Outcome | MeshError) -> Mapping[str, Any]:
    return summarize({}, GENERATION, outcome, datetime(2026, 1, 1, tzinfo=UTC), interval=timedelta(minutes=5))


def ready(status: Any, reason: str) -> Outcome:
    return Outcome(Finding("Ready", status, reason, "A sentence"), stalled=status == "False")


def test_every_kind_that_has_a_status_has_the_check() -> None:
    assert {name.removeprefix(PREFIX) for name in CHECKS} == set(RECONCILED)
    assert len(set(CHECKS.values())) == 1


@pytest.mark.parametrize(
    ("outcome", "wanted"),
    [
        (ready("True", reasons.READY), "Healthy"),
        (ready("False", reasons.SUSPENDED), "Degraded"),
        (ready("Unknown", reasons.DELETING), "Progressing"),
        (ready("Unknown", reasons.AWAITING_GRANT), "Suspended"),
        (Terminal(reasons.CONSENT_MISSING, "A sentence"), "Degraded"),
        (Transient(reasons.STORE_UNAVAILABLE, "A sentence"), "Progressing"),
        (Waiting(reasons.DOMAIN_NOT_FOUND, "A sentence"), "Progressing"),
        (Waiting(reasons.AWAITING_GRANT, "A sentence"), "Suspended"),
    ],
    ids=str,
)
def test_health_is_what_kstatus_says(outcome: Outcome | MeshError, wanted: str) -> None:
    found = health(told(outcome))
    assert found[0] == wanted
    assert "A sentence" in found[1]


def test_what_nobody_looked_at_yet_is_progressing() -> None:
    assert health(None)[0] == health({"observedGeneration": -1})[0] == "Progressing"
    assert health(told(ready("True", reasons.READY)), generation=GENERATION + 1)[0] == "Progressing"
