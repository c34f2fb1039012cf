"""Whatever is wrong with a manifest, somebody says so in a sentence, and nothing else suffers.

What the API server refuses is shown in test_crds.py; here is what only the operator can see, everything at once.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.bounds import BOUNDS
from tests.e2e.cases import Refusal
from tests.e2e.refusals import RULES
from tests.e2e.stalls import INPUT, MESH, STALLS, Stall
from tests.e2e.wrong_world import GOOD, GOOD_PRODUCT, build, principal_of
from tests.support.installation import NAMESPACE, ROOT, Installation
from tests.support.manifests import a_product

PAGE = ROOT / "docs" / "wrong-manifests.md"
REFUSED: tuple[Refusal, ...] = (*RULES, *BOUNDS)
QUIET = 5.0
MOST_STORE_REQUESTS = 150
"""In that time: stores are looked at every 45 s and backed off ones are tried; a hot loop asks thousands of times."""


@pytest.fixture(scope="module")
def mesh(moto: Store) -> Iterator[Installation]:
    """Good objects, and beside them everything that is wrong, all at once."""
    with ControlPlane() as cluster, Installation(cluster, mesh=MESH, values={"log.level": "debug"}) as installed:
        build(installed, moto)
        yield installed


def conditions(mesh: Installation, kind: str, name: str, namespace: str = "") -> dict[str, dict[str, Any]]:
    """The conditions of an object by type."""
    status = mesh.get(kind, name, namespace).get("status", {})
    return {found["type"]: found for found in status.get("conditions", ())}


def unlike(case: Stall, found: dict[str, dict[str, Any]]) -> list[str]:
    """What conditions do not say that they should."""
    ready, end = found.get("Ready", {}), found.get(case.ends, {})
    told = {f"reason {case.reason}": ready.get("reason") == case.reason, "Ready: not True": ready.get("status", "True") != "True"}
    told |= {f"{case.ends}: True": end.get("status") == "True", **{part: part in ready.get("message", "") for part in case.says}}
    return [what for what, is_told in told.items() if not is_told]


@pytest.mark.parametrize("case", STALLS, ids=lambda case: f"{case.key[0]} {case.what}")
def test_the_status_says_so(mesh: Installation, case: Stall) -> None:
    """In one look: what is tried again may be told in other words by the next one."""
    seen: list[dict[str, dict[str, Any]]] = []

    def is_told() -> bool:
        seen.append(conditions(mesh, *case.key))
        return not unlike(case, seen[-1])

    with contextlib.suppress(TimeoutError):
        mesh.until(is_told, seconds=60, what=f"{case.what}: {case.reason}")
    assert unlike(case, seen[-1]) == [], seen[-1]


def test_a_product_more_than_allowed_is_refused_by_the_quota(mesh: Installation) -> None:
    more = a_product("one-more", "full")
    mesh.until(lambda: "exceeded quota" in mesh.refusal(more), what="a quota that the API server knows")
    with pytest.raises(ToolError, match="exceeded quota: clouddatamesh"):
        mesh.apply(more)


def test_an_input_without_access_says_so_and_stalls_nothing(mesh: Installation) -> None:
    mesh.apply(a_product("reader", inputPorts=[{"name": "stock", "from": INPUT}, {"name": "fx", "contractId": "urn:acme:contract:fx"}]))
    mesh.wait("dataproduct", "reader", "sales")
    found = conditions(mesh, "dataproduct", "reader", "sales")["InputsReady"]
    assert (found["status"], found["reason"]) == ("False", "InputsMissing")
    assert "Input port stock reads inventory/stock" in found["message"]
    assert "Input port fx names contract urn:acme:contract:fx and no product" in found["message"]
    living = mesh.cluster.kubectl("get", "dataproducts", "-n", "sales", "--no-headers").splitlines()
    mesh.until(lambda: mesh.get("domain", "sales")["status"]["dataProducts"] == len(living), what="the domain's count of products")


@pytest.mark.parametrize("name", ["careful", "careless", "namesake"])
def test_what_could_not_be_handed_over_left_no_key_behind(mesh: Installation, moto: Store, name: str) -> None:
    iam, principal = moto.client("iam"), principal_of(mesh, name)
    assert principal not in moto.users("/") or iam.list_access_keys(UserName=principal)["AccessKeyMetadata"] == []


def test_then_it_is_quiet(mesh: Installation, moto: Store) -> None:
    mesh.rests()
    asked, mark = moto.requests(), mesh.cluster.audit.mark()
    time.sleep(QUIET)
    requests = mesh.cluster.audit.read(since=mark, user=f"system:serviceaccount:{NAMESPACE}")
    assert [request for request in requests if request.writes] == []
    assert moto.requests() - asked <= MOST_STORE_REQUESTS


def test_the_good_objects_beside_them_are_ready(mesh: Installation) -> None:
    for manifest in (*GOOD, GOOD_PRODUCT):
        metadata = manifest["metadata"]
        found = conditions(mesh, manifest["kind"], metadata["name"], metadata.get("namespace", ""))
        assert found["Ready"]["status"] == "True", metadata["name"]
        assert "Stalled" not in found


def test_the_log_has_no_traceback(mesh: Installation) -> None:
    assert mesh.log()
    assert "Traceback" not in mesh.log()


def page() -> str:
    """docs/wrong-manifests.md."""
    refused = [_row(case.manifest["kind"], case.what, "", case.says) for case in REFUSED]
    stalled = [_row(case.manifest["kind"], case.what, f"{case.ends}: `{case.reason}`", " … ".join(case.says)) for case in STALLS]
    head = "# Wrong manifests"
    intro = (
        "Manifests with a mistake, and the message for each. Every row is a test. The page is generated from the tables in\n"
        "`tests/e2e/refusals*.py`, `bounds*.py` and `stalls.py` by `UPDATE=1 pytest tests/e2e/test_wrong_manifests.py -k fresh`."
    )
    door = "## Refused by the API server\n\n`kubectl apply` fails, and nothing is stored.\n\n| kind | manifest | message |\n|---|---|---|"
    status = (
        "## Reported by the operator\n\nThe object is stored, and its Ready condition says what prevents it. "
        "Stalled: somebody must change something. Reconciling: it continues when what is missing exists."
        "\n\n| kind | manifest | state and reason | message |\n|---|---|---|---|"
    )
    return "\n\n".join([head, intro, "\n".join([door, *refused]), "\n".join([status, *stalled])]) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells if cell) + " |"


def test_the_page_is_fresh() -> None:
    if os.environ.get("UPDATE"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "run UPDATE=1 pytest tests/e2e/test_wrong_manifests.py -k fresh"


def test_there_are_at_least_sixty_and_no_two_alike() -> None:
    said = [(case.manifest["kind"], case.what) for case in REFUSED] + [(case.manifest["kind"], case.what) for case in STALLS]
    assert len(said) == len(set(said)) >= 60
