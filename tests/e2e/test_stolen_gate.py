"""The gate program's own token in the hands of somebody else, on the real API server: what it must not do, and what it can do.

docs/security.md says what it is worth: it can write every admission policy, and nothing but the API server's RBAC bounds it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.tools.credentials import write_kubeconfig
from tests.e2e.actors import Actors
from tests.security.stolen import CORE, OWN, Act
from tests.security.stolen_gate import ACTS
from tests.support.rest import Api, ApiError

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


@pytest.fixture(scope="module")
def thief(mesh: Actors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Whoever has a token of the gate program."""
    cluster = mesh.installed.cluster
    issued = Api(cluster.kubeconfig).post(f"{CORE}/{OWN}/serviceaccounts/clouddatamesh-gate/token", {"spec": {"expirationSeconds": 600}})
    place: Path = tmp_path_factory.mktemp("thief")
    write_kubeconfig(place / "kubeconfig", cluster.endpoint, {"token": issued["status"]["token"]})
    yield Api(place / "kubeconfig")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.what)
def test_is_refused(thief: Api, act: Act) -> None:
    with pytest.raises(ApiError) as refused:
        thief.ask(act.method, act.path, act.body, kind=act.kind, headers=dict(act.headers))
    assert (refused.value.code, act.says in str(refused.value)) == (403, True)


def test_each_is_another_act() -> None:
    assert len(ACTS) >= 40
    assert len({act.what for act in ACTS}) == len(ACTS)


def test_what_it_can_do_is_what_the_page_says(thief: Api) -> None:
    """It takes away a guard: this is why the operator has no such right, and why the value is off by default."""
    guards = [found["metadata"]["name"] for found in thief.get(POLICIES)["items"]]
    assert "clouddatamesh-operator-guard-children" in guards
    thief.ask("DELETE", f"{POLICIES}/clouddatamesh-operator-guard-children?dryRun=All")
