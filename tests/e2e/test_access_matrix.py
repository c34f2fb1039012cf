"""Who may do what: three consumers at three ports of two products, tried with the consumers' own keys against one table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import pytest

from hack.tools.store import Store
from tests.e2e.access import Access, Deal, a_deal, condition_of, is_allowed
from tests.e2e.actors import Actors
from tests.e2e.acts import BODY, Place, acts
from tests.support.manifests import a_product, a_store

RULE = """
                                      ReadOnly   ReadWrite  WriteOnly
get an object                         yes        yes        -
get an old version                    -          -          -
list within the port                  yes        yes        -
put an object                         -          yes        yes
put over an object                    -          yes        yes
upload in parts                       -          yes        yes
delete an object                      -          yes        -
destroy a version                     -          -          -
tag an object                         -          -          -
list another port                     -          -          -
list by a part of the path            -          -          -
list without a prefix                 -          -          -
list versions                         -          -          -
list uploads                          -          -          -
get from another port                 -          -          -
put into another port                 -          -          -
upload in parts into another port     -          -          -
delete from another port              -          -          -
copy from another port                -          -          -
get from another bucket               -          -          -
list another bucket                   -          -          -
put into another bucket               -          -          -
delete from another bucket            -          -          -
make a bucket                         -          -          -
get the policy                        -          -          -
put a policy                          -          -          -
get versioning                        -          -          -
put versioning                        -          -          -
get tags                              -          -          -
put tags                              -          -          -
get the lifecycle                     -          -          -
put a lifecycle                       -          -          -
get the ACL                           -          -          -
put an ACL                            -          -          -
get encryption                        -          -          -
put encryption                        -          -          -
delete the bucket                     -          -          -
list users                            -          -          -
get its own user                      -          -          -
list its own keys                     -          -          -
make a key for itself                 -          -          -
put a policy for itself               -          -          -
make a user                           -          -          -
"""
MODES = ("ReadOnly", "ReadWrite", "WriteOnly")
LISTING, PUTTING = ("ReadOnly", "ReadWrite"), ("ReadWrite", "WriteOnly")
MOTO: dict[str, tuple[str, ...]] = {
    "list another port": LISTING,
    "list by a part of the path": LISTING,
    "list without a prefix": LISTING,
    "get encryption": LISTING,
    "copy from another port": PUTTING,
}
"""What moto allows beyond the rule, and in which modes, as it is: it does not look at conditions, asks s3:ListBucket of whoever reads the
encryption, and of whoever copies nothing at the source."""
DIFFERENCES = {"rgw": {}, "moto": MOTO}

CONSUMERS = {
    "product": ("inventory", {"dataProductRef": {"name": "matrix-forecast"}}),
    "sibling": ("sales", {"dataProductRef": {"name": "matrix-report"}}),
    "account": ("inventory", {"serviceAccountRef": {"name": "matrix-loader"}}),
}
PORTS = {"daily": ("sales", "ledger", "weekly/"), "weekly": ("sales", "ledger", "daily/"), "levels": ("inventory", "shelves", "raw/")}
"""Namespace and product of each port, and a path of the same bucket that is not the port's."""
CELLS = tuple((who, port, MODES[(a + b) % 3]) for a, who in enumerate(CONSUMERS) for b, port in enumerate(PORTS))
"""Each consumer at each port, so that every consumer and every port has every mode."""
PATHS = ("daily/", "weekly/", "levels/", "raw/")


def rule(mode: str) -> dict[str, bool]:
    """The column of the table."""
    rows = [(line[:38].strip(), line[38:].split()) for line in RULE.splitlines()[2:]]
    return {act: cells[MODES.index(mode)] == "yes" for act, cells in rows}


@dataclass(frozen=True)
class Matrix:
    """Every deal of one store, by consumer, port and mode."""

    mesh: Actors
    store: Store
    deals: dict[tuple[str, str, str], Deal]
    buckets: dict[str, str]
    """By product."""

    def place(self, port: str, access: Access) -> Place:
        _, offered, elsewhere = PORTS[port]
        other = next(bucket for name, bucket in self.buckets.items() if name != offered)
        place = Place(self.buckets[offered], f"{port}/", elsewhere, other, access.principal, "")
        return replace(place, version=self._old_version(place))

    def _old_version(self, place: Place) -> str:
        found = self.store.client("s3").list_object_versions(Bucket=place.bucket, Prefix=f"{place.path}old")["Versions"]
        return next(str(version["VersionId"]) for version in found if not version["IsLatest"])


@pytest.fixture(scope="module", params=["rgw", "moto"])
def matrix(request: pytest.FixtureRequest, mesh: Actors) -> Matrix:
    """Two products on a store of that kind, full of objects, and every deal in effect."""
    store = mesh.installed.reach(request.getfixturevalue(request.param))
    mesh.installed.give_credentials(store, f"matrix-{store.kind}")
    spec = {"endpointUrl": store.endpoint, "region": store.region, "credentialsSecretRef": {"name": f"matrix-{store.kind}"}}
    mesh.installed.apply(a_store(f"matrix-{store.kind}", bucketPrefix=f"matrix-{store.kind}", **spec))
    mesh.installed.wait("objectstore", f"matrix-{store.kind}", seconds=120)
    deals = {cell: deal_of(store.kind, *cell) for cell in CELLS}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "matrix-loader", "namespace": "inventory"}}
    mesh.installed.apply(account, *consumers(), *products(store.kind))
    for namespace, name, _ in PORTS.values():
        mesh.installed.wait("dataproduct", f"{name}-{store.kind}", namespace)
    buckets = {name: mesh.bucket(f"{name}-{store.kind}", namespace) for namespace, name, _ in PORTS.values()}
    for bucket, path, name in product(buckets.values(), PATHS, ("seed", "doomed", "old", "old")):
        store.client("s3").put_object(Bucket=bucket, Key=path + name, Body=BODY)
    mesh.installed.apply(*(deal.request for deal in deals.values()), *(deal.grant for deal in deals.values()))
    for namespace in ("inventory", "sales"):
        names = [deal.name for deal in deals.values() if deal.namespace == namespace]
        mesh.installed.wait_all("areq", names, namespace, seconds=120)
    return Matrix(mesh, store, deals, buckets)


def deal_of(kind: str, consumer: str, port: str, mode: str) -> Deal:
    namespace, who = CONSUMERS[consumer]
    place, name, _ = PORTS[port]
    asked = {"name": port, "version": "1.0.0"}
    return a_deal(
        f"{consumer}-{port}-{mode}-{kind}".lower(), f"{place}/{name}-{kind}", consumer=who, namespace=namespace, port=asked, mode=mode
    )


def consumers() -> Iterator[dict[str, object]]:
    for namespace, who in CONSUMERS.values():
        if "dataProductRef" in who:
            yield a_product(who["dataProductRef"]["name"], namespace)


def products(kind: str) -> Iterator[dict[str, object]]:
    for offered in {name for _, name, _ in PORTS.values()}:
        ports = [
            {"name": port, "version": "1.0.0", "path": f"{port}/", "access": {"modes": list(MODES)}}
            for port, (_, name, _) in PORTS.items()
            if name == offered
        ]
        namespace = next(place for place, name, _ in PORTS.values() if name == offered)
        yield a_product(f"{offered}-{kind}", namespace, storage={"storeRef": {"name": f"matrix-{kind}"}}, outputPorts=ports)


@pytest.mark.parametrize(("consumer", "port", "mode"), CELLS)
def test_every_cell_is_as_granted(matrix: Matrix, consumer: str, port: str, mode: str) -> None:
    access = Access.of(matrix.mesh, matrix.deals[consumer, port, mode], matrix.store)
    tried = acts(access.client("s3"), access.client("iam"), matrix.place(port, access))
    found, wanted = {act: is_allowed(call) for act, call in tried.items()}, rule(mode)
    assert list(found) == list(wanted), "the table has a row for every act"
    beyond = sorted(act for act, modes in DIFFERENCES[matrix.store.kind].items() if mode in modes)
    assert sorted(act for act in found if found[act] != wanted[act]) == beyond


def test_whoever_was_not_granted_has_neither_user_nor_secret(matrix: Matrix) -> None:
    kind, who = matrix.store.kind, {"dataProductRef": {"name": "matrix-forecast"}}
    alone, other = (a_deal(f"{name}-{kind}", f"sales/ledger-{kind}", consumer=who) for name in ("ungranted", "mistaken"))
    grant = {**other.grant, "spec": {**other.grant["spec"], "mode": "ReadWrite"}}
    matrix.mesh.installed.apply(alone.request, other.request, grant)
    for deal in (alone, other):
        matrix.mesh.installed.until(partial(waits, matrix, deal), what=f"{deal.name} waits")
        assert not matrix.mesh.installed.get("secret", deal.name, "inventory")
    users = matrix.store.users("/clouddatamesh/acme/")
    assert not [user for user in users if any(user.startswith(f"inventory-{deal.name}-") for deal in (alone, other))]


def waits(matrix: Matrix, deal: Deal) -> bool:
    return condition_of(matrix.mesh.installed.get("areq", deal.name, deal.namespace)).get("reason") == "AwaitingGrant"
