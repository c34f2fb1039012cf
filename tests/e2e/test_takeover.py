"""A cluster that is rebuilt, twice, takes over object by object; nothing that is not applied ends by itself. On RGW."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, Deal, a_deal, condition_of
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store, annotated

MESH = "rebuilt"
ROBOT = {"serviceAccountRef": {"name": "robot"}}
NAMES = ("orders", "late", "denied", "gone")
DEALS = {name: a_deal(f"{name}-access", f"sales/{name}", consumer=ROBOT) for name in NAMES}


@dataclass(frozen=True)
class Cluster(Actors):
    """One of the clusters that had the mesh one after the other, and what its consumers held."""

    uid: str
    lost: tuple[str, ...]
    readers: dict[str, Access] = field(default_factory=dict)

    def store_manifest(self) -> dict[str, Any]:
        spec = {"endpointUrl": self.store.endpoint, "region": self.store.region, "bucketPrefix": MESH}
        return a_store(**spec, takeOverFrom=list(self.lost))

    def begin(self) -> None:
        """The platform team's folder."""
        self.installed.give_credentials(self.store)
        self.installed.apply(self.store_manifest(), a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            self.installed.wait(kind, name, seconds=90)
        self.installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")

    def produce(self, *names: str) -> None:
        """The producer's folder: products and grants."""
        self.installed.apply(*map(a_product, names), *(DEALS[name].grant for name in names))
        for name in names:
            self.installed.wait("dataproduct", name, "sales", seconds=60)

    def consume(self, *names: str) -> None:
        """The consumer's folder."""
        self.installed.apply(*(DEALS[name].request for name in names))
        for name in names:
            self.installed.wait("areq", DEALS[name].name, "inventory", seconds=60)
            self.readers[name] = Access.of(self, DEALS[name])

    def request(self, deal: Deal) -> dict[str, Any]:
        return self.installed.get("areq", deal.name, deal.namespace)

    def unclaimed(self, lost: str) -> int | None:
        """How many users of a lost cluster nobody owns, as the ObjectStore says; None as long as it says nothing of that one."""
        found = self.installed.get("objectstore", "main")["status"].get("takenOver", [])
        return next((int(one["unclaimed"]) for one in found if one["cluster"] == lost), None)


def a_cluster(stack: contextlib.ExitStack, store: Store, *lost: str) -> Cluster:
    plane = stack.enter_context(ControlPlane())
    installed = stack.enter_context(Installation(plane, mesh=MESH, values={"driftInterval": "1m"}))
    cluster = Cluster(installed, store, installed.get("namespace", "kube-system")["metadata"]["uid"], lost)
    cluster.begin()
    return cluster


@pytest.fixture(scope="module")
def first(rgw: Store) -> Cluster:
    """The cluster that is lost with everything in it but its store."""
    with contextlib.ExitStack() as stack:
        cluster = a_cluster(stack, rgw)
        cluster.produce(*NAMES)
        cluster.consume(*NAMES)
        for name in NAMES:
            cluster.put(cluster.bucket(name), "daily/seed")
        return cluster


@pytest.fixture(scope="module")
def second(first: Cluster) -> Iterator[Cluster]:
    """Rebuilt, and not whole: the folder with the request for `late` fails to sync, nobody applies `gone`, and `denied` is refused."""
    with contextlib.ExitStack() as stack:
        cluster = a_cluster(stack, first.store, first.uid)
        cluster.produce("orders", "late")
        cluster.installed.apply(a_product("denied"), {**DEALS["denied"].grant, "spec": denial()}, DEALS["denied"].request)
        cluster.consume("orders")
        yield cluster


def denial() -> dict[str, Any]:
    spec = {name: value for name, value in DEALS["denied"].grant["spec"].items() if name not in ("validUntil", "permanent")}
    return {**spec, "decision": "Deny"}


@pytest.fixture(scope="module")
def third(first: Cluster, second: Cluster) -> Iterator[Cluster]:
    """Rebuilt once more before that was done; everything but `gone` is applied now."""
    with contextlib.ExitStack() as stack:
        cluster = a_cluster(stack, first.store, first.uid, second.uid)
        cluster.produce("orders", "late")
        cluster.consume("orders", "late")
        yield cluster


def test_what_is_applied_has_a_key_of_its_own_beside_the_former_one(first: Cluster, second: Cluster) -> None:
    old, new = first.readers["orders"], second.readers["orders"]
    assert (new.secret["bucket"], new.principal != old.principal) == (old.secret["bucket"], True)
    assert old.reads() and new.reads()
    second.installed.until(lambda: "until" in second.request(DEALS["orders"])["status"].get("takeOver", {}), what="the hour")


def test_what_the_owner_refuses_ends_at_once(first: Cluster, second: Cluster) -> None:
    second.installed.until(lambda: not first.readers["denied"].reads(), seconds=70, what="the end of the former key")
    second.installed.until(lambda: condition_of(second.request(DEALS["denied"])).get("reason") == "Denied", what="the word of the request")


def test_what_is_not_applied_works_on_and_is_counted(first: Cluster, second: Cluster) -> None:
    assert first.readers["late"].reads() and first.readers["gone"].reads()
    # The users of `gone` and its reader, and the reader of `late`.
    second.installed.until(lambda: second.unclaimed(first.uid) == 3, seconds=70, what="the number of what nobody owns")
    told = condition_of(second.installed.get("objectstore", "main"), "PrincipalsUnclaimed")
    assert (told["status"], first.readers["late"].principal in told["message"]) == ("True", True)
    assert "PrincipalsOrphaned" not in str(second.installed.get("objectstore", "main")["status"]["conditions"])


def test_a_second_rebuild_takes_over_from_both(first: Cluster, second: Cluster, third: Cluster) -> None:
    holders = (first.readers["orders"], second.readers["orders"], third.readers["orders"])
    assert len({access.principal for access in holders}) == 3
    assert all(access.reads() for access in holders)
    assert first.readers["late"].reads() and third.readers["late"].reads()


def test_what_nobody_claims_ends_where_the_platform_team_says_so(first: Cluster, third: Cluster) -> None:
    assert first.readers["gone"].reads()
    third.installed.apply(annotated(third.store_manifest(), end_taken_over=first.uid))
    third.installed.until(lambda: not first.readers["gone"].reads(), seconds=70, what="the end of what nobody owns")
    third.installed.until(lambda: third.unclaimed(first.uid) == 0, seconds=100, what="the end of its users")
    assert first.readers["orders"].reads() and third.bucket_exists(first.readers["gone"].secret["bucket"])
