"""The operator's own token in the hands of somebody else, on the real API server: what RBAC refuses, and what the guard policies refuse.

What is left to the token is what the operator does all day: docs/security.md says it. The token is one that the API server issued.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.tools.credentials import write_kubeconfig
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.security.attempts import BY_GUARD, BY_RBAC
from tests.security.stolen import ACTS, CORE, MESH, OWN, Act
from tests.support.rest import Api, ApiError

REFUSED = {BY_RBAC: (403,), BY_GUARD: (403, 422)}


@pytest.fixture(scope="module")
def thief(mesh: Actors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Whoever has a token of the operator, and a namespace that no Domain has."""
    cluster = mesh.installed.cluster
    mesh.installed.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nobodys"}})
    admin = Api(cluster.kubeconfig)
    issued = admin.post(f"{CORE}/{OWN}/serviceaccounts/clouddatamesh/token", {"spec": {"expirationSeconds": 600}})
    place: Path = tmp_path_factory.mktemp("thief")
    write_kubeconfig(place / "kubeconfig", cluster.endpoint, {"token": issued["status"]["token"]})
    yield Api(place / "kubeconfig")
    cluster.kubectl("delete", "namespace", "nobodys", "--wait=false")


def test_the_token_is_the_operators(thief: Api) -> None:
    """Or else everything below would be refused for another reason."""
    who = thief.post(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    )
    assert who["status"]["userInfo"]["username"] == SERVICE_ACCOUNT
    assert [found["metadata"]["name"] for found in thief.get(f"{MESH}/domains")["items"]]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.what.removeprefix("the stolen token "))
def test_is_refused(thief: Api, act: Act) -> None:
    with pytest.raises(ApiError) as refused:
        thief.ask(act.method, act.path, act.body, kind=act.kind, headers=dict(act.headers))
    assert act.says in str(refused.value).replace("\\", "")
    assert refused.value.code in REFUSED[act.by]


def test_each_is_another_act() -> None:
    assert len(ACTS) >= 30
    assert len({act.what for act in ACTS}) == len(ACTS)
    assert len({(act.method, act.path, str(act.body), str(act.headers)) for act in ACTS}) == len(ACTS)
    kinds = {(act.method, act.path.partition("?")[0].replace("kube-system", "x").replace("sales", "x"), act.by) for act in ACTS}
    assert len(kinds) >= 45, "distinct in what is done to which resource, whatever the place"
