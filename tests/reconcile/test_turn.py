"""A new leader whose cache is behind in some kind: it gives nothing that its predecessor took, nor what was not to be given."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.model.evidence import Present
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.plan.marks import FINALIZER
from clouddatamesh.reconcile.accessrequest import gather_terms
from clouddatamesh.reconcile.dispatch import GROUNDS
from tests.reconcile.access_flows import REQUEST, SECRET, asked, two_domains
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.manifests import a_grant, a_product, a_request
from tests.support.mesh import Mesh

READER: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "inventory"}}
AS_READER = {"serviceAccountRef": {"name": "reader"}}
FORECAST = Key("DataProduct", "inventory", "forecast")
AS_PRODUCT = {"dataProductRef": {"name": "forecast"}}


def keys_of(mesh: Mesh) -> list[str]:
    users = mesh.stores.at(ENDPOINT).users.items()
    return [key.id for name, user in users if "orders-for-forecast" in name for key in user.keys if key.active]


def recording(mesh: Mesh, read: set[str]) -> Any:
    """The cluster, which notes the kind of each object that the cache is asked for."""
    cluster = mesh.ports.cluster

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return getattr(cluster, name)

        def get(self, key: Key) -> Any:
            read.add(key.kind)
            return cluster.get(key)

        def referring(self, key: Key, kind: str) -> Any:
            read.add(kind)
            return cluster.referring(key, kind)

    return Noting()


@pytest.mark.parametrize("consumer", [AS_READER, AS_PRODUCT], ids=["ServiceAccount", "DataProduct"])
def test_a_decision_rests_on_no_kind_but_those_that_are_listed_before_a_turn(consumer: dict[str, Any]) -> None:
    """ServiceAccounts are too many; the one that counts is read live when a key is issued."""
    mesh, read = two_domains(Mesh()), set[str]()
    mesh.apply(READER, a_request(consumer=consumer), a_grant(consumer=consumer)).settle()
    manifest = mesh.cluster.get(REQUEST)
    assert manifest is not None
    terms = gather_terms(read_request(manifest), replace(mesh.ports, cluster=recording(mesh, read)))
    assert terms.consumer_exists
    assert read - {"ServiceAccount"} <= set(GROUNDS)
    assert {"Domain", "Namespace", "DataProduct", "AccessGrant"} <= read


@pytest.mark.parametrize(
    ("consumer", "manifest"),
    [(AS_READER, READER), (AS_PRODUCT, a_product("forecast", "inventory"))],
    ids=["ServiceAccount", "DataProduct"],
)
@pytest.mark.parametrize("left", [False, True], ids=["all was taken", "the user was left"])
def test_a_consumer_that_went_is_given_nothing_though_the_cache_shows_it(
    consumer: dict[str, Any], manifest: dict[str, Any], left: bool
) -> None:
    """Its predecessor took what the consumer had; where it was interrupted, user and policy are there, and no key is."""
    mesh = two_domains(Mesh()).apply(READER, a_request(consumer=consumer), a_grant(consumer=consumer)).settle()
    store = mesh.stores.at(ENDPOINT)
    key, users = key_of(manifest), deepcopy(store.users)
    assert keys_of(mesh)
    shown = mesh.cluster.get(key)
    assert shown is not None
    mesh.delete(key.kind, key.name, key.namespace).settle()
    assert keys_of(mesh) == []
    if left:
        store.users.update({name: replace(user, keys=()) for name, user in users.items() if "orders-for-forecast" in name})
    _show_again(mesh, shown)
    Driven(mesh).wake_all().run(seconds=30)
    assert keys_of(mesh) == []
    mesh.cluster.catch_up()
    Driven(mesh).wake_all().run(minutes=6)
    assert not [name for name in store.users if "orders-for-forecast" in name]


def _show_again(mesh: Mesh, manifest: Manifest) -> None:
    """A cache that did not notice that an object went."""
    mesh.cluster.hold_back(manifest["kind"])
    mesh.cluster._view._held[manifest["kind"]][key_of(manifest)] = dict(manifest)
    mesh.cluster._view._moves[manifest["kind"]] += 1


def test_a_consumer_that_cannot_be_read_is_given_nothing_new() -> None:
    mesh = asked(Mesh()).apply(a_grant())
    mesh.cluster.unreadable.add("DataProduct")
    Driven(mesh).wake_all().run(seconds=30)
    assert keys_of(mesh) == []
    mesh.cluster.unreadable.clear()
    Driven(mesh).wake_all().run(minutes=6)
    assert keys_of(mesh)


@pytest.mark.parametrize("known", [True, False], ids=["which the cache shows", "which it does not show yet"])
def test_a_consumer_that_is_being_deleted_keeps_what_it_has_and_is_given_nothing_new(known: bool) -> None:
    """Its deletion waits for its own consumers, and may do so for weeks: a Secret that was lost meanwhile is made again."""
    mesh = asked(Mesh())
    if known:
        mesh.apply(a_grant()).settle()
        mesh.delete("Secret", "orders-access", "inventory")
    else:
        mesh.cluster.hold_back("DataProduct")
        mesh.apply(a_grant())
    mesh.cluster.user_finalize(FORECAST, "example.com/slow", FINALIZER)
    mesh.cluster.user_delete(FORECAST)
    Driven(mesh).wake_all().run(seconds=30)
    assert bool(keys_of(mesh)) is known
    assert isinstance(mesh.cluster.read_metadata(SECRET), Present) is known
