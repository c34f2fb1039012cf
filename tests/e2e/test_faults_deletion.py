"""What is destroyed rests on what is true in that moment: a cache that is behind, or a spec that was opened on the way, destroys nothing.

The watches of namespaces and stores are held back while their objects change. On RGW.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import a_deal
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.late_watch import LateWatch
from tests.support.manifests import a_domain, a_product, a_store

DESTROYED = {"deletionPolicy": "Delete", "forceDestroy": True}
OPENED = json.dumps({"spec": {"storage": DESTROYED}})
ROBOT = {"serviceAccountRef": {"name": "robot"}}


@dataclass(frozen=True)
class Late(Actors):
    """Actors on a cluster whose news may come late; and the buckets of its products by name."""

    watch: LateWatch
    buckets: dict[str, str]

    def holds(self, name: str) -> bool:
        """Whether a product's bucket and what was written there still exist."""
        return self.bucket_exists(self.buckets[name]) and bool(self.s3.list_objects_v2(Bucket=self.buckets[name])["KeyCount"])

    def waits_or_is_gone(self, name: str, namespace: str, *, because: str) -> None:
        """Its deletion is over, or has come to the bucket and says why that stays."""

        def is_over() -> bool:
            product = self.product(name, namespace)
            return not product or because in str(product["status"]["conditions"])

        self.installed.until(is_over, what=f"{namespace}/{name} is gone or waits")


@pytest.fixture(scope="module")
def late(rgw: Store) -> Iterator[Late]:
    """Products that would be destroyed with all they hold, in a namespace, on a store, or beside a consumer; and all that happens."""
    with ControlPlane() as cluster, LateWatch(cluster) as watch, Installation(cluster, mesh="late") as installed:
        mesh = Late(installed, rgw, watch, {})
        _build(mesh)
        watch.hold("namespaces", "objectstores")
        kubectl = installed.cluster.kubectl
        _hold_binding(mesh, '["test.example/hold"]')
        kubectl("delete", "namespace", "doomed", "--wait=false")
        kubectl("patch", "objectstore", "locked", "--type=merge", "-p", '{"spec":{"deletionEnabled":false}}')
        kubectl("delete", "dataproduct", "shut", "opened", "-n", "sales", "--wait=false")
        mesh.ends("opened", reason="InUse", type_="DeletionBlocked")
        _open_on_the_way(mesh)
        kubectl("delete", "agrant", "for-reader", "-n", "sales", "--wait=false")
        yield mesh


def _hold_binding(mesh: Late, finalizers: str) -> None:
    """The operator's right on Secrets there lasts to the end, so that only what it knows of the namespace decides."""
    patch = f'{{"metadata":{{"finalizers":{finalizers}}}}}'
    mesh.installed.cluster.kubectl("patch", "rolebinding", "clouddatamesh-operator", "-n", "doomed", "--type=merge", "-p", patch)


def _build(mesh: Late) -> None:
    installed = mesh.installed
    installed.give_credentials(mesh.store)
    stores = [
        a_store(name, endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix=f"late-{name}") for name in ("main", "locked")
    ]
    domains = [a_domain(name) for name in ("sales", "inventory", "doomed")]
    installed.apply(*stores, *domains)
    for manifest in (*stores, *domains):
        installed.wait(manifest["kind"], manifest["metadata"]["name"], seconds=120)
    installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    installed.apply(
        a_product("inside", "doomed", storage=DESTROYED),
        a_product("shut", storage={"storeRef": {"name": "locked"}, **DESTROYED}),
        a_product("opened"),
    )
    deal = a_deal("reader", "sales/opened", consumer=ROBOT)
    installed.apply(deal.request, deal.grant)
    for name, namespace in (("inside", "doomed"), ("shut", "sales"), ("opened", "sales")):
        installed.wait("dataproduct", name, namespace, seconds=60)
        mesh.buckets[name] = mesh.bucket(name, namespace)
        mesh.put(mesh.buckets[name], "daily/kept")
    installed.wait("areq", "reader", "inventory", seconds=60)


def _open_on_the_way(mesh: Late) -> None:
    """While it waits for its consumer, somebody sets what would destroy it; a policy that refuses this is as good."""
    try:
        mesh.installed.cluster.kubectl("patch", "dataproduct", "opened", "-n", "sales", "--type=merge", "-p", OPENED)
    except ToolError as error:
        assert "being deleted" in str(error) or "denied" in str(error), error


def test_a_namespace_that_goes_keeps_its_buckets_though_nobody_told(late: Late) -> None:
    late.waits_or_is_gone("inside", "doomed", because="namespace")
    assert late.holds("inside")


def test_the_platforms_lock_holds_though_nobody_told(late: Late) -> None:
    late.waits_or_is_gone("shut", "sales", because="deletionEnabled")
    assert late.holds("shut")
    assert late.product("shut"), "it waits for the lock"


def test_a_product_that_was_opened_while_it_went_keeps_its_bucket(late: Late) -> None:
    late.installed.until(lambda: not late.product("opened"), seconds=60, what="the end of opened")
    assert late.holds("opened")


def test_what_waited_goes_when_the_news_is_there(late: Late) -> None:
    late.watch.release()
    patch = '{"spec":{"deletionEnabled":true}}'
    late.installed.cluster.kubectl("delete", "domain", "doomed", "--wait=false")
    late.installed.cluster.kubectl("patch", "objectstore", "locked", "--type=merge", "-p", patch)
    late.installed.until(lambda: not late.product("shut"), seconds=60, what="the end of shut")
    assert not late.bucket_exists(late.buckets["shut"])
    late.installed.until(lambda: not late.product("inside", "doomed"), seconds=60, what="the end of doomed/inside")
    assert late.holds("inside")
    _hold_binding(late, "null")
    late.installed.until(lambda: not late.installed.get("namespace", "doomed"), seconds=90, what="the end of the namespace")
