"""Nothing is given before a bucket is safe, nothing works beyond what was given, and nobody's access ends for want of a look."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory_identities import MemoryIdentities
from tests.reconcile.access_flows import REQUEST, a_port, asked, disown, two_domains
from tests.reconcile.flows import ENDPOINT, ready
from tests.reconcile.test_access import granted
from tests.reconcile.test_adoption import BUCKET, legacy, wish
from tests.reconcile.test_keys_end import active, degrade, lose_bucket, observe, suspend
from tests.reconcile.test_takeover import a_mesh, inventory, lost_mesh, sales, users
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

PRODUCT = Key("DataProduct", "sales", "orders")
RULE = [{"prefix": "tmp/", "expireAfter": "7d"}]


@pytest.mark.parametrize("setting", ["block public access", "write policy", "encrypt"])
@pytest.mark.parametrize("late", [False, True], ids=["new", "undone later"])
def test_nobody_is_given_access_to_a_bucket_that_is_not_protected(setting: str, late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = {"block public access": "publicAccessBlock", "write policy": "policy", "encrypt": "encryption"}[setting]
    if not late:
        _refuse(path, monkeypatch)
    mesh = two_domains(Mesh())
    if late:
        _refuse(path, monkeypatch)
        held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
        held.bucket = replace(held.bucket, public_access_blocked=False, policy=(), encryption=None)
        Driven(mesh).run(minutes=6)
    driven = Driven(mesh.apply(a_request(), a_grant())).run(minutes=10)
    assert not active(mesh, "orders-for-forecast")
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "ProductNotReady"
    monkeypatch.undo()
    driven.run(minutes=10)
    assert active(mesh, "orders-for-forecast")


def _refuse(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One setting of products' buckets cannot be written."""
    from clouddatamesh.storage.memory_buckets import MemoryBuckets

    real = MemoryBuckets.update

    def update(self: MemoryBuckets, want: b.Bucket, delta: b.Delta) -> None:
        if path in delta and "orders" in want.name:
            raise Transient("AccessDenied", f"The {path} of {want.name} cannot be written")
        real(self, want, delta)

    monkeypatch.setattr(MemoryBuckets, "update", update)


@pytest.mark.parametrize("wanted", [{}, {"suspend": True}, {"mode": "Observe"}], ids=["living", "suspended", "observed"])
def test_a_product_that_is_made_again_for_somebodys_bucket_is_given_nothing(wanted: dict[str, Any]) -> None:
    mesh = ready(Mesh()).settle()
    mesh.stores.at(ENDPOINT).put_bucket(b.Bucket("payroll"))
    mesh.cluster.user_finalize(PRODUCT)
    mesh.cluster.user_delete(PRODUCT)
    mesh.apply(a_product(storage={"bucketName": "payroll", "adoptionPolicy": "IfConsented"}, **wanted))
    Driven(mesh).run(minutes=10)
    policies = [user.policy for name, user in mesh.stores.at(ENDPOINT).users.items() if "sales-orders-" in name]
    assert not [one for policy in policies for one in policy or () if any("payroll" in resource for resource in one.resources)]


@pytest.mark.parametrize("act", ["renamed", "renewed"])
def test_access_passes_to_another_approval_while_its_bucket_is_in_trouble(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    _refuse("encryption", monkeypatch)
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, encryption=None)
    driven, keys = Driven(mesh).run(minutes=10), active(mesh, "orders-for-forecast")
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["status"] == "False"
    if act == "renewed":
        mesh.apply(a_grant(validUntil="2026-01-01T01:00:00Z"))
    mesh.apply(a_grant("again"))
    driven.run(minutes=1)
    if act == "renamed":
        mesh.delete("AccessGrant", "inventory-forecast", "sales")
    driven.run(hours=2)
    assert active(mesh, "orders-for-forecast") == keys


def test_a_wish_that_a_lent_bucket_does_not_grant_hides_no_fault_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = legacy().apply(wish(apply=True, lifecycleRules=RULE)).settle()
    _refuse("policy", monkeypatch)
    held = mesh.stores.at(ENDPOINT).buckets[BUCKET]
    held.bucket = replace(held.bucket, policy=())
    Driven(mesh).run(minutes=10)
    assert mesh.condition("DataProduct", "orders", "sales", "StorageReady")["reason"] == "AccessDenied"


@pytest.mark.parametrize("act", [lambda _: None, suspend, observe, lose_bucket, degrade])
def test_a_policy_of_ours_that_somebody_widened_is_narrowed_whatever_else_is_wrong(act: Callable[[Mesh], object]) -> None:
    mesh = granted()
    driven = Driven(mesh)
    act(mesh)
    driven.run(minutes=10)
    found = mesh.stores.at(ENDPOINT).users
    before = {name: user.policy for name, user in found.items() if user.policy}
    for name, policy in before.items():
        found[name] = replace(found[name], policy=tuple(replace(one, resources=("arn:aws:s3:::*",)) for one in policy))
    driven.run(minutes=10)
    assert {name: user.policy for name, user in found.items() if user.policy} == before


def test_a_wish_that_a_lent_bucket_does_not_grant_keeps_no_credentials_from_being_repaired() -> None:
    mesh = legacy().apply(wish(apply=True, lifecycleRules=RULE)).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "AdoptionBlocked"
    assert mesh.condition("DataProduct", "orders", "sales", "CredentialsReady")["status"] == "True"
    secret = Key("Secret", "sales", "orders-producer")
    mesh.cluster.user_delete(secret)
    Driven(mesh).run(minutes=6)
    assert mesh.cluster.secret_data(secret)["bucket"] == BUCKET


def test_a_product_that_went_without_us_loses_its_keys_though_its_bucket_is_anothers() -> None:
    mesh = ready(Mesh()).settle()
    disown(mesh)
    mesh.cluster.user_finalize(PRODUCT)
    mesh.cluster.user_delete(PRODUCT)
    reconcile(PRODUCT, mesh.ports)
    assert not active(mesh, "sales-orders-")


def test_a_grant_of_a_port_is_not_cleared_away_because_a_cache_lacks_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = two_domains(Mesh(), approval="Auto").apply(a_request()).settle()
    (grant,) = (Key("AccessGrant", "sales", one["metadata"]["name"]) for one in mesh.cluster.list("AccessGrant"))
    keys, real = active(mesh, "orders-for-forecast"), mesh.cluster.get
    monkeypatch.setattr(mesh.cluster, "get", lambda key: None if key == REQUEST else real(key))
    mesh.clock.forward(minutes=1)
    reconcile(grant, mesh.ports)
    monkeypatch.undo()
    mesh.settle()
    assert mesh.exists("AccessGrant", grant.name, "sales")
    assert active(mesh, "orders-for-forecast") == keys


@pytest.mark.parametrize("claimed", [True, False], ids=["taken over", "not claimed yet"])
def test_a_cluster_whose_store_is_anothers_ends_no_user_of_a_lost_one(claimed: bool) -> None:
    lost = lost_mesh()
    heir = a_mesh(1, after=lost, lost=(0,))
    Driven(inventory(sales(heir)) if claimed else sales(heir)).run(minutes=5)
    before = users(heir, "orders")
    third = a_mesh(2, after=heir, lost=(0,))
    inventory(sales(third)).apply(a_product(outputPorts=[a_port()], lifecycle="draft"))
    Driven(third).run(minutes=10)
    assert third.condition("ObjectStore", "main")["reason"] == "StoreInUseByOtherCluster"
    assert users(heir, "orders") == before


def spoil(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's bucket loses a protection, and it cannot be written again."""
    _refuse("publicAccessBlock", monkeypatch)
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, public_access_blocked=False)


@pytest.mark.parametrize("what", ["unprotected", "suspended", "deprecated"])
def test_a_record_without_a_key_gives_none_where_nothing_new_is_given(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM was away when access was granted: the record was written, and the first key is yet to be issued."""
    mesh = asked(Mesh())
    with monkeypatch.context() as away:
        away.setattr(MemoryIdentities, "create", _unavailable)
        driven = Driven(mesh.apply(a_grant())).run(minutes=2)
        assert mesh.get("AccessRequest", REQUEST.name, REQUEST.namespace)["status"]["grantRef"]
        if what == "unprotected":
            spoil(mesh, monkeypatch)
        else:
            spec: dict[str, Any] = {"suspend": True} if what == "suspended" else {"lifecycle": "deprecated"}
            mesh.apply(a_product(outputPorts=[a_port()], **spec))
        driven.run(minutes=6)
    driven.run(minutes=10)
    assert not active(mesh, "orders-for-forecast")
    monkeypatch.undo()
    mesh.apply(a_product(outputPorts=[a_port()]))
    driven.run(minutes=10)
    assert active(mesh, "orders-for-forecast")


def _unavailable(*_: object) -> None:
    raise Transient("StoreUnavailable", "IAM does not answer")


@pytest.mark.parametrize("trouble", [False, True], ids=["well", "in trouble"])
def test_access_that_its_port_ended_does_not_return_with_the_bucket(trouble: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = asked(Mesh(), maxDuration="90d").apply(a_grant(validUntil="2026-02-01T00:00:00Z")).settle()
    if trouble:
        spoil(mesh, monkeypatch)
    mesh.clock.forward(minutes=10)
    mesh.settle().clock.forward(hours=25)
    driven = Driven(mesh.apply(a_product(outputPorts=[a_port(maxDuration="1d")]))).run(minutes=10)
    assert not active(mesh, "orders-for-forecast")
    monkeypatch.undo()
    mesh.apply(a_product(outputPorts=[a_port(maxDuration="90d")]))
    driven.run(minutes=10)
    assert not active(mesh, "orders-for-forecast")


def test_a_port_does_not_answer_again_what_ended_while_its_product_was_suspended() -> None:
    """The answer ended and was deleted meanwhile: that access ended by time is remembered all the same."""
    mesh = two_domains(Mesh(), approval="Auto").apply(a_request(duration="1d")).settle()
    mesh.apply(a_product(outputPorts=[a_port(approval="Auto")], suspend=True)).settle()
    mesh.clock.forward(hours=25)
    driven = Driven(mesh).run(minutes=6)
    assert not active(mesh, "orders-for-forecast")
    for grant in mesh.cluster.list("AccessGrant"):
        mesh.delete("AccessGrant", grant["metadata"]["name"], "sales")
    mesh.apply(a_product(outputPorts=[a_port(approval="Auto")]))
    driven.run(minutes=10)
    assert not active(mesh, "orders-for-forecast")
    assert mesh.condition("AccessRequest", REQUEST.name, REQUEST.namespace)["reason"] == "Expired"


@pytest.mark.parametrize("what", ["unprotected", "suspended"])
def test_another_path_of_a_port_is_not_opened_where_nothing_new_is_given(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    keys, reach = active(mesh, "orders-for-forecast"), places(mesh)
    if what == "unprotected":
        spoil(mesh, monkeypatch)
    driven = Driven(mesh).run(minutes=6)
    spec: dict[str, Any] = {"suspend": True} if what == "suspended" else {}
    mesh.apply(a_product(outputPorts=[a_port(path="salaries/")], **spec))
    driven.run(minutes=10)
    assert (active(mesh, "orders-for-forecast"), places(mesh)) == (keys, reach)
    monkeypatch.undo()
    mesh.apply(a_product(outputPorts=[a_port(path="salaries/")]))
    driven.run(minutes=10)
    assert active(mesh, "orders-for-forecast") == keys
    assert all("salaries/" in place for place in places(mesh))


NOTHING_NEW: dict[str, dict[str, Any]] = {
    "suspended": {"suspend": True},
    "deprecated": {"lifecycle": "deprecated"},
    "observed": {"mode": "Observe"},
}


@pytest.mark.parametrize("what", ["active", "unprotected", "suspended", "deprecated", "observed"])
def test_a_port_that_is_narrowed_takes_away_whatever_keeps_new_access_from_being_given(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    keys = active(mesh, "orders-for-forecast")
    if what == "unprotected":
        spoil(mesh, monkeypatch)
    spec = NOTHING_NEW.get(what, {})
    driven = Driven(mesh.apply(a_product(outputPorts=[a_port()], **spec))).run(minutes=6)
    mesh.apply(a_product(outputPorts=[a_port(path="daily/public/")], **spec))
    driven.run(minutes=10)
    assert active(mesh, "orders-for-forecast") == keys
    assert all("daily/public/" in place for place in places(mesh))


HANDED_ON: dict[str, list[dict[str, Any]]] = {
    "whole": [a_port(path="public/"), {**a_port(path="daily/"), "name": "personal"}],
    "in part": [a_port(path="public/"), {**a_port(path="daily/personal/"), "name": "personal"}],
    "next version": [a_port(path="public/"), a_port("2.0.0", path="daily/")],
}


@pytest.mark.parametrize("ports", HANDED_ON.values(), ids=HANDED_ON)
@pytest.mark.parametrize("what", ["active", "unprotected", "suspended", "deprecated", "observed", "not allowed", "no marks", "no bucket"])
def test_what_a_port_left_to_another_is_not_read_by_its_consumers(
    what: str, ports: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody granted them the other port."""
    mesh = granted()
    spec = NOTHING_NEW.get(what, {})
    driven = Driven(mesh.apply(a_product(outputPorts=[a_port()], **spec))).run(minutes=6)
    trouble(mesh, what, monkeypatch)
    driven.run(minutes=20)
    keys = active(mesh, "orders-for-forecast")
    assert keys and places(mesh)
    mesh.apply(a_product(outputPorts=ports, **spec))
    driven.run(minutes=10)
    assert not [place for place in places(mesh) if "daily/" in place]
    assert bool(places(mesh)) == (what == "active")
    said = mesh.condition("AccessRequest", "orders-for-forecast", "inventory")
    assert (said["status"] == "True") == (what == "active")
    assert active(mesh, "orders-for-forecast") == keys, "it reaches nothing, and nobody has to start again for an obstacle that passes"
    if what in NOTHING_NEW:
        assert "another port got daily/, so this access reaches nothing" in said["message"]
        mesh.apply(a_product(outputPorts=ports))
        driven.run(minutes=10)
        assert active(mesh, "orders-for-forecast") == keys
        assert all("public/" in place for place in places(mesh)) and places(mesh)


@pytest.mark.parametrize("what", ["not allowed", "no marks", "no bucket", "store deleted", "store unable"])
def test_a_port_is_narrowed_also_while_its_bucket_or_store_is_in_doubt(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the whole of what is left: who may read that can list it, too."""
    mesh = granted()
    keys = active(mesh, "orders-for-forecast")
    driven = Driven(mesh).run(minutes=6)
    trouble(mesh, what, monkeypatch)
    driven.run(minutes=20)
    mesh.apply(a_product(outputPorts=[a_port(path="daily/public/")]))
    driven.run(minutes=10)
    assert active(mesh, "orders-for-forecast") == keys
    assert places(mesh)
    assert all("daily/public/" in place for place in places(mesh))
    users = mesh.stores.at(ENDPOINT).users
    (user,) = (user for name, user in users.items() if "orders-for" in name)
    assert {action for one in user.policy or () for action in one.actions} == {"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"}
    assert {condition for one in user.policy or () for condition in one.conditions} == {
        ("StringLike", "s3:prefix", ("daily/public/", "daily/public/*"))
    }


@pytest.mark.parametrize("what", ["not allowed", "no home"])
def test_a_bucket_is_protected_whatever_keeps_anything_new_from_being_given(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = granted()
    driven = Driven(mesh).run(minutes=6)
    trouble(mesh, what, monkeypatch)
    driven.run(minutes=20)
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, public_access_blocked=False, policy=())
    driven.run(minutes=20)
    assert held.bucket.public_access_blocked
    assert held.bucket.policy
    assert mesh.condition("DataProduct", "orders", "sales")["status"] != "True"


@pytest.mark.parametrize("goes", [False, True], ids=["living", "its deletion waits"])
@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "not allowed"])
def test_no_bucket_is_written_in_a_store_that_is_another(goes: bool, allowed: bool) -> None:
    """It takes the same key, and has a copy of everything: a replica, or a restored copy."""
    mesh = granted()
    driven = Driven(mesh).run(minutes=6)
    copied = mesh.stores.at("https://copy.example.com")
    copied.buckets.update(deepcopy(mesh.stores.at(ENDPOINT).buckets))
    held = copied.buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, public_access_blocked=False, versioning="Suspended", lifecycle=())
    for name in [name for name in copied.buckets if "-mesh-" in name]:
        del copied.buckets[name]
    narrow: dict[str, Any] = {} if allowed else {"allowedDomains": {"matchLabels": {"no": "domain"}}}
    mesh.apply(a_store(endpointUrl="https://copy.example.com", **narrow))
    if goes:
        mesh.delete("DataProduct", "orders", "sales")
    before = held.bucket
    driven.run(hours=1)
    assert mesh.condition("ObjectStore", "main")["status"] != "True"
    assert held.bucket == before


OF_A_LATER_VERSION: dict[str, dict[str, Any]] = {
    "versioning": {"versioning": "Sometimes"},
    "public access": {"blockPublicAccess": "Sometimes"},
}


@pytest.mark.parametrize("baseline", OF_A_LATER_VERSION.values(), ids=OF_A_LATER_VERSION)
@pytest.mark.parametrize("goes", [False, True], ids=["living", "its deletion waits"])
def test_no_bucket_is_changed_by_what_cannot_be_read_of_its_store(baseline: dict[str, Any], goes: bool) -> None:
    mesh = granted()
    driven = Driven(mesh.apply(a_store(baseline={name: "Off" for name in ("versioning", "blockPublicAccess")}))).run(minutes=6)
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, versioning="Suspended", public_access_blocked=False)
    driven.run(minutes=6)
    mesh.apply(a_store(baseline=baseline))
    if goes:
        mesh.delete("DataProduct", "orders", "sales")
    driven.run(hours=1)
    assert (held.bucket.versioning, held.bucket.public_access_blocked) == ("Suspended", False)


def trouble(mesh: Mesh, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something happens that keeps new access from being given."""
    held = mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]
    if what == "unprotected":
        spoil(mesh, monkeypatch)
    if what == "not allowed":
        mesh.apply(a_store(allowedDomains={"matchLabels": {"no": "domain"}}))
    if what == "no home":
        mesh.apply(a_domain("sales", namespaces=[{"name": "elsewhere"}]))
    if what == "store deleted":
        mesh.delete("ObjectStore", "main")
    if what == "store unable":
        degrade(mesh)
    if what == "no marks":
        held.bucket = replace(held.bucket, tags=(), lifecycle=(), policy=())
    if what == "no bucket":
        del mesh.stores.at(ENDPOINT).buckets[mesh.bucket_of()]


def places(mesh: Mesh) -> set[str]:
    """What the consumer's policy opens of objects."""
    users = mesh.stores.at(ENDPOINT).users
    opened = [one for name, user in users.items() if "orders-for" in name for one in user.policy or ()]
    return {resource for one in opened for resource in one.resources if "/" in resource}
