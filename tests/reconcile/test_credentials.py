"""The producer's key and Secret, where something stands in the way."""

from clouddatamesh.model.objects import Key
from tests.reconcile.flows import ENDPOINT, ready
from tests.support.mesh import Mesh

FOREIGN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "orders-producer", "namespace": "sales"},
    "stringData": {"a": "theirs"},
}


def test_a_foreign_secret_is_left_alone_and_no_key_is_left_behind() -> None:
    mesh = Mesh().apply(FOREIGN)
    ready(mesh).settle()
    found = mesh.condition("DataProduct", "orders", "sales", type_="CredentialsReady")
    assert (found["status"], found["reason"]) == ("False", "NotOwned")
    assert "spec.producer.secretName" in found["message"]
    assert mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer")) == {"a": "theirs"}
    assert [user.keys for user in mesh.stores.at(ENDPOINT).users.values() if "marker" not in user.name] == [()]
    mesh.cluster.user_delete(Key("Secret", "sales", "orders-producer"))
    assert mesh.settle().condition("DataProduct", "orders", "sales")["status"] == "True"


def test_a_secret_that_somebody_wrote_into_is_replaced_with_a_fresh_key() -> None:
    mesh = ready(Mesh()).settle()
    before = mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer"))
    tampered = {**FOREIGN, "stringData": {"secret-access-key": "theirs"}}
    mesh.cluster.user_apply(
        {**tampered, "metadata": {**dict(mesh.cluster.raw(Key("Secret", "sales", "orders-producer")) or {})["metadata"]}}
    )
    mesh.settle()
    after = mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer"))
    assert after["access-key-id"] != before["access-key-id"]
    assert [key.id for user in mesh.stores.at(ENDPOINT).users.values() for key in user.keys] == [after["access-key-id"]]
