"""A product is deleted while marks of its bucket are missing: it goes on positive evidence alone, and what is missing is nobody's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from clouddatamesh.model import bucket as b
from clouddatamesh.model.bucket import Tags
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.flows import ENDPOINT, deletable
from tests.support.driven import Driven
from tests.support.manifests import a_product, annotated
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
GROUP: Final = "clouddatamesh.dev/"
VERSIONS: Final = 7000


def only(*names: str) -> Callable[[Tags], Tags]:
    return lambda tags: tuple(tag for tag in tags if tag[0].removeprefix(GROUP) in names)


def but(*names: str) -> Callable[[Tags], Tags]:
    return lambda tags: tuple(tag for tag in tags if tag[0].removeprefix(GROUP) not in names)


def with_(**more: str) -> Callable[[Tags], Tags]:
    return lambda tags: tuple(sorted({**dict(tags), **{GROUP + key: value for key, value in more.items()}}.items()))


def of_a_tool(_tags: Tags) -> Tags:
    return (("cost-center", "4711"),)


MISSING: Final[dict[str, Callable[[Tags], Tags]]] = {
    "a tool's alone": of_a_tool,
    "none": only(),
    "all but the uid": but("uid"),
    "all but the name": but("name"),
    "all but uid and name": but("uid", "name"),
    "the namespace alone": only("namespace"),
    "the uid alone": only("uid"),
}
OTHERS: Final[dict[str, Callable[[Tags], Tags]]] = {
    "another product": with_(name="other", uid="uid-other"),
    "an earlier incarnation": with_(uid="uid-before"),
    "another mesh": with_(mesh="other"),
    "another's, half of it": lambda tags: with_(name="other")(only("mesh")(tags)),
}


def deleted(full: bool, tags: Callable[[Tags], Tags], *, witness: bool = True) -> tuple[Mesh, str]:
    """Marks that are not put back before the deletion is looked at."""
    mesh = deletable(Mesh(), forceDestroy=True).settle()
    name = mesh.bucket_of()
    if full:
        mesh.stores.at(ENDPOINT).put_object(name, count=VERSIONS)
    mesh.delete("DataProduct", "orders", "sales")
    retag(mesh, name, tags)
    held = mesh.stores.at(ENDPOINT).buckets[name]
    held.bucket = replace(held.bucket, lifecycle=held.bucket.lifecycle if witness else ())
    return mesh, name


def retag(mesh: Mesh, name: str, tags: Callable[[Tags], Tags]) -> None:
    held = mesh.stores.at(ENDPOINT).buckets[name]
    held.bucket = replace(held.bucket, tags=tags(held.bucket.tags))


def users(mesh: Mesh) -> list[str]:
    return [name for name in mesh.stores.at(ENDPOINT).users if name.startswith("sales-orders")]


@pytest.mark.parametrize("tags", MISSING)
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
def test_what_the_witness_or_the_other_marks_prove_is_deleted_though_marks_are_missing(tags: str, full: bool) -> None:
    mesh, name = deleted(full, MISSING[tags])
    Driven(mesh).run(minutes=10)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert name not in mesh.stores.at(ENDPOINT).buckets
    assert users(mesh) == []


@pytest.mark.parametrize("tags", ["a tool's alone", "none", "all but uid and name", "the namespace alone"])
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
def test_what_nothing_proves_stays_and_that_is_said(tags: str, full: bool) -> None:
    mesh, name = deleted(full, MISSING[tags], witness=False)
    Driven(mesh).run(minutes=10)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert mesh.stores.at(ENDPOINT).buckets[name].versions == (VERSIONS if full else 0)
    assert users(mesh) == []
    (told,) = [event.note for _, event in mesh.cluster.events if event.reason == "Retained"]
    assert "lost its marks" in told


@pytest.mark.parametrize("tags", OTHERS)
@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
def test_what_carries_a_mark_of_somebody_else_stays(tags: str, full: bool) -> None:
    mesh, name = deleted(full, OTHERS[tags])
    Driven(mesh).run(minutes=10)
    assert mesh.stores.at(ENDPOINT).buckets[name].versions == (VERSIONS if full else 0)


@pytest.mark.parametrize("tags", OTHERS)
def test_a_mark_of_somebody_else_that_comes_between_two_pages_ends_the_emptying_and_is_named(tags: str) -> None:
    mesh, name = deleted(True, lambda tags: tags)
    after, pages = mesh.stores.after_write, [0]

    def rewrite(what: str) -> None:
        pages[0] += what.startswith("empty")
        if what.startswith("empty") and pages[0] == 2:
            retag(mesh, name, OTHERS[tags])
        after(what)

    mesh.stores.after_write = rewrite
    reconcile(PRODUCT, mesh.ports)
    assert mesh.stores.at(ENDPOINT).buckets[name].versions == VERSIONS - 2000
    told = mesh.condition("DataProduct", "orders", "sales", "DeletionBlocked")["message"]
    assert "other" in told or "uid-before" in told
    assert "put its tags back, or keep the bucket with annotation clouddatamesh.dev/orphan=orders" in told
    mesh.apply(annotated(a_product(storage={"deletionPolicy": "Delete", "forceDestroy": True}), orphan="orders"))
    Driven(mesh).run(minutes=1)
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert mesh.stores.at(ENDPOINT).buckets[name].versions == VERSIONS - 2000


@pytest.mark.parametrize("tags", MISSING)
@pytest.mark.parametrize("witness", [True, False], ids=["witnessed", "unproven"])
def test_marks_that_go_between_two_pages_count_as_they_do_before(tags: str, witness: bool) -> None:
    mesh, name = deleted(True, lambda tags: tags)
    after, pages = mesh.stores.after_write, [0]

    def rewrite(what: str) -> None:
        pages[0] += what.startswith("empty")
        if what.startswith("empty") and pages[0] == 2:
            retag(mesh, name, MISSING[tags])
            held = mesh.stores.at(ENDPOINT).buckets[name]
            held.bucket = replace(held.bucket, lifecycle=held.bucket.lifecycle if witness else ())
        after(what)

    mesh.stores.after_write = rewrite
    Driven(mesh).run(minutes=10)
    proven = witness or tags in ("all but the uid", "all but the name", "the uid alone")
    assert not mesh.exists("DataProduct", "orders", "sales")
    left = mesh.stores.at(ENDPOINT).buckets.get(name)
    assert (left.versions if left else None) == (None if proven else VERSIONS - 2000)


def test_a_bucket_that_was_begun_and_carries_nothing_is_deleted_only_while_it_is_empty() -> None:
    mesh = deletable(Mesh(), forceDestroy=True)
    mesh.apply(a_product(storage={"bucketName": "acme-begun", "deletionPolicy": "Delete", "forceDestroy": True}))
    for _ in range(3):
        reconcile(Key("ObjectStore", "", "main"), mesh.ports)
    reconcile(Key("Domain", "", "sales"), mesh.ports)
    mesh.stores.at(ENDPOINT).refuse("update", name="acme-begun")
    reconcile(PRODUCT, mesh.ports)
    assert mesh.stores.at(ENDPOINT).buckets["acme-begun"].bucket == b.Bucket(
        "acme-begun", public_access_blocked=False, ownership_enforced=False, policy=(), versioning="Off", lifecycle=()
    )
    full = mesh.copy()
    full.stores.at(ENDPOINT).put_object("acme-begun")
    for one in (mesh, full):
        one.stores.at(ENDPOINT).allow()
        one.delete("DataProduct", "orders", "sales")
        Driven(one).run(minutes=2)
        assert not one.exists("DataProduct", "orders", "sales")
    assert "acme-begun" not in mesh.stores.at(ENDPOINT).buckets
    assert full.stores.at(ENDPOINT).buckets["acme-begun"].versions == 1
