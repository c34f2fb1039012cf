"""A mesh whose stores can be made to fail, forget, lie or be somebody else's, and what its teams hold before that happens."""

import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hack.tools.store import Store
from tests.e2e.access import Access, Deal, a_deal, condition_of
from tests.e2e.actors import Actors
from tests.support.fault_proxy import FaultProxy
from tests.support.manifests import a_domain, a_product, a_store

Manifest = dict[str, Any]
MESH, GROUP = "faulty", "clouddatamesh.dev"
AT_TWIN = ("kms", "tight")
"""ObjectStores whose buckets are in moto; those of all others are in RGW."""
ROBOT = {"serviceAccountRef": {"name": "robot"}}
LOOK = 70.0
"""Seconds in which every object was looked at again: the drift interval of a minute, a tenth more, and a moment for the look itself."""
APART = 32.0
"""Seconds between two looks that the operator counts as two."""


@dataclass(frozen=True)
class Held:
    """A producer's credentials and its consumers', as they were when all was well."""

    store: Store
    secret_name: str
    producer: Mapping[str, str]
    principal: str
    bucket: str
    readers: tuple[Access, ...] = ()

    @property
    def reader(self) -> Access:
        (reader,) = self.readers
        return reader


@dataclass(frozen=True)
class Faulty(Actors):
    """Actors who can also spoil the store `main` by its proxy, and have a twin store and another account at hand."""

    proxy: FaultProxy
    twin: Store
    """moto, which takes the operator's key as RGW does."""
    stranger: Store
    """RGW as another account sees it."""
    held: dict[str, Held] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    """When what happened, by the monotonic clock."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What a case wants to remember until it puts things right."""

    def by(self, moment: str, seconds: float, true: Callable[[], object], what: str) -> None:
        """Wait until something holds, at most so many seconds after a moment that all cases share."""
        left = self.since[moment] + seconds - time.monotonic()
        self.installed.until(true, seconds=max(left, 1.0), what=f"{what}, {seconds:.0f} s after {moment}")

    def note(self, moment: str) -> None:
        self.since[moment] = time.monotonic()

    def pass_time(self, moment: str, seconds: float) -> None:
        """Let the operator go on until so many seconds after a moment."""
        time.sleep(max(self.since[moment] + seconds - time.monotonic(), 0.0))

    def secret(self, name: str, namespace: str = "sales") -> dict[str, str]:
        """Empty where it does not exist."""
        return self.installed.secret(name, namespace) if self.installed.get("secret", name, namespace) else {}

    def lost(self, name: str, namespace: str = "sales") -> list[str]:
        """What of what is held is not in the cluster, or not alive in the store, any more. Further fields of a Secret do not matter."""
        held = self.held[name]
        owned = [("producer", held.principal, held.producer, held.secret_name, namespace)]
        owned += [("consumer", r.principal, r.secret, r.deal.name, r.deal.namespace) for r in held.readers]
        found = []
        for who, principal, secret, secret_name, place in owned:
            found += [] if is_alive(held.store, principal, secret["access-key-id"]) else [f"the {who}'s key"]
            found += [] if secret.items() <= self.secret(secret_name, place).items() else [f"the {who}'s Secret"]
        return found

    def hold(self, namespace: str, *deals: Deal) -> None:
        """Remember what every Ready product of a namespace and its readers have now, and put an object into its port."""
        secrets = self._secrets_of(namespace)
        for product in self._list("dataproduct", namespace):
            name, status = product["metadata"]["name"], product.get("status", {})
            if name in self.held or condition_of(product).get("status") != "True":
                continue
            home = self.twin if product["spec"]["storage"]["storeRef"]["name"] in AT_TWIN else self.store
            secret, bucket = product["spec"]["producer"]["secretName"], status["storage"]["bucket"]
            own = [deal for deal in deals if deal.request["spec"]["dataProductRef"]["name"] == name]
            readers = tuple(Access.of(self, deal, home) for deal in own)
            self.held[name] = Held(home, secret, secrets[secret], status["producer"]["principal"], bucket, readers)
            home.client("s3").put_object(Bucket=bucket, Key="daily/seed", Body=b"x")

    def _list(self, kind: str, namespace: str) -> list[Manifest]:
        return self.installed.all(kind, namespace)

    def _secrets_of(self, namespace: str) -> dict[str, dict[str, str]]:
        found = self._list("secret", namespace)
        return {s["metadata"]["name"]: {k: b64decode(v).decode() for k, v in s.get("data", {}).items()} for s in found}

    def touch(self, kind: str, *names: str, namespace: str = "sales", token: str) -> None:
        """Ask for a look now, without waiting for it."""
        for name in names:
            self.installed.annotate(kind, name, namespace, reconcile_requested_at=token)

    def annotate(self, kind: str, name: str, namespace: str = "", **annotations: str) -> None:
        self.installed.annotate(kind, name, namespace, **annotations)

    def store_condition(self, name: str, type_: str = "Ready") -> dict[str, Any]:
        conditions = self.installed.get("objectstore", name).get("status", {}).get("conditions", ())
        return next((dict(found) for found in conditions if found["type"] == type_), {})

    def put_tags(self, bucket: str, tags: Mapping[str, str]) -> None:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tag_set})

    def erase(self, bucket: str) -> None:
        """The administrator deletes a bucket with all that is in it."""
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                self.s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
        self.s3.delete_bucket(Bucket=bucket)

    def is_gone(self, kind: str, name: str, namespace: str = "") -> bool:
        return not self.installed.get(kind, name, namespace)

    def give_key(self, secret: str, store: Store) -> None:
        """Put a store's key into a Secret of the operator's namespace."""
        self.installed.give_credentials(store, secret)


@cache
def _iam_of(store: Store) -> Any:
    return store.client("iam")


def is_alive(store: Store, principal: str, key_id: str) -> bool:
    """Whether a store still takes a key: its user exists, has a policy, and the key is active."""
    iam = _iam_of(store)
    try:
        keys = iam.list_access_keys(UserName=principal)["AccessKeyMetadata"]
        policies = iam.list_user_policies(UserName=principal)["PolicyNames"]
    except iam.exceptions.NoSuchEntityException:
        return False
    return bool(policies) and (key_id, "Active") in [(key["AccessKeyId"], key["Status"]) for key in keys]


def store_at(name: str, endpoint: str, region: str, **spec: Any) -> Manifest:
    """An ObjectStore with a prefix of its own."""
    return a_store(name, endpointUrl=endpoint, region=region, bucketPrefix=f"f-{name}", **spec)


def product_on(
    name: str, store: str = "main", *, namespace: str = "sales", storage: Mapping[str, Any] | None = None, **spec: Any
) -> Manifest:
    return a_product(name, namespace, storage={"storeRef": {"name": store}, **(storage or {})}, **spec)


def deal_on(name: str, product: str) -> Deal:
    """The robot reads a product of sales."""
    return a_deal(name, f"sales/{product}", consumer=ROBOT)


def domains() -> Iterator[Manifest]:
    yield from (a_domain(name) for name in ("sales", "inventory"))


def begin(mesh: Faulty, stores: list[Manifest], others: list[Manifest]) -> None:
    """Stores and domains, Ready; with the robot that reads."""
    mesh.give_key("main-s3", mesh.store)
    mesh.installed.apply(*stores, *domains(), *others)
    for manifest in (*stores, *domains()):
        mesh.installed.wait(manifest["kind"], manifest["metadata"]["name"], seconds=120)
    mesh.installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")


def make_all(mesh: Faulty, products: list[Manifest], deals: list[Deal]) -> None:
    """Products, each with an object in its port, and access to them; all Ready, and remembered."""
    mesh.installed.apply(*products, *(deal.request for deal in deals), *(deal.grant for deal in deals))
    wait_all(mesh, "dataproduct", [product["metadata"]["name"] for product in products], "sales")
    wait_all(mesh, "areq", [deal.name for deal in deals], "inventory")
    mesh.hold("sales", *deals)


def wait_all(mesh: Faulty, kind: str, names: list[str], namespace: str) -> None:
    mesh.installed.wait_all(kind, names, namespace, seconds=120)
