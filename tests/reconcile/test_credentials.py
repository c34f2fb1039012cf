"""The producer's key and Secret, where something stands in the way."""

import json
from dataclasses import replace
from typing import Any

from clouddatamesh.model.objects import Key
from tests.reconcile.flows import ENDPOINT, ready
from tests.support.manifests import a_product, annotated
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


SECRET = Key("Secret", "sales", "orders-producer")
PRODUCT = ("DataProduct", "orders", "sales")


def held(mesh: Mesh) -> str:
    """Id of the key in the Secret."""
    return mesh.cluster.secret_data(SECRET)["access-key-id"]


def alive(mesh: Mesh) -> list[str]:
    """Ids of the producer's keys in the store."""
    users = mesh.stores.at(ENDPOINT).users.items()
    return [key.id for name, user in users if "marker" not in name for key in user.keys]


def producer(mesh: Mesh) -> dict[str, Any]:
    """What status says of the producer."""
    return dict(mesh.get(*PRODUCT)["status"]["producer"])


def ask(mesh: Mesh, token: str, **producer: Any) -> None:
    """Somebody writes the rotate annotation."""
    mesh.apply(annotated(a_product(producer={"secretName": "orders-producer", **producer}), rotate=token)).settle()


def due(mesh: Mesh) -> float:
    """In how many seconds the product is looked at again."""
    after = mesh.last[Key("DataProduct", "sales", "orders")].after
    assert after is not None
    return after


def test_a_secret_that_somebody_wrote_into_is_replaced_and_the_former_key_works_for_an_hour() -> None:
    mesh = ready(Mesh()).settle()
    before = held(mesh)
    tampered = {**FOREIGN, "stringData": {"secret-access-key": "theirs"}}
    mesh.cluster.user_apply({**tampered, "metadata": {**dict(mesh.cluster.raw(SECRET) or {})["metadata"]}})
    mesh.settle()
    after = held(mesh)
    assert after != before
    assert alive(mesh) == [before, after]
    mesh.clock.forward(minutes=59)
    assert alive(mesh.settle()) == [before, after]
    mesh.clock.forward(minutes=1)
    assert alive(mesh.settle()) == [after]
    assert "rotation" not in producer(mesh)


def test_a_secret_that_was_deleted_comes_back_and_whoever_read_it_works_on() -> None:
    mesh = ready(Mesh()).settle()
    before = held(mesh)
    mesh.cluster.user_delete(SECRET)
    mesh.settle()
    assert alive(mesh) == [before, held(mesh)]
    mesh.cluster.user_delete(SECRET)
    former = alive(mesh)[1]
    mesh.settle()
    assert alive(mesh) == [former, held(mesh)], "a store takes two keys: the one that was deleted last has the hour"


def test_a_key_that_an_administrator_switched_off_gets_no_hour() -> None:
    mesh = ready(Mesh()).settle()
    (user,) = (user for name, user in mesh.stores.at(ENDPOINT).users.items() if "marker" not in name)
    mesh.stores.at(ENDPOINT).users[user.name] = replace(user, keys=tuple(replace(key, active=False) for key in user.keys))
    mesh.settle()
    assert alive(mesh) == [held(mesh)]


def test_a_producers_key_is_rotated_by_annotation_once() -> None:
    mesh = ready(Mesh()).settle()
    before = held(mesh)
    ask(mesh, "1")
    assert alive(mesh) == [before, held(mesh)]
    assert producer(mesh)["lastHandledRotate"] == "1"
    assert before not in json.dumps(mesh.get(*PRODUCT)["status"]), "whoever may discover products reads this"
    assert due(mesh) <= 3600
    mesh.clock.forward(hours=1)
    former = held(mesh)
    assert alive(mesh.settle()) == [former]
    mesh.clock.forward(days=1)
    assert alive(mesh.settle()) == [former]


def test_a_second_wish_within_the_hour_is_answered_and_done_when_the_first_is_over() -> None:
    mesh = ready(Mesh()).settle()
    ask(mesh, "1")
    first = held(mesh)
    ask(mesh, "2")
    found = mesh.condition(*PRODUCT, type_="CredentialsReady")
    assert (found["status"], found["reason"]) == ("True", "RotationPending")
    assert "rotate=2 replaces it at 01:00 UTC" in found["message"]
    assert [event for _, event in mesh.cluster.events if event.reason == "RotationPending"] != []
    assert held(mesh) == first
    mesh.clock.forward(hours=1)
    mesh.settle()
    assert alive(mesh) == [first, held(mesh)]
    assert mesh.condition(*PRODUCT, type_="CredentialsReady")["reason"] == "Ready"


def test_a_producers_key_is_rotated_by_age() -> None:
    mesh = ready(Mesh())
    mesh.apply(a_product(producer={"secretName": "orders-producer", "rotateAfter": "30d"})).settle()
    first = held(mesh)
    mesh.clock.forward(days=29, hours=23)
    mesh.settle()
    assert held(mesh) == first
    mesh.clock.forward(hours=1)
    mesh.settle()
    assert alive(mesh) == [first, held(mesh)]
    second = held(mesh)
    mesh.clock.forward(days=29)
    mesh.settle()
    assert alive(mesh) == [second]


def test_a_suspended_product_is_not_rotated_and_says_so() -> None:
    mesh = ready(Mesh()).settle()
    before = held(mesh)
    suspended = annotated({**a_product(suspend=True)}, rotate="1")
    mesh.apply(suspended).settle()
    assert alive(mesh) == [before]
    assert "issue a new key" in mesh.condition(*PRODUCT)["message"]
    mesh.apply(annotated(a_product(), rotate="1")).settle()
    assert alive(mesh) == [before, held(mesh)]


def test_by_a_clock_that_is_not_trusted_no_key_is_rotated_and_none_ends() -> None:
    mesh = ready(Mesh()).settle()
    ask(mesh, "1")
    found = alive(mesh)
    mesh.clock.trusted = False
    mesh.clock.forward(days=1)
    ask(mesh, "2")
    assert alive(mesh) == found
    mesh.clock.trusted = True
    mesh.settle()
    assert alive(mesh) == [found[1], held(mesh)]


def test_a_renamed_secret_leaves_the_former_key_its_hour() -> None:
    mesh = ready(Mesh()).settle()
    before = held(mesh)
    mesh.apply(a_product(producer={"secretName": "other"})).settle()
    assert mesh.cluster.raw(SECRET) is None
    after = mesh.cluster.secret_data(Key("Secret", "sales", "other"))["access-key-id"]
    assert alive(mesh) == [before, after]


def test_a_product_of_before_keeps_its_key_and_an_old_wish_is_over() -> None:
    """Status of an earlier version says nothing of the key, and the annotation was never heard."""
    mesh = ready(Mesh()).settle()
    before, known = held(mesh), mesh.get(*PRODUCT)
    mesh.apply(annotated(a_product(), rotate="old"))
    status = {**known["status"], "producer": {"principal": known["status"]["producer"]["principal"]}}
    mesh.cluster.write_status(Key(*("DataProduct", "sales", "orders")), known["metadata"]["uid"], status)
    mesh.settle()
    assert alive(mesh) == [before]
    assert producer(mesh)["lastHandledRotate"] == "old"


def test_a_product_without_a_key_says_that_there_is_nothing_to_rotate() -> None:
    mesh = ready(Mesh()).apply(annotated(a_product(producer=None), rotate="1")).settle()
    found = mesh.condition(*PRODUCT, type_="CredentialsReady")
    assert (found["status"], found["reason"]) == ("False", "InvalidSpec")
    assert "no spec.producer" in found["message"]
    assert mesh.condition(*PRODUCT)["status"] == "True"
