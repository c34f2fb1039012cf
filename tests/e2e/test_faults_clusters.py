"""Two clusters whose operators have one mesh name, in one account: neither takes, turns or sweeps what is the other's. On RGW."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store

MESH, LOOK = "twice", "clouddatamesh.dev/reconcile-requested-at"
ROBOT = {"serviceAccountRef": {"name": "robot"}}
SWEPT = 36.0
"""Seconds in which each ObjectStore was looked at once more."""


@dataclass(frozen=True)
class Side(Actors):
    """One of the two clusters, and what its teams hold."""

    prefix: str
    readers: dict[str, Access] = field(default_factory=dict)
    producers: dict[str, dict[str, str]] = field(default_factory=dict)

    def build(self, *names: str) -> None:
        """A store in the common account, and products with a reader each."""
        installed = self.installed
        installed.give_credentials(self.store)
        store = a_store(endpointUrl=self.store.endpoint, region=self.store.region, bucketPrefix=self.prefix)
        installed.apply(store, a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, name, seconds=120)
        installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
        deals = {name: a_deal(f"{name}-access", f"sales/{name}", consumer=ROBOT) for name in names}
        installed.apply(*(a_product(name) for name in names), *(d.request for d in deals.values()), *(d.grant for d in deals.values()))
        for name, deal in deals.items():
            installed.wait("dataproduct", name, "sales", seconds=60)
            installed.wait("areq", deal.name, "inventory", seconds=60)
            self.put(self.bucket(name), "daily/seed")
            self.readers[name] = Access.of(self, deal)
            self.producers[name] = installed.secret(f"{name}-producer", "sales")

    def works(self, name: str) -> bool:
        """Whether both keys, as they were issued, do what they are for."""
        secret = self.producers[name]
        s3 = self.store.client("s3", access_key=secret["access-key-id"], secret_key=secret["secret-access-key"])
        try:
            s3.put_object(Bucket=secret["bucket"], Key="daily/seed", Body=b"x")
        except s3.exceptions.ClientError:
            return False
        return self.readers[name].reads()

    def is_unchanged(self, name: str) -> bool:
        deal = self.readers[name].deal
        same = self.installed.secret(deal.name, "inventory") == self.readers[name].secret
        return same and self.installed.secret(f"{name}-producer", "sales") == self.producers[name]

    def says_of_store(self) -> str:
        return json.dumps(self.installed.get("objectstore", "main")["status"])

    def principals(self) -> set[str]:
        """The users that this cluster's objects say are theirs."""
        listed = self.installed.all("dataproduct,areq")
        statuses: list[dict[str, Any]] = [found.get("status", {}) for found in listed]
        return {str(s.get("principal") or s.get("producer", {}).get("principal")) for s in statuses}


@pytest.fixture(scope="module")
def sides(rgw: Store) -> Iterator[tuple[Side, Side]]:
    """Production, then staging with a product and request of the same names; both have looked at everything again."""
    with contextlib.ExitStack() as stack:
        found = []
        for prefix, names in (("twice-prod", ("orders", "only")), ("twice-stg", ("orders",))):
            cluster = stack.enter_context(ControlPlane())
            installed = stack.enter_context(Installation(cluster, mesh=MESH, values={"driftInterval": "1m"}))
            side = Side(installed, rgw, prefix)
            side.build(*names)
            found.append(side)
            installed.cluster.kubectl("annotate", "dataproduct", "--all", "-n", "sales", f"{LOOK}=1")
        found[0].installed.cluster.kubectl("annotate", "--overwrite", "dataproduct", "--all", "-n", "sales", f"{LOOK}=2")
        time.sleep(SWEPT)
        yield found[0], found[1]


def test_keys_of_both_go_on(sides: tuple[Side, Side]) -> None:
    production, staging = sides
    assert [production.works(name) for name in ("orders", "only")] == [True, True]
    assert staging.works("orders")


def test_no_key_was_replaced(sides: tuple[Side, Side]) -> None:
    production, staging = sides
    assert production.is_unchanged("orders")
    assert production.is_unchanged("only")
    assert staging.is_unchanged("orders")


def test_no_user_serves_both(sides: tuple[Side, Side]) -> None:
    production, staging = sides
    assert not production.principals() & staging.principals()
    assert len(production.principals()) == 4
    assert len(staging.principals()) == 2


def test_neither_says_that_the_others_users_have_no_owner(sides: tuple[Side, Side]) -> None:
    production, staging = sides
    assert [name for name in production.principals() if name in staging.says_of_store()] == []
    assert [name for name in staging.principals() if name in production.says_of_store()] == []


def test_what_one_deletes_is_not_the_others(sides: tuple[Side, Side]) -> None:
    production, staging = sides
    staging.installed.cluster.kubectl("delete", "areq", "orders-access", "-n", "inventory", "--timeout=60s")
    staging.delete("orders")
    assert production.works("orders")
    assert production.is_unchanged("orders")
