"""How a store is reached by what its ObjectStore and its Secret say, and whose fault it is where that fails."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.places import about_the_store, cluster_uid, connection_of, find_other_store
from tests.support.manifests import CREDENTIALS
from tests.support.mesh import Mesh
from tests.support.worlds import the_store

KEYS: Final = {"access-key-id": "KEY", "secret-access-key": "hidden"}
AWS: Final = {"endpointUrl": None}


class Secrets:
    """The operator's own Secrets."""

    def __init__(self, data: Mapping[str, str] | None) -> None:
        self.data = data

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        return self.data if name == CREDENTIALS else None


def connect(data: Mapping[str, str] | None = KEYS, *, status: Mapping[str, Any] | None = None, **spec: Any) -> Connection:
    store = the_store(**spec)
    told = store.status.model_dump(by_alias=True, exclude_none=True)
    return connection_of(store.model_copy(update={"status": type(store.status).model_validate({**told, **(status or {})})}), Secrets(data))


@pytest.mark.parametrize(
    ("spec", "endpoint", "iam", "style"),
    [
        ({}, "https://s3.test", "https://s3.test", "path"),
        ({"iamEndpointUrl": "https://iam.test"}, "https://s3.test", "https://iam.test", "path"),
        ({"addressingStyle": "virtual"}, "https://s3.test", "https://s3.test", "virtual"),
        (AWS, None, None, "virtual"),
        ({**AWS, "addressingStyle": "path"}, None, None, "path"),
        ({"endpointUrl": "https://s3.eu-central-1.amazonaws.com"}, "https://s3.eu-central-1.amazonaws.com", None, "virtual"),
        ({**AWS, "iamEndpointUrl": "https://iam.test"}, None, "https://iam.test", "virtual"),
    ],
    ids=["one endpoint", "two endpoints", "a style", "AWS", "AWS by path", "AWS by its endpoint", "AWS with another IAM"],
)
def test_the_endpoints_are_as_spec_says_and_otherwise_the_stores_own(
    spec: dict[str, Any], endpoint: str | None, iam: str | None, style: str
) -> None:
    found = connect(**spec)
    assert (found.endpoint, found.iam_endpoint, found.addressing_style) == (endpoint, iam, style)


def test_the_keys_are_those_of_the_secret_without_what_an_editor_added() -> None:
    found = connect({"access-key-id": " KEY\n", "secret-access-key": "hidden \n"})
    assert (found.access_key_id, found.secret_access_key) == ("KEY", "hidden")


def test_without_a_secret_the_operator_uses_its_own_identity() -> None:
    found = connect(None, credentialsSecretRef=None)
    assert (found.access_key_id, found.secret_access_key) == (None, None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "does not exist in the operator's namespace"),
        ({}, "lacks access-key-id and secret-access-key"),
        ({"access-key-id": "KEY"}, "lacks secret-access-key"),
        ({"access-key-id": "", "secret-access-key": "hidden"}, "lacks access-key-id"),
    ],
    ids=["no Secret", "empty", "no secret key", "an empty key id"],
)
def test_what_is_missing_of_the_secret_is_named(data: Mapping[str, str] | None, why: str) -> None:
    with pytest.raises(Terminal) as told:
        connect(data)
    assert told.value.reason == reasons.CREDENTIALS_MISSING
    assert told.value.message == f"Secret {CREDENTIALS}, named in spec.credentialsSecretRef, {why}"


WITHOUT_OWNER: Final = [{"name": name, "supported": name != b.EXPECTED_OWNER, "proof": "ReadBack"} for name in b.CAPABILITIES]


@pytest.mark.parametrize(
    ("status", "owner"),
    [({"account": "4711"}, "4711"), ({}, None), ({"account": ""}, None), ({"account": "4711", "capabilities": WITHOUT_OWNER}, None)],
    ids=["told", "not told", "empty", "not supported"],
)
def test_the_expected_owner_is_sent_where_it_is_known_and_the_store_answers_to_it(status: dict[str, Any], owner: str | None) -> None:
    assert connect(status=status).expected_owner == owner


def test_a_cluster_is_named_by_its_kube_system() -> None:
    mesh = Mesh()
    mesh.cluster.be_cluster("uid-of-this")
    assert cluster_uid(mesh.ports) == "uid-of-this"
    mesh.cluster.user_delete(Key("Namespace", "", "kube-system"))
    with pytest.raises(Transient, match="was not seen yet") as told:
        cluster_uid(mesh.ports)
    assert told.value.reason == reasons.CLUSTER_UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "kind", "reason", "message"),
    [
        (Terminal(reasons.CREDENTIALS_INVALID, "Wrong key"), Waiting, reasons.STORE_NOT_READY, "ObjectStore main is not Ready: Wrong key"),
        (Terminal(reasons.CERTIFICATE_INVALID, "Old"), Waiting, reasons.STORE_NOT_READY, "ObjectStore main is not Ready: Old"),
        (Terminal(reasons.CREDENTIALS_MISSING, "No key"), Waiting, reasons.STORE_NOT_READY, "ObjectStore main is not Ready: No key"),
        (Terminal(reasons.NOT_THE_SAME_STORE, "Another"), Waiting, reasons.NOT_THE_SAME_STORE, "Another"),
        (Terminal(reasons.STORE_REFUSED, "No"), Terminal, reasons.STORE_REFUSED, "No"),
        (Transient(reasons.CREDENTIALS_INVALID, "For now"), Transient, reasons.CREDENTIALS_INVALID, "For now"),
        (Transient(reasons.STORE_UNAVAILABLE, "Away"), Transient, reasons.STORE_UNAVAILABLE, "Away"),
        (Waiting(reasons.NOT_THE_SAME_STORE, "Set it back"), Waiting, reasons.NOT_THE_SAME_STORE, "Set it back"),
    ],
    ids=lambda value: f"{type(value).__name__} {value.reason}" if isinstance(value, MeshError) else "",
)
def test_what_is_wrong_with_the_store_is_the_stores_to_tell(error: MeshError, kind: type[MeshError], reason: str, message: str) -> None:
    found = about_the_store(error, the_store())
    assert (type(found), found.reason, found.message) == (kind, reason, message)


@pytest.mark.parametrize(
    ("recorded", "now", "is_other"),
    [("a", "b", True), ("a", "a", False), ("", "b", False), (None, "b", False), ("a", None, False), ("a", "", False)],
)
def test_what_was_made_in_another_store_is_known_by_the_ids(recorded: str | None, now: str | None, is_other: bool) -> None:
    store = the_store()
    store = store.model_copy(update={"status": store.status.model_copy(update={"store_id": now})})
    error = find_other_store(store, recorded)
    if not is_other:
        assert error is None
        return
    assert isinstance(error, Waiting) and error.reason == reasons.NOT_THE_SAME_STORE
    assert error.message == "ObjectStore main leads to store b now, and this was made in store a; set the ObjectStore back"
