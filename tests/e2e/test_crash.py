"""The operator dies at writes that are drawn by lot, Kubernetes' and the store's, before and after them; and all ends as if it had not."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.plan.names import is_marker_name
from hack.tools.store import Store
from tests.support import pod
from tests.support.installation import ROOT, Installation
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.pods import in_a_pod

KILLS = 20
LONGEST = 18
"""Writes that one life may last; a product with a request and its grant costs about thirty."""
SEED = int(os.environ.get("CRASH_SEED", "20261124"))
KILLER = ROOT / "tests" / "support" / "killer" / "sitecustomize.py"
KEPT = "/tmp"  # noqa: S108 - the container's; what is there is kept while the container is started again
CARRIED = {"extraEnv[0].name": "PYTHONPATH", "extraEnv[0].value": KEPT, "extraEnv[1].name": "KILLER", "extraEnv[1].value": KEPT}


@pytest.fixture
def mesh(pytestconfig: pytest.Config, rgw: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """A mesh of two domains whose operator carries the killer from its second life on."""
    monkeypatch.setattr(pod, "BACKOFF_MAX", 0.1)
    with in_a_pod(pytestconfig, mesh="crash", values=CARRIED) as installed:
        store = installed.reach(rgw)
        installed.give_credentials(store)
        installed.apply(
            a_store(endpointUrl=store.endpoint, region=store.region, bucketPrefix="crash"), a_domain("sales"), a_domain("inventory")
        )
        installed.wait("objectstore", "main")
        installed.apply(a_product("forecast", "inventory"))
        installed.wait("dataproduct", "forecast", "inventory")
        yield installed


@pytest.fixture
def killer(mesh: Installation) -> Path:
    """The folder of the killer, with all lives drawn."""
    folder = mesh.scratch()
    draw(folder)
    shutil.copy(KILLER, folder)
    return folder


def draw(killer: Path) -> None:
    """The lives, as many before a write as after one."""
    lots = random.Random(SEED)  # noqa: S311 - no secret
    sides = ["before", "after"] * (KILLS // 2)
    lots.shuffle(sides)
    (killer / "plan").write_text("".join(f"{lots.randint(1, LONGEST)} {side}\n" for side in sides))


def journal(killer: Path) -> list[str]:
    """What each life ended at."""
    found = killer / "journal"
    return found.read_text().splitlines() if found.exists() else []


def disturb(mesh: Installation, n: int) -> None:
    """A product, a request for it and the grant; and every third time something earlier goes."""
    request = f"ask-{n}"
    mesh.apply(
        a_product(f"shaken-{n}"),
        a_request(request, dataProductRef={"namespace": "sales", "name": f"shaken-{n}"}, secretName=f"access-{n}"),
        a_grant(f"yes-{n}", dataProductRef={"name": f"shaken-{n}"}, requestRef={"namespace": "inventory", "name": request}),
    )
    if n % 3 == 2:
        mesh.cluster.kubectl("delete", "agrant", f"yes-{n - 2}", "-n", "sales", "--wait=false")
    if n % 3 == 1:
        mesh.cluster.kubectl("delete", "areq", f"ask-{n - 1}", "-n", "inventory", "--wait=false")


def expected(last: int) -> tuple[set[int], set[int]]:
    """Requests that are to have access in the end, and those that are left without: their grant went."""
    gone = {n - 1 for n in range(last) if n % 3 == 1}
    revoked = {n - 2 for n in range(last) if n % 3 == 2} - gone
    return set(range(last)) - gone - revoked, revoked


def test_killed_at_random_writes_it_ends_where_an_undisturbed_run_ends(mesh: Installation, killer: Path, rgw: Store) -> None:
    mesh.kill()
    n = 0
    while len(journal(killer)) < KILLS:
        ended = len(journal(killer))
        disturb(mesh, n)
        n += 1
        mesh.until(lambda ended=ended: len(journal(killer)) > ended or _rests(mesh), seconds=60, what=f"a death (seed {SEED})")  # type: ignore[misc]
    spread = Counter(tuple(line.split()[:2]) for line in journal(killer))
    assert len(spread) == 4, f"{dict(spread)} (seed {SEED})"
    has_access, revoked = expected(n)
    for number in range(n):
        mesh.wait("dataproduct", f"shaken-{number}", "sales", seconds=60)
    for number in has_access:
        mesh.wait("areq", f"ask-{number}", "inventory", seconds=60)
    mesh.until(lambda: not _held(mesh) - {f"ask-{number}" for number in has_access}, seconds=60, what="the revocations")
    assert _principals(mesh, rgw) == _owners(mesh), f"seed {SEED}"
    assert {request for request in revoked if f"ask-{request}" in _held(mesh)} == set()
    for name, namespace in _secrets(mesh):
        _assert_works(mesh, rgw, name, namespace)


def _rests(mesh: Installation) -> bool:
    """Whether the last life goes on and nothing is left to do: then more has to happen for it to die."""
    found = mesh.cluster.kubectl(
        "get", "areq", "-n", "inventory", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Reconciling')].reason}"
    )
    return mesh.is_ready() and not found.strip()


def _items(mesh: Installation, kind: str, namespace: str) -> list[dict[str, Any]]:
    return mesh.all(kind, namespace)


def _requests(mesh: Installation) -> list[dict[str, Any]]:
    return _items(mesh, "areq", "inventory")


def _held(mesh: Installation) -> set[str]:
    """Requests on whose behalf anything stands, as status says."""
    return {request["metadata"]["name"] for request in _requests(mesh) if request["status"].get("grantRef")}


def _owners(mesh: Installation) -> dict[str, int]:
    """Principals that are to be there, each with one key."""
    products = [product for place in ("sales", "inventory") for product in _items(mesh, "dataproduct", place)]
    names = [product["status"]["producer"]["principal"] for product in products]
    names += [request["status"]["principal"] for request in _requests(mesh) if request["status"].get("principal")]
    return dict.fromkeys(sorted(names), 1)


def _principals(mesh: Installation, store: Store) -> dict[str, int]:
    """Principals that are there, with the number of their keys."""
    iam, users = store.client("iam"), store.users(f"/clouddatamesh/{mesh.mesh}/")
    return {name: len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]) for name in users if not is_marker_name(name)}


def _secrets(mesh: Installation) -> list[tuple[str, str]]:
    """Every Secret that must hold a working key."""
    held = [(f"{p['metadata']['name']}-producer", "sales") for p in _items(mesh, "dataproduct", "sales")]
    return held + [(request["spec"]["secretName"], "inventory") for request in _requests(mesh) if request["status"].get("grantRef")]


def _assert_works(mesh: Installation, store: Store, name: str, namespace: str) -> None:
    data = mesh.secret(name, namespace)
    client = store.client("s3", access_key=data["access-key-id"], secret_key=data["secret-access-key"])
    client.list_objects_v2(Bucket=data["bucket"], Prefix=data["prefix"])
