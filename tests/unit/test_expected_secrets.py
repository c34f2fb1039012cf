"""Which Secrets are asked for between looks: those that were read back, of objects that live."""

from typing import Any

import pytest

from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.reconcile.secrets import find_expected
from tests.support.manifests import a_product, a_request
from tests.support.worlds import SETTINGS

CASES = {
    "DataProduct": (a_product(), "CredentialsReady", "orders-producer"),
    "AccessRequest": (a_request(), "Provisioned", "orders-access"),
}


def expected(kind: str, *, read_back: str = "True", bound: bool = True, deleted: bool = False) -> list[tuple[Key, Key]]:
    """What is asked for while the object of that kind has this status."""
    manifest, condition, secret = CASES[kind]
    cluster, key = MemoryCluster(SETTINGS), key_of(manifest)
    cluster.user_apply(manifest)
    status: dict[str, Any] = {"conditions": [{"type": condition, "status": read_back}]}
    uid = dict(cluster.raw(key) or {})["metadata"]["uid"]
    cluster.write_status(key, uid, {**status, **({"binding": {"name": secret}} if bound else {})})
    if deleted:
        cluster.user_finalize(key, "example.com/held")
        cluster.user_delete(key)
    return list(find_expected(cluster))


@pytest.mark.parametrize("kind", CASES)
def test_what_was_read_back_is_asked_for(kind: str) -> None:
    manifest, _, secret = CASES[kind]
    assert expected(kind) == [(key_of(manifest), Key("Secret", manifest["metadata"]["namespace"], secret))]


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("state", [{"read_back": "False"}, {"read_back": "Unknown"}, {"bound": False}, {"deleted": True}])
def test_what_is_known_to_be_missing_or_goes_is_not(kind: str, state: dict[str, Any]) -> None:
    assert expected(kind, **state) == []
