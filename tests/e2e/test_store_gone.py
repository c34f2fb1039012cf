"""A store that never comes back: one act of the platform team lets everything go that waits for it, and says what was left. On RGW."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Deal, a_deal
from tests.e2e.actors import Actors
from tests.support.fault_proxy import FaultProxy
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store

ROBOT = {"serviceAccountRef": {"name": "robot"}}
MINUTE = 60.0
LOST = ("orders", "returns", "prices")
"""Products on the store `lost`, each with a reader; the first would be destroyed, the second is being deleted when the store goes."""
LEFT = ("Abandoned", "Orphaned", "Retained")
"""Reasons of events that list what could not be taken away."""
ALONE = ("solo", "duet")
"""Products on the store `away`, of which only the first is let go."""
PLACES = ("sales", "inventory")


@dataclass(frozen=True)
class Gone(Actors):
    """What there was before the stores went, and when everybody acted."""

    buckets: dict[str, str] = field(default_factory=dict)
    principals: dict[str, str] = field(default_factory=dict)
    begun: list[float] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)
    """What events say, by the name of their object; read again and again, as those of a namespace go with it."""

    def by(self, true: Any, what: str) -> None:
        """Within a minute of the platform team's act."""
        left = max(self.begun[0] + MINUTE - time.monotonic(), 1)
        self.installed.until(lambda: self._reads_events() and true() and self._reads_events(), seconds=left, what=what)

    def _reads_events(self) -> bool:
        """Before and after each look at the objects: the last of them are written a moment before an object goes."""
        for event in self.installed.all("events"):
            if event["type"] == "Warning" and event["reason"] in LEFT:
                who = f"{event['involvedObject']['kind']}/{event['involvedObject']['name']}"
                self.events[who] = self.events.get(who, "") + str(event["message"])
        return True

    def left(self, kind: str, *names: str, namespace: str = "") -> list[str]:
        """Which of these still exist."""
        found = self.installed.all(kind, namespace)
        return sorted({item["metadata"]["name"] for item in found} & set(names))


def deal(product: str, namespace: str = "sales") -> Deal:
    return a_deal(f"{product}-access", f"{namespace}/{product}", consumer=ROBOT)


@pytest.fixture(scope="module")
def gone(rgw: Store) -> Iterator[Gone]:
    """Three stores: `lost` and `away` stop for good, `main` goes on. Then teams delete what they have, and the platform team acts."""
    with contextlib.ExitStack() as stack:
        lost, away = (stack.enter_context(FaultProxy(rgw.endpoint)) for _ in range(2))
        cluster = stack.enter_context(ControlPlane())
        mesh = Gone(stack.enter_context(Installation(cluster, mesh="gone", values={"driftInterval": "1m"})), rgw)
        _build(mesh, lost, away)
        lost.stop()
        away.stop()
        kubectl = cluster.kubectl
        kubectl("delete", "dataproduct", "returns", "-n", "sales", "--wait=false")
        kubectl("delete", "agrant", "for-prices-access", "-n", "sales", "--wait=false")
        mesh.installed.until(lambda: mesh.condition("returns", type_="DeletionBlocked"), what="a deletion that waits for the store")
        _let_go(mesh)
        yield mesh


def _build(mesh: Gone, lost: FaultProxy, away: FaultProxy) -> None:
    installed, region = mesh.installed, mesh.store.region
    installed.give_credentials(mesh.store)
    endpoints = {"lost": lost.endpoint, "away": away.endpoint, "main": mesh.store.endpoint}
    stores = [a_store(name, endpointUrl=endpoint, region=region, bucketPrefix=f"gone-{name}") for name, endpoint in endpoints.items()]
    domains = [a_domain(name) for name in (*PLACES, "whole", "others")]
    installed.apply(*stores, *domains)
    for manifest in (*stores, *domains):
        installed.wait(manifest["kind"], manifest["metadata"]["name"], seconds=90)
    for place in ("inventory", "others"):
        installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", place)
    destroyed = {"deletionPolicy": "Delete", "forceDestroy": True}
    installed.apply(
        *(a_product(name, storage={"storeRef": {"name": "lost"}, **(destroyed if name == "orders" else {})}) for name in LOST),
        a_product("inside", "whole", storage={"storeRef": {"name": "lost"}}),
        *(a_product(name, "others", storage={"storeRef": {"name": "away"}}) for name in ALONE),
        a_product("fine", "others"),
    )
    deals = [*(deal(name) for name in LOST), deal("inside", "whole")]
    deals += [a_deal(f"{name}-access", f"others/{name}", consumer=ROBOT, namespace="others") for name in (*ALONE, "fine")]
    installed.apply(*(d.request for d in deals), *(d.grant for d in deals))
    for d in deals:
        installed.wait("areq", d.name, d.namespace, seconds=60)
        reference = d.request["spec"]["dataProductRef"]
        mesh.buckets[reference["name"]] = mesh.bucket(reference["name"], reference["namespace"])
        mesh.principals[d.name] = installed.get("areq", d.name, d.namespace)["status"]["principal"]


def _let_go(mesh: Gone) -> None:
    """All deletions at once, none of which waits for another; the minute is that of the last of them."""
    kubectl = mesh.installed.cluster.kubectl
    kubectl("annotate", "objectstore", "lost", "clouddatamesh.dev/orphan=lost")
    kubectl("delete", "objectstore", "lost", "--wait=false")
    kubectl("delete", "namespace", "whole", "--wait=false")
    kubectl("delete", "domain", *PLACES, "whole", "--wait=false")
    kubectl("delete", "agrant", "--all", "-n", "sales", "--wait=false")
    kubectl("delete", "areq", "--all", "-n", "inventory", "--wait=false")
    kubectl("delete", "dataproduct", "--all", "-n", "sales", "--wait=false")
    for kind, name in (("dataproduct", "solo"), ("areq", "solo-access"), ("agrant", "for-solo-access")):
        kubectl("annotate", kind, name, "-n", "others", f"clouddatamesh.dev/orphan={name}")
        kubectl("delete", kind, name, "-n", "others", "--wait=false")
    kubectl("annotate", "dataproduct", "duet", "-n", "others", "clouddatamesh.dev/orphan=solo")
    kubectl("delete", "dataproduct", "duet", "-n", "others", "--wait=false")
    mesh.begun.append(time.monotonic())


def test_all_that_waited_for_it_goes_within_a_minute(gone: Gone) -> None:
    readers = [f"{name}-access" for name in LOST]
    gone.by(lambda: not gone.left("agrant", *(f"for-{name}" for name in readers), namespace="sales"), "the end of the grants")
    gone.by(lambda: not gone.left("areq", *readers, namespace="inventory"), "the end of the requests")
    gone.by(lambda: not gone.left("dataproduct", *LOST, namespace="sales"), "the end of the products")
    gone.by(lambda: not gone.left("domain", *PLACES, "whole"), "the end of the domains")
    gone.by(lambda: not gone.left("objectstore", "lost"), "the end of the store")
    gone.by(lambda: not gone.left("namespace", "whole"), "the end of a namespace that was deleted whole")


def test_a_namespace_that_its_domain_left_goes_as_well(gone: Gone) -> None:
    gone.installed.cluster.kubectl("delete", "namespace", *PLACES, "--timeout=120s")


def test_what_was_left_is_listed(gone: Gone) -> None:
    said = "\n".join(gone.events.values())
    for name in LOST:
        assert gone.buckets[name] in said
        assert gone.principals[f"{name}-access"] in said
    each = [f"DataProduct/{name}" for name in LOST] + [f"AccessRequest/{name}-access" for name in LOST]
    assert sorted({"ObjectStore/lost", *each} - set(gone.events)) == []


def test_what_was_left_is_as_it_was(gone: Gone) -> None:
    assert [gone.bucket_exists(gone.buckets[name]) for name in LOST] == [True] * len(LOST), "nothing is destroyed in passing"


def test_one_object_can_be_let_go_alone(gone: Gone) -> None:
    gone.by(lambda: not gone.left("dataproduct", "solo", namespace="others"), "the end of solo")
    gone.by(lambda: not gone.left("areq", "solo-access", namespace="others"), "the end of its request")
    gone.by(lambda: not gone.left("agrant", "for-solo-access", namespace="others"), "the end of its grant")
    assert gone.buckets["solo"] in gone.events["DataProduct/solo"]


def test_another_name_in_the_annotation_lets_nothing_go(gone: Gone) -> None:
    assert gone.left("dataproduct", "duet", namespace="others") == ["duet"]
    assert gone.left("objectstore", "away", "main") == ["away", "main"]


def test_the_other_store_goes_on(gone: Gone) -> None:
    assert gone.condition("fine", "others")["status"] == "True"
    gone.installed.cluster.kubectl("delete", "agrant", "for-fine-access", "-n", "others", "--timeout=60s")
    with pytest.raises(gone.iam.exceptions.NoSuchEntityException):
        gone.iam.get_user(UserName=gone.principals["fine-access"])
