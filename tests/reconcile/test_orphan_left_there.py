"""An annotation `orphan` that was left on a living request gives up nothing of a store that is only not recognised for a while."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.reconcile.access_flows import REQUEST, SECRET, granted
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_request, a_store, annotated
from tests.support.mesh import Mesh

ELSEWHERE: Final = "https://elsewhere.test"
Act = Callable[[Mesh], object]


def another_account(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).switch_account("other")


def its_own_account(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).switch_account("account")


def another_endpoint(mesh: Mesh) -> None:
    mesh.stores.at(ELSEWHERE).root = mesh.stores.at(ENDPOINT).root
    mesh.apply(a_store(endpointUrl=ELSEWHERE))


def its_own_endpoint(mesh: Mesh) -> None:
    mesh.apply(a_store())


def another_iam(mesh: Mesh) -> None:
    mesh.stores.at(ELSEWHERE).root = mesh.stores.at(ENDPOINT).root
    mesh.apply(a_store(iamEndpointUrl=ELSEWHERE))


SWAPS: Final = {
    "credentials of another account": (another_account, its_own_account),
    "another endpoint": (another_endpoint, its_own_endpoint),
    "another IAM endpoint": (another_iam, its_own_endpoint),
}


def record(mesh: Mesh) -> tuple[object, ...]:
    status = mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]
    return tuple(status.get(field) for field in ("principal", "place", "accessKeyId", "grantRef", "abandoned"))


@pytest.mark.parametrize("what", SWAPS)
def test_it_costs_no_key_while_a_store_is_not_recognised(what: str) -> None:
    swap, heal = SWAPS[what]
    mesh = granted(Mesh()).apply(annotated(a_request(), orphan=REQUEST.name))
    driven = Driven(mesh).run(minutes=10)
    key, told = mesh.cluster.secret_data(SECRET), record(mesh)
    swap(mesh)
    for _ in range(8):
        driven.run(minutes=1)
        assert record(mesh) == told and mesh.cluster.secret_data(SECRET) == key
    heal(mesh)
    driven.run(minutes=10)
    assert record(mesh) == told and mesh.cluster.secret_data(SECRET) == key
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Granted"


def test_a_request_that_is_deleted_lets_go_as_ever() -> None:
    mesh = granted(Mesh()).apply(annotated(a_request(), orphan=REQUEST.name))
    driven = Driven(mesh).run(minutes=10)
    another_account(mesh)
    driven.run(minutes=2)
    mesh.delete("AccessRequest", REQUEST.name, REQUEST.namespace)
    driven.run(minutes=5)
    assert not mesh.exists("AccessRequest", REQUEST.name, REQUEST.namespace)
