"""What a living product's look sees: whom it is asked for by, why nothing may be made, and no more of the store than it needs."""

from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.objects import Key
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.reconcile.dataproduct import gather
from clouddatamesh.reconcile.parse import parse
from clouddatamesh.reconcile.visit import Visit
from tests.reconcile.access_flows import a_port, granted
from tests.reconcile.flows import ENDPOINT, Act, mark_as_anothers
from tests.support.manifests import a_domain, a_product, a_request, a_store, annotated
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
FORECAST: Final = Key("DataProduct", "inventory", "forecast")
STORE: Final = Key("ObjectStore", "", "main")


@cache
def _settled() -> Mesh:
    return granted(Mesh())


def a_mesh() -> Mesh:
    """sales' orders are used by inventory's forecast; in domain sales there is another product."""
    return _settled().copy()


def around(mesh: Mesh, key: Key = PRODUCT) -> ProductWorld:
    manifest = mesh.get(key.kind, key.name, key.namespace)
    return gather(parse(DataProduct, manifest), Visit.of(key, manifest, mesh.ports))


def tell(mesh: Mesh, key: Key = PRODUCT, **facts: Any) -> Mesh:
    """An object's status says this; None takes a field out."""
    found = mesh.get(key.kind, key.name, key.namespace)
    told = {name: value for name, value in {**found["status"], **facts}.items() if value is not None}
    mesh.cluster.write_status(key, found["metadata"]["uid"], told)
    return mesh


def recorded(mesh: Mesh, **storage: Any) -> Mesh:
    kept = {**mesh.product()["status"]["storage"], **storage}
    return tell(mesh, storage={name: value for name, value in kept.items() if value is not None})


# Who asks for it, and what it is made of.


def test_requests_for_a_product_are_not_those_in_which_it_is_the_consumer() -> None:
    mesh = a_mesh().apply(a_request("back", "sales", dataProductRef={"namespace": "inventory", "name": "forecast"},
                                    consumer={"dataProductRef": {"name": "orders"}}))  # fmt: skip
    assert [request["metadata"]["name"] for request in around(mesh).requests] == ["orders-for-forecast"]
    assert [request["metadata"]["name"] for request in around(mesh, FORECAST).requests] == ["back"]


def test_inputs_are_read_by_its_own_requests() -> None:
    reads = {"name": "orders", "from": {"namespace": "sales", "dataProduct": "orders", "outputPort": {"name": "daily", "version": "1.0.0"}}}
    mesh = a_mesh().apply(a_product("forecast", "inventory", inputPorts=[reads]), a_product("other", "inventory", inputPorts=[reads]))
    assert around(mesh, FORECAST).inputs == ()
    ((name, why),) = around(mesh, Key("DataProduct", "inventory", "other")).inputs
    assert name == "orders" and "has no access yet" in why


# Why nothing may be made.


def without_storage() -> dict[str, Any]:
    product = a_product(outputPorts=[], producer=None)
    return {**product, "spec": {name: value for name, value in product["spec"].items() if name != "storage"}}


@pytest.mark.parametrize(
    ("product", "asked"),
    [(without_storage(), False), (a_product(lifecycle="proposed"), False), (a_product(), True), (a_product(lifecycle="retired"), True)],
    ids=["without storage", "proposed", "active", "retired"],
)
def test_a_store_is_asked_for_what_has_storage_and_is_more_than_proposed(product: dict[str, Any], asked: bool) -> None:
    mesh = a_mesh().apply(product)
    calls = len(mesh.stores.at(ENDPOINT).calls)
    assert (around(mesh).store is not None) is asked
    assert (len(mesh.stores.at(ENDPOINT).calls) > calls) is asked


def homeless(mesh: Mesh) -> None:
    mesh.apply(a_domain(namespaces=[{"name": "elsewhere"}]))


def storeless(mesh: Mesh) -> None:
    mesh.delete("ObjectStore", "main").cluster.user_finalize(STORE)


def unready(mesh: Mesh) -> None:
    ready = next(one for one in mesh.get("ObjectStore", "main")["status"]["conditions"] if one["type"] == "CredentialsValid")
    tell(mesh, STORE, conditions=[ready, {**ready, "type": "Ready", "status": "False", "reason": "CapabilityMissing"}])


def choosy(mesh: Mesh) -> None:
    mesh.apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}}))


OBSTACLES: Final[dict[str, tuple[tuple[Act, ...], str]]] = {
    "nothing": ((), ""),
    "no Domain": ((homeless,), "DomainNotFound"),
    "no store": ((storeless,), "StoreNotFound"),
    "store not Ready": ((unready,), "StoreNotReady"),
    "store of other domains": ((choosy,), "NotAllowed"),
    "no Domain, no store": ((homeless, storeless), "DomainNotFound"),
    "no Domain, store not Ready": ((homeless, unready), "DomainNotFound"),
    "no Domain, store of other domains": ((homeless, choosy), "DomainNotFound"),
}


@pytest.mark.parametrize("what", OBSTACLES)
def test_what_keeps_anything_from_being_made_is_named_the_nearest_first(what: str) -> None:
    acts, reason = OBSTACLES[what]
    mesh = a_mesh()
    for act in acts:
        act(mesh)
    world = around(mesh)
    assert (world.obstacle.reason if world.obstacle is not None else "") == reason
    assert isinstance(world.bucket, Unknown) is (storeless in acts)


@pytest.mark.parametrize("made", [True, False])
def test_a_store_that_serves_the_domain_no_more_keeps_what_was_made(made: bool) -> None:
    mesh = a_mesh()
    bucket = mesh.bucket_of()
    choosy(mesh)
    world = around(mesh if made else tell(mesh, storage=None))
    assert isinstance(world.obstacle, Terminal)
    assert world.obstacle.message.startswith("ObjectStore main does not serve Domain sales; its spec.allowedDomains selects others")
    assert (f"bucket {bucket} and the access to it are kept" in world.obstacle.message) is made


def test_a_store_that_serves_the_domain_is_no_obstacle() -> None:
    labelled = {**a_domain(), "metadata": {"name": "sales", "labels": {"tier": "gold"}}}
    mesh = a_mesh().apply(labelled)
    choosy(mesh)
    assert around(mesh.settle()).obstacle is None


# Why the store is not asked.


def refused(mesh: Mesh) -> None:
    valid = {"type": "CredentialsValid", "status": "False", "reason": "CredentialsInvalid", "message": "Wrong key"}
    tell(mesh, STORE, conditions=[{**valid, "lastTransitionTime": "2026-01-01T00:00:00Z"}])


def away(mesh: Mesh) -> None:
    valid = {"type": "CredentialsValid", "status": "Unknown", "reason": "StoreUnavailable", "message": "No answer"}
    tell(mesh, STORE, conditions=[{**valid, "lastTransitionTime": "2026-01-01T00:00:00Z"}])


def away_now(mesh: Mesh) -> None:
    mesh.clock.forward(minutes=1)
    mesh.stores.at(ENDPOINT).down = True


def of_another_account(mesh: Mesh) -> None:
    mesh.clock.forward(minutes=1)
    mesh.stores.at(ENDPOINT).switch_account("other")


NOT_READY: Final = "ObjectStore main is not Ready: "
UNASKED: Final[dict[str, tuple[Act, type[MeshError], str, str]]] = {
    "its keys are refused": (refused, Waiting, "StoreNotReady", f"{NOT_READY}ObjectStore main does not answer: Wrong key"),
    "it did not answer its own look": (away, Waiting, "StoreUnavailable", "ObjectStore main does not answer: No answer"),
    "it does not answer now": (away_now, Transient, "StoreUnavailable", "account"),
    "its account is another": (of_another_account, Waiting, "StoreNotReady", f"{NOT_READY}The credentials of"),
    "the bucket is elsewhere": (lambda mesh: recorded(mesh, storeId="other"), Terminal, "NotTheSameStore", "ObjectStore main leads to"),
}


@pytest.mark.parametrize("why", UNASKED)
def test_of_a_store_that_is_not_asked_nothing_is_known_and_the_store_tells_why(why: str) -> None:
    act, kind, reason, message = UNASKED[why]
    mesh = a_mesh()
    act(mesh)
    world = around(mesh)
    assert isinstance(world.bucket, Unknown) and world.principal == world.bucket
    error = world.bucket.error
    assert (type(error), error.reason) == (kind, reason) and error.message.startswith(message)
    assert isinstance(world.secret, Present), "what is in the cluster is known all the same"


@pytest.mark.parametrize(
    ("annotation", "storage", "asked"),
    [
        ("{bucket}", {}, True),
        ("{bucket}/2", {"lastHandledRecreate": "{bucket}"}, True),
        ("{bucket}", {"lastHandledRecreate": "{bucket}"}, False),
        ("another", {}, False),
    ],
    ids=["accepted", "accepted again", "accepted before", "another's"],
)
def test_a_bucket_whose_loss_was_accepted_is_looked_for_in_the_store_that_is_there_now(
    annotation: str, storage: dict[str, str], asked: bool
) -> None:
    mesh = a_mesh()
    bucket = mesh.bucket_of()
    told = {name: value.format(bucket=bucket) for name, value in storage.items()}
    mesh.apply(annotated(a_product(outputPorts=[a_port()]), recreate=annotation.format(bucket=bucket)))
    world = around(recorded(mesh, storeId="other", **told))
    assert isinstance(world.bucket, Present) is asked
    if isinstance(world.bucket, Unknown):
        assert "or accept the loss with annotation clouddatamesh.dev/recreate=" in world.bucket.error.message


# Whose a bucket is.


def held(mesh: Mesh) -> Any:
    return mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]


def test_a_bucket_of_its_own_is_neither_handed_over_nor_one_of_many_losses() -> None:
    """Not even where another product says that it has it."""
    mesh = a_mesh()
    mesh.apply(a_product("copy", storage={"bucketName": mesh.bucket_of()}), a_product("lost")).settle()
    mark_as_anothers(mesh, "lost")
    mesh.clock.forward(minutes=2)
    mesh.settle()
    storage = {**mesh.product()["status"]["storage"], "ownershipVerified": True, "uid": mesh.product("copy")["metadata"]["uid"]}
    tell(mesh, Key("DataProduct", "sales", "copy"), storage=storage)
    own = around(mesh)
    assert (own.handed_over, own.losses, own.uid_lives) == (False, 0, False)
    mark_as_anothers(mesh, "orders")
    alien = around(mesh)
    assert (alien.handed_over, alien.losses) == (True, 1)


@pytest.mark.parametrize("whose", ["another's", "nobody's", "its own"])
def test_a_uid_on_the_bucket_is_anothers_where_that_one_lives(whose: str) -> None:
    mesh = a_mesh()
    uid = {"another's": mesh.product("forecast", "inventory")["metadata"]["uid"], "nobody's": "uid-of-nobody"}.get(whose)
    tags = dict(held(mesh).bucket.tags) | ({marks.UID_TAG: uid} if uid else {})
    held(mesh).bucket = replace(held(mesh).bucket, tags=tuple(sorted(tags.items())))
    assert around(mesh).uid_lives is (whose == "another's")


def test_of_a_bucket_that_is_not_there_nothing_more_is_asked() -> None:
    mesh = recorded(a_mesh(), phase="Creating")
    del mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    world = around(mesh)
    assert isinstance(world.bucket, Absent)
    assert (world.uid_lives, world.handed_over, world.losses, world.region) == (False, False, 0, None)
