"""What a store shows is there; that it does not show something is believed only of the very store, in which this cluster is at home."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Waiting
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.takeover import TakeOver
from clouddatamesh.plan import marks, names
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.places import Place, open_place
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.flows import ENDPOINT, Act, ready
from tests.support.manifests import a_store
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
STORE: Final = Key("ObjectStore", "", "main")
LOST: Final = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c0"
OLDER: Final = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1"


@cache
def _settled() -> Mesh:
    return ready(Mesh()).settle()


def a_mesh() -> Mesh:
    return _settled().copy()


def opened(mesh: Mesh, **edits: Any) -> Place | MeshError:
    """The store, as a fresh visit of the product finds it; `edits` are of what its status says."""
    store = parse(ObjectStore, mesh.get("ObjectStore", "main"))
    store = store.model_copy(update={"status": store.status.model_copy(update=edits)})
    return open_place(store, Visit.of(PRODUCT, mesh.product(), mesh.ports))


def a_place(mesh: Mesh, **edits: Any) -> Place:
    place = opened(mesh, **edits)
    assert isinstance(place, Place), place
    return place


def home(mesh: Mesh) -> str:
    """The mesh's own bucket."""
    return names.mesh_bucket_name("acme", mesh.settings.mesh)


def retag(mesh: Mesh, tag: str, value: str) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[home(mesh)]
    held.bucket = replace(held.bucket, tags=tuple(sorted({**dict(held.bucket.tags), tag: value}.items())))


def drop_home(mesh: Mesh) -> None:
    del mesh.stores.at(ENDPOINT).buckets[home(mesh)]


def drop_marker(mesh: Mesh) -> None:
    users = mesh.stores.at(ENDPOINT).users
    users.pop(next(name for name in users if names.is_marker_name(name)))


def move_marker(mesh: Mesh) -> None:
    users = mesh.stores.at(ENDPOINT).users
    name = next(name for name in users if names.is_marker_name(name))
    users[name] = replace(users[name], path=names.principal_path(mesh.settings.mesh, LOST))


BUCKET_DOUBTS: Final[dict[str, tuple[Act, str]]] = {
    "its bucket is gone": (drop_home, f"{reasons.NOT_THE_SAME_STORE}: ObjectStore main was not recognised: its bucket"),
    "its bucket is another cluster's": (lambda mesh: retag(mesh, marks.CLUSTER_TAG, LOST), reasons.NOT_THE_SAME_STORE),
    "its bucket is another mesh's": (lambda mesh: retag(mesh, marks.MESH_TAG, "other"), reasons.NOT_THE_SAME_STORE),
    "its bucket is another store's": (lambda mesh: retag(mesh, marks.STORE_TAG, "other"), reasons.NOT_THE_SAME_STORE),
    "its bucket cannot be read": (lambda mesh: mesh.stores.at(ENDPOINT).refuse("observe", name=home(mesh)), reasons.ACCESS_DENIED),
    "its spec changed": (lambda mesh: mesh.apply(a_store(region="eu-west-1")), f"{reasons.STORE_NOT_READY}: ObjectStore main was changed"),
}
USER_DOUBTS: Final[dict[str, tuple[Act, str]]] = {
    "its marker is gone": (drop_marker, f"{reasons.NOT_THE_SAME_STORE}: ObjectStore main was not recognised: its IAM user"),
    "its marker is another cluster's": (move_marker, reasons.NOT_THE_SAME_STORE),
    "its spec changed": BUCKET_DOUBTS["its spec changed"],
}


def told(seen: object) -> str:
    return f"{seen.error.reason}: {seen.error.message}" if isinstance(seen, Unknown) else type(seen).__name__


def test_what_is_not_there_is_absent() -> None:
    place = a_place(a_mesh())
    assert (told(place.observe_bucket("nothing")), told(place.observe_principal("nobody"))) == ("Absent", "Absent")


@pytest.mark.parametrize("doubt", BUCKET_DOUBTS)
def test_a_bucket_that_does_not_show_in_a_doubtful_store_is_unknown_and_one_that_shows_is_there(doubt: str) -> None:
    mesh = a_mesh()
    act, why = BUCKET_DOUBTS[doubt]
    act(mesh)
    place = a_place(mesh)
    assert told(place.observe_bucket("nothing")).startswith(why)
    assert isinstance(place.observe_bucket(mesh.bucket_of()), Present)


@pytest.mark.parametrize("doubt", USER_DOUBTS)
def test_a_user_that_does_not_show_in_a_doubtful_store_is_unknown_and_one_that_shows_is_there(doubt: str) -> None:
    mesh = a_mesh()
    act, why = USER_DOUBTS[doubt]
    act(mesh)
    place = a_place(mesh)
    assert told(place.observe_principal("nobody")).startswith(why)
    assert isinstance(place.observe_principal(mesh.product()["status"]["producer"]["principal"]), Present)


def test_doubt_of_users_is_none_of_buckets_and_the_other_way_round() -> None:
    mesh = a_mesh()
    drop_marker(mesh)
    assert isinstance(a_place(mesh).observe_bucket("nothing"), Absent)
    mesh = a_mesh()
    drop_home(mesh)
    assert isinstance(a_place(mesh).observe_principal("nobody"), Absent)


def test_a_store_without_an_id_is_recognised_by_its_bucket_alone() -> None:
    place = a_place(a_mesh(), store_id=None)
    assert isinstance(place.observe_bucket("nothing"), Absent)
    assert told(place.observe_principal("nobody")).endswith("it has no id yet; nothing is concluded")


@pytest.mark.parametrize(
    ("seconds", "bucket", "user"),
    [(0, "Absent", "Absent"), (29, "Absent", "Absent"), (30, "NotTheSameStore", "NotTheSameStore")],
)
def test_what_was_shown_of_the_store_holds_for_half_a_minute(seconds: int, bucket: str, user: str) -> None:
    mesh = a_mesh()
    before = a_place(mesh)
    before.observe_bucket("nothing"), before.observe_principal("nobody")
    drop_home(mesh)
    drop_marker(mesh)
    mesh.clock.forward(seconds=seconds)
    place = a_place(mesh)
    assert told(place.observe_bucket("nothing")).split(":")[0] == bucket
    assert told(place.observe_principal("nobody")).split(":")[0] == user


def test_a_doubt_is_asked_again_at_once() -> None:
    mesh = a_mesh()
    kept = mesh.stores.at(ENDPOINT).buckets[home(mesh)]
    drop_home(mesh)
    assert isinstance(a_place(mesh).observe_bucket("nothing"), Unknown)
    mesh.stores.at(ENDPOINT).buckets[home(mesh)] = kept
    assert isinstance(a_place(mesh).observe_bucket("nothing"), Absent)


LOOKS: Final[dict[str, Callable[[Place, str], object]]] = {
    "a bucket": lambda place, name: place.observe_bucket(name),
    "a user": lambda place, name: place.observe_principal(name),
    "a region": lambda place, name: place.find_region(name),
    "openings": lambda place, name: place.find_openings(name),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_visit_asks_once_for_each_thing(look: str) -> None:
    mesh = a_mesh()
    place, calls, bucket = a_place(mesh), mesh.stores.at(ENDPOINT).calls, mesh.bucket_of()
    first = LOOKS[look](place, bucket)
    asked = len(calls)
    assert LOOKS[look](place, bucket) == first and len(calls) == asked
    LOOKS[look](place, home(mesh))
    assert len(calls) > asked


def test_credentials_that_the_store_refuses_are_waited_for() -> None:
    mesh = a_mesh()
    place = a_place(mesh)
    mesh.stores.at(ENDPOINT).root = replace(mesh.stores.at(ENDPOINT).root, id="OTHER")
    for seen in (place.observe_bucket("nothing"), place.observe_principal("nobody"), place.count("nothing")):
        assert isinstance(seen, Unknown) and isinstance(seen.error, Waiting)
        assert told(seen).startswith(f"{reasons.STORE_NOT_READY}: ObjectStore main is not Ready")


# Users that lost clusters made.


def rebuilt() -> Mesh:
    """A cluster that takes over from two lost ones, of which each left a user for the product."""
    mesh = a_mesh().apply(a_store(takeOverFrom=[LOST, OLDER])).settle()
    for cluster in (LOST, OLDER):
        name = names.principal_name(mesh.settings.mesh, cluster, PRODUCT)
        mesh.stores.at(ENDPOINT).users[name] = Principal(name, names.principal_path(mesh.settings.mesh, cluster))
    return mesh


def formers(mesh: Mesh, own: str = "", done: tuple[str, ...] = ()) -> dict[str, str]:
    """By name, how each former user was seen."""
    record = TakeOver(done=done, marker=mesh.get("ObjectStore", "main")["status"]["marker"])
    return {user.name: told(user.seen).split(":")[0] for user in a_place(mesh).observe_formers(PRODUCT, own, record)}


def test_former_users_are_looked_for_by_either_name_but_the_own_one_and_those_of_clusters_that_left_none() -> None:
    mesh = rebuilt()
    lost, older = (names.principal_name(mesh.settings.mesh, cluster, PRODUCT) for cluster in (LOST, OLDER))
    before = names.former_principal_name(mesh.settings.mesh, PRODUCT)
    assert formers(mesh) == {lost: "Present", older: "Present", before: "Absent"}
    assert formers(mesh, own=before) == {lost: "Present", older: "Present"}
    assert formers(mesh, done=(LOST,)) == {older: "Present", before: "Absent"}
    assert formers(mesh, done=(LOST, OLDER)) == {}


def test_former_users_are_not_this_clusters_to_end_where_another_one_took_the_store_over() -> None:
    mesh = rebuilt()
    retag(mesh, marks.CLUSTER_TAG, OLDER)
    mesh.clock.forward(seconds=30)
    assert set(formers(mesh).values()) == {"NotTheSameStore"}


# Where a bucket is.


@pytest.mark.parametrize(
    ("location", "own", "expected"),
    [
        ("", "", ("us-east-1", "Store")),
        ("", "zone-a", ("us-east-1", "Store")),
        ("zone-a", "zone-a", ("us-east-1", "Store")),
        ("zone-b", "zone-a", ("zone-b", "Bucket")),
        ("zone-b", "", ("zone-b", "Bucket")),
    ],
    ids=["no name", "no name for it", "as the mesh's own", "elsewhere", "elsewhere, and none for the mesh's own"],
)
def test_a_bucket_is_where_the_mesh_is_at_home_unless_the_store_names_another_place(
    location: str, own: str, expected: tuple[str, str]
) -> None:
    mesh = a_mesh()
    store = mesh.stores.at(ENDPOINT)
    store.buckets[mesh.bucket_of()].location, store.buckets[home(mesh)].location = location, own
    assert a_place(mesh).find_region(mesh.bucket_of()) == expected


def test_where_the_store_does_not_say_nobody_knows() -> None:
    mesh = a_mesh()
    mesh.stores.at(ENDPOINT).refuse("locate")
    assert a_place(mesh).find_region(mesh.bucket_of()) is None
