"""What a store does for a moment is the store's to tell: no orphan, no stumbling service and no late probe takes its users down with it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.errors import Terminal
from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names, policies
from clouddatamesh.reconcile.dispatch import reconcile
from tests.reconcile.access_flows import REQUEST, granted, principal
from tests.reconcile.flows import ENDPOINT, ready
from tests.support.manifests import a_store
from tests.support.mesh import Mesh

STORE: Final = Key("ObjectStore", "", "main")
PRODUCT: Final = Key("DataProduct", "sales", "orders")


def ready_of(mesh: Mesh, key: Key) -> tuple[str, str]:
    found = mesh.condition(key.kind, key.name, key.namespace)
    return found["status"], found["reason"]


# Orphans


def add_orphan(mesh: Mesh, name: str, **more: Any) -> None:
    path = names.principal_path("acme", mesh.get("Namespace", "kube-system")["metadata"]["uid"])
    mesh.stores.at(ENDPOINT).users[name] = Principal(name, path, keys=(AccessKey(f"K-{name}"),), **more)


def test_one_orphan_that_cannot_be_ended_disturbs_neither_the_store_nor_other_orphans() -> None:
    mesh = ready(Mesh()).settle()
    for name in ("a-stuck", "b-plain"):
        add_orphan(mesh, name)
    store = mesh.stores.at(ENDPOINT)
    store.refuse("delete user", name="a-stuck")
    for _ in range(10):
        mesh.clock.forward(minutes=1)
        mesh.settle()
        assert ready_of(mesh, STORE) == ready_of(mesh, PRODUCT) == ("True", "Ready")
    assert ("a-stuck" in store.users, "b-plain" in store.users) == (True, False)
    told = mesh.condition("ObjectStore", "main", type_="PrincipalsOrphaned")
    assert (told["status"], told["reason"]) == ("True", "AccessDenied")
    assert "a-stuck" in told["message"]
    store.allow()
    mesh.settle()
    assert "a-stuck" not in store.users
    assert not mesh.condition("ObjectStore", "main", type_="PrincipalsOrphaned")


def test_an_orphan_goes_with_its_managed_policies_and_groups() -> None:
    mesh = ready(Mesh()).settle()
    add_orphan(mesh, "wide", attached=("arn:aws:iam::aws:policy/AmazonS3FullAccess",), groups=("admins",))
    for _ in range(8):
        mesh.clock.forward(minutes=1)
        mesh.settle()
    assert "wide" not in mesh.stores.at(ENDPOINT).users


# Credentials


WRONG: Final = Terminal("CredentialsInvalid", "GetUser failed: InvalidClientTokenId")


def _says_no_once(mesh: Mesh) -> None:
    mesh.stores.at(ENDPOINT).fail_next(WRONG)


def _says_no_after_a_minute(mesh: Mesh) -> None:
    """When it is asked again whose the credentials are."""
    mesh.clock.forward(minutes=1)
    mesh.stores.at(ENDPOINT).fail_next(WRONG)


def _says_no_to_a_write(mesh: Mesh) -> None:
    """A repair is due, and refused."""
    store, name = mesh.stores.at(ENDPOINT), principal(mesh)
    store.users[name] = replace(store.users[name], other_policies=("more",))
    _refuse_next_write(mesh)


def _refuse_next_write(mesh: Mesh) -> None:
    store = mesh.stores.at(ENDPOINT)
    before = store.before_write

    def refuse(_what: str) -> None:
        store.before_write = before
        raise WRONG

    store.before_write = refuse


@pytest.mark.parametrize("mood", [_says_no_once, _says_no_after_a_minute, _says_no_to_a_write])
def test_a_request_waits_for_a_store_that_stumbles_over_its_credentials(mood: Callable[[Mesh], None]) -> None:
    mesh = granted(Mesh()).settle()
    mood(mesh)
    after = reconcile(REQUEST, mesh.ports)
    assert ready_of(mesh, REQUEST) == ("Unknown", "StoreNotReady")
    assert "InvalidClientTokenId" in mesh.condition(REQUEST.kind, REQUEST.name, REQUEST.namespace)["message"]
    assert not mesh.condition(REQUEST.kind, REQUEST.name, REQUEST.namespace, "Stalled")
    assert after.after is not None and after.after <= 60
    assert principal(mesh), "nothing is taken"
    mesh.settle()
    assert ready_of(mesh, REQUEST) == ("True", "Granted")


@pytest.mark.parametrize("mood", [_says_no_once, _says_no_after_a_minute])
def test_a_product_waits_for_it_too(mood: Callable[[Mesh], None]) -> None:
    mesh = ready(Mesh()).settle()
    mood(mesh)
    reconcile(PRODUCT, mesh.ports)
    assert ready_of(mesh, PRODUCT) == ("Unknown", "StoreNotReady")
    mesh.settle()
    assert ready_of(mesh, PRODUCT) == ("True", "Ready")


# What a probe finds


def test_a_setting_that_shows_late_is_waited_for_and_no_bucket_goes_without_it() -> None:
    mesh = Mesh()
    store = mesh.stores.at(ENDPOINT)
    store.unseen = {b.ENCRYPTION}
    ready(mesh).settle()
    assert ready_of(mesh, STORE) == ("Unknown", "CapabilityMissing")
    assert ready_of(mesh, PRODUCT)[0] == "Unknown"
    store.unseen.clear()
    mesh.clock.forward(seconds=61)
    mesh.settle()
    assert ready_of(mesh, STORE) == ready_of(mesh, PRODUCT) == ("True", "Ready")
    assert store.buckets[mesh.bucket_of()].bucket.encryption == "AES256"


def test_a_setting_that_never_shows_is_believed_after_three_probes() -> None:
    mesh = Mesh()
    store = mesh.stores.at(ENDPOINT)
    store.unseen = {b.ENCRYPTION}
    ready(mesh).settle()
    for _ in range(2):
        assert ready_of(mesh, STORE)[0] == "Unknown"
        mesh.clock.forward(seconds=61)
        mesh.settle()
    assert ready_of(mesh, STORE) == ready_of(mesh, PRODUCT) == ("True", "Ready")
    assert store.buckets[mesh.bucket_of()].bucket.encryption is None


# TLS


def policy_of(mesh: Mesh) -> tuple[b.Statement, ...]:
    return mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()].bucket.policy or ()


def as_it_was_left(mesh: Mesh) -> tuple[b.Statement, ...]:
    """An operator that knew one statement alone made the bucket, and probed that statement."""
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    former = policies.tls_only(held.bucket.name)[:1]
    held.bucket = replace(held.bucket, policy=former)
    found = mesh.get("ObjectStore", "main")
    told = [{name: value for name, value in entry.items() if name != "proof"} for entry in found["status"]["capabilities"]]
    mesh.cluster.write_status(STORE, found["metadata"]["uid"], {**found["status"], "capabilities": told})
    return former


def test_the_former_statement_gets_its_second_as_a_repair() -> None:
    mesh = ready(Mesh()).settle()
    as_it_was_left(mesh)
    mesh.settle()
    assert policy_of(mesh) == policies.tls_only(mesh.bucket_of())
    assert ready_of(mesh, PRODUCT) == ("True", "Ready")


def test_where_the_second_would_cut_everybody_off_it_is_written_to_no_bucket() -> None:
    """A proxy ends TLS before the store: the former statement refused nobody, and the store was said to be able."""
    mesh = ready(Mesh()).settle()
    former = as_it_was_left(mesh)
    mesh.stores.at(ENDPOINT).harmful = {b.TLS_ONLY}
    mesh.settle()
    assert policy_of(mesh) == former
    assert ready_of(mesh, STORE) == ready_of(mesh, PRODUCT) == ("True", "Ready")
    entry = next(found for found in mesh.get("ObjectStore", "main")["status"]["capabilities"] if found["name"] == b.TLS_ONLY)
    assert entry["supported"] is False


def test_while_the_second_cannot_be_probed_it_is_written_to_no_bucket() -> None:
    mesh = ready(Mesh()).settle()
    former = as_it_was_left(mesh)
    store = mesh.stores.at(ENDPOINT)
    store.unclear = {b.TLS_ONLY}
    for _ in range(3):
        mesh.clock.forward(minutes=6)
        mesh.settle()
        assert policy_of(mesh) == former
        assert ready_of(mesh, STORE) == ready_of(mesh, PRODUCT) == ("True", "Ready")
    store.unclear.clear()
    mesh.clock.forward(minutes=6)
    mesh.settle()
    assert policy_of(mesh) == policies.tls_only(mesh.bucket_of())


def test_a_store_that_is_spoken_to_without_tls_keeps_whatever_statements_its_buckets_have() -> None:
    plain = "http://s3.test"
    mesh = Mesh()
    root = mesh.stores.at(plain).root
    mesh.cluster.put_own_secret("main-s3", {"access-key-id": root.id, "secret-access-key": root.secret})
    ready(mesh).apply(a_store(endpointUrl=plain)).settle()
    held = mesh.stores.at(plain).buckets[mesh.bucket_of()]
    assert held.bucket.policy == ()
    former = policies.tls_only(held.bucket.name)[:1]
    held.bucket = replace(held.bucket, policy=former)
    mesh.clock.forward(minutes=10)
    mesh.settle()
    assert held.bucket.policy == former
    assert ready_of(mesh, PRODUCT) == ("True", "Ready")


def test_a_statement_that_begins_to_cut_everybody_off_is_written_to_no_further_bucket() -> None:
    mesh = ready(Mesh()).settle()
    store = mesh.stores.at(ENDPOINT)
    store.harmful = {b.TLS_ONLY}
    mesh.clock.forward(hours=25)
    mesh.settle()
    held = store.buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, policy=())
    mesh.settle()
    assert held.bucket.policy == ()
