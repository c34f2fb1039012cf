"""Adoption on the fakes: planned, agreed to, kept for good; another region; a hand-over; a store that serves a domain no more."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model import bucket as b
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.storage.memory import MemoryStore
from clouddatamesh.storage.memory_held import Held
from tests.reconcile.flows import ENDPOINT, ready
from tests.reconcile.test_access import granted
from tests.support.manifests import a_domain, a_policy, a_product, a_rule, a_store, annotated
from tests.support.mesh import Mesh

PRODUCT: Final = Key("DataProduct", "sales", "orders")
BUCKET: Final = "legacy-orders"
CONSENT: Final = "acme/sales/orders"
APPLY: Final = {"apply_plan": BUCKET}


def wish(*, apply: bool = False, **storage: Any) -> dict[str, Any]:
    product = a_product(storage={"bucketName": BUCKET, "adoptionPolicy": "IfConsented", **storage})
    return annotated(product, **APPLY) if apply else product


def legacy(consent: str = CONSENT, **store: Any) -> Mesh:
    """A mesh, and a bucket of somebody else's with data in it."""
    mesh = Mesh().apply(a_store(**{"adoptableBuckets": ["legacy-*"], **store}), a_domain()).settle()
    held = the_store(mesh)
    held.put_bucket(b.Bucket(BUCKET, tags=((marks.ADOPT_TAG, consent), ("theirs", "kept"))))
    held.put_object(BUCKET, count=3)
    return mesh


def the_store(mesh: Mesh) -> MemoryStore:
    return mesh.stores.at(ENDPOINT)


def held(mesh: Mesh) -> Held:
    return the_store(mesh).buckets[BUCKET]


def writes_of_the_store(mesh: Mesh, since: int = 0) -> list[str]:
    return [what for what in mesh.trap.seen[since:] if BUCKET in what and "DataProduct" not in what]


def reason(mesh: Mesh, type_: str = "Ready") -> str:
    return str(mesh.condition("DataProduct", "orders", "sales", type_).get("reason"))


def test_a_plan_stands_in_status_and_nothing_is_written_to_the_store() -> None:
    mesh = legacy()
    before = held(mesh).bucket
    mesh.apply(wish()).settle()
    ready_ = mesh.condition("DataProduct", "orders", "sales")
    assert (ready_["status"], ready_["reason"]) == ("False", "AdoptionPlanned")
    assert "storage" not in mesh.product()["status"] and "producer" not in mesh.product()["status"]
    assert "block public access" in mesh.product()["status"]["plan"]
    assert held(mesh).bucket == before
    assert not the_store(mesh).users.keys() - {name for name in the_store(mesh).users if name.startswith("mesh.")}
    assert "clouddatamesh.dev/finalizer" not in mesh.product()["metadata"].get("finalizers", [])


@pytest.mark.parametrize("rule", ["versioning == 'Enabled'", "publicAccessBlocked", "encryption != ''", "tlsOnly"])
def test_a_rule_on_settings_that_adopting_makes_keeps_no_bucket_from_being_adopted(rule: str) -> None:
    mesh = legacy()
    deny = a_policy("safe", enforcement="Deny", targets={"kinds": ["DataProduct"]}, rules=[a_rule("safe", f"live.bucket.{rule}")])
    mesh.apply(deny).settle().apply(wish()).settle()
    assert reason(mesh) == "AdoptionPlanned"
    mesh.apply(wish(apply=True)).settle()
    mesh.clock.forward(minutes=30)
    mesh.settle()
    assert (reason(mesh), reason(mesh, "PoliciesCompliant")) == ("Ready", "Compliant")


def test_the_word_has_it_adopted_and_the_plan_goes() -> None:
    mesh = legacy()
    mesh.apply(wish()).settle().apply(wish(apply=True)).settle()
    status = mesh.product()["status"]
    assert reason(mesh) == "Ready"
    assert (status["storage"]["phase"], status["storage"]["mayDelete"], status["storage"]["deletion"]) == ("Adopted", False, "Retain")
    assert "plan" not in status and "adoption" not in status
    tags = dict(held(mesh).bucket.tags)
    assert (tags["theirs"], tags[marks.ADOPTED_TAG]) == ("kept", "keep")
    assert held(mesh).versions == 3


def test_time_alone_has_it_adopted_where_a_delay_is_given() -> None:
    mesh = legacy().apply(wish(adoptionDelay="2d")).settle()
    due = reconcile(PRODUCT, mesh.ports)
    assert due.after is not None and due.after <= 5 * 60 * 1.1
    mesh.clock.forward(hours=47)
    mesh.settle()
    assert reason(mesh) == "AdoptionPlanned"
    assert 0 < (reconcile(PRODUCT, mesh.ports).after or 0) <= 3600
    mesh.clock.forward(hours=1)
    mesh.settle()
    assert reason(mesh) == "Ready"


def since(mesh: Mesh) -> object:
    return mesh.product()["status"].get("adoption", {}).get("plannedAt")


def test_one_refused_write_is_told_and_begins_no_delay_anew() -> None:
    mesh = legacy().apply(wish(adoptionDelay="2h")).settle()
    the_store(mesh).refuse("update")
    mesh.clock.forward(hours=2)
    mesh.settle()
    for _ in range(3):
        assert (reason(mesh), since(mesh)) == ("AccessDenied", "2026-01-01T00:00:00Z")
        mesh.clock.forward(minutes=5)
        mesh.settle()
    the_store(mesh).allow("update")
    mesh.settle()
    assert reason(mesh) == "Ready"
    assert since(mesh) is None


@pytest.mark.parametrize("at", [1, 2])
def test_a_store_that_does_not_answer_for_a_while_begins_no_delay_anew(at: int) -> None:
    mesh = legacy().apply(wish(adoptionDelay="2h")).settle()
    mesh.clock.forward(hours=at)
    the_store(mesh).down = True
    mesh.settle()
    assert reason(mesh) in ("StoreUnavailable", "StoreNotReady")
    assert since(mesh) == "2026-01-01T00:00:00Z"
    mesh.clock.forward(minutes=10)
    the_store(mesh).down = False
    mesh.settle()
    mesh.clock.forward(minutes=50)
    mesh.settle()
    assert reason(mesh) == "Ready"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"mode": "Plan"}, {"mode": "Observe"}], ids=str)
def test_a_delay_passes_while_nothing_is_made_and_nobody_is_told_to_wait(spec: dict[str, Any]) -> None:
    manifest = wish(adoptionDelay="2h")
    mesh = legacy().apply({**manifest, "spec": {**manifest["spec"], **spec}}).settle()
    assert "wait" not in mesh.condition("DataProduct", "orders", "sales")["message"]
    before = held(mesh).bucket
    for _ in range(3):
        mesh.clock.forward(hours=1)
        mesh.settle()
        assert since(mesh) == "2026-01-01T00:00:00Z"
    assert held(mesh).bucket == before
    assert "wait" not in mesh.condition("DataProduct", "orders", "sales")["message"]
    mesh.apply(manifest).settle()
    assert reason(mesh) == "Ready"


def test_a_website_that_appears_while_the_delay_passes_begins_it_again() -> None:
    mesh = legacy().apply(wish(adoptionDelay="2d")).settle()
    mesh.clock.forward(hours=47)
    held(mesh).openings = b.Openings(website=True)
    mesh.settle()
    mesh.clock.forward(hours=2)
    mesh.settle()
    assert reason(mesh) == "AdoptionPlanned"
    assert "website" in mesh.condition("DataProduct", "orders", "sales")["message"]


def test_a_consent_that_is_taken_back_in_the_last_moment_counts() -> None:
    mesh = legacy()

    before = mesh.cluster.before_write

    def take_back(verb: str, key: Key) -> None:
        held(mesh).bucket = replace(held(mesh).bucket, tags=(("theirs", "kept"),))
        before(verb, key)

    mesh.cluster.before_write = take_back
    mesh.apply(wish(apply=True))
    reconcile(PRODUCT, mesh.ports)
    assert held(mesh).bucket.tags == (("theirs", "kept"),)
    assert not [what for what in mesh.trap.seen if what.startswith("update") and BUCKET in what]
    mesh.cluster.before_write = before
    mesh.settle()
    assert reason(mesh) == "NotOwned"


def test_an_acl_that_stands_against_it_is_named_and_nothing_is_begun() -> None:
    mesh = legacy()
    held(mesh).openings = b.Openings(grants=("READ to AllUsers",))
    before = held(mesh).bucket
    mesh.apply(wish(apply=True)).settle()
    assert reason(mesh) == "AdoptionBlocked"
    assert held(mesh).bucket == before
    held(mesh).openings = b.Openings()
    mesh.settle()
    assert reason(mesh) == "Ready"


def test_a_public_statement_of_theirs_is_kept_and_blocked() -> None:
    mesh = legacy()
    theirs = '{"Effect": "Allow", "Principal": "*", "Sid": "PublicRead"}'
    held(mesh).bucket = replace(held(mesh).bucket, foreign_statements=(theirs,), policy_version="2008-10-17", policy_id="theirs")
    mesh.apply(wish()).settle()
    assert "PublicRead" in mesh.condition("DataProduct", "orders", "sales")["message"]
    mesh.apply(wish(apply=True)).settle()
    assert reason(mesh) == "Ready"
    bucket = held(mesh).bucket
    assert (bucket.foreign_statements, bucket.public_access_blocked) == ((theirs,), True)
    assert (bucket.policy_version, bucket.policy_id) == ("2008-10-17", "theirs")
    held(mesh).bucket = replace(bucket, policy=())
    mesh.settle()
    assert reason(mesh, "StorageReady") == "StoreRefused"
    assert "PublicRead" in mesh.condition("DataProduct", "orders", "sales", "StorageReady")["message"]


def test_openings_that_cannot_be_asked_for_leave_everything_as_it_is() -> None:
    mesh = legacy()
    before = held(mesh).bucket
    mesh.apply(wish(apply=True))
    the_store(mesh).refuse("find openings")
    mesh.settle()
    assert held(mesh).bucket == before
    the_store(mesh).allow("find openings")
    mesh.settle()
    assert reason(mesh) == "Ready"


# For good.


DESTROY: Final[dict[str, Any]] = {"deletionPolicy": "Delete", "forceDestroy": True}


@pytest.mark.parametrize(("consent", "goes"), [(CONSENT, False), (f"{CONSENT};may-delete", True), (f"{CONSENT}:may-delete", True)])
def test_what_was_adopted_is_destroyed_only_with_its_owners_word(consent: str, goes: bool) -> None:
    mesh = legacy(consent).apply(wish(apply=True, **DESTROY)).settle()
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert (BUCKET in the_store(mesh).buckets) is not goes
    if not goes:
        assert held(mesh).versions == 3
        assert "consent does not say" in next(event.note for _, event in reversed(mesh.cluster.events) if event.reason == "Retained")


def test_what_was_adopted_stays_so_when_status_is_lost_and_when_it_is_handed_on() -> None:
    mesh = legacy().apply(wish(apply=True, **DESTROY)).settle()
    mesh.delete("DataProduct", "orders", "sales").settle()
    mesh.apply(wish(**DESTROY)).settle()
    assert reason(mesh) == "Ready", "its own marks bring it back"
    assert mesh.product()["status"]["storage"]["mayDelete"] is False
    held(mesh).bucket = replace(held(mesh).bucket, tags=(*held(mesh).bucket.tags, (marks.TRANSFER_TAG, "sales/heir")))
    mesh.apply(annotated(a_product("heir", storage={"bucketName": BUCKET, **DESTROY}))).settle()
    mesh.clock.forward(minutes=1)
    mesh.settle()
    assert mesh.product("heir")["status"]["storage"]["mayDelete"] is False
    mesh.delete("DataProduct", "heir", "sales").delete("DataProduct", "orders", "sales").settle()
    assert held(mesh).versions == 3


def test_one_that_was_adopted_before_there_was_a_tag_for_it_gets_it() -> None:
    mesh = legacy().apply(wish(apply=True, **DESTROY)).settle()
    status = dict(mesh.product()["status"])
    status["storage"] = {name: value for name, value in status["storage"].items() if name not in ("mayDelete", "deletion", "regionFrom")}
    mesh.cluster.write_status(PRODUCT, mesh.product()["metadata"]["uid"], status)
    held(mesh).bucket = replace(held(mesh).bucket, tags=tuple(tag for tag in held(mesh).bucket.tags if tag[0] != marks.ADOPTED_TAG))
    mesh.settle()
    assert dict(held(mesh).bucket.tags)[marks.ADOPTED_TAG] == "keep"
    assert mesh.product()["status"]["storage"]["mayDelete"] is False


def test_leave_that_is_given_later_counts_from_the_next_look_on() -> None:
    mesh = legacy().apply(wish(apply=True, **DESTROY)).settle()
    held(mesh).bucket = replace(held(mesh).bucket, tags=(*held(mesh).bucket.tags, (marks.ADOPT_TAG, f"{CONSENT};may-delete")))
    mesh.settle()
    assert mesh.product()["status"]["storage"]["deletion"] == "Destroy"
    assert dict(held(mesh).bucket.tags)[marks.ADOPTED_TAG] == "may-delete"
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert BUCKET not in the_store(mesh).buckets


def test_a_bucket_that_is_handed_over_is_not_destroyed_with_its_present_product() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_product(storage=DESTROY)).settle()
    name = mesh.bucket_of()
    kept = the_store(mesh).buckets[name]
    kept.bucket = replace(kept.bucket, tags=(*kept.bucket.tags, (marks.TRANSFER_TAG, "inventory/heir")))
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert not mesh.exists("DataProduct", "orders", "sales")
    assert name in the_store(mesh).buckets


def test_a_hand_over_that_is_tagged_while_the_bucket_is_emptied_ends_the_emptying() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_product(storage=DESTROY)).settle()
    name = mesh.bucket_of()
    the_store(mesh).put_object(name, count=5000)
    before = mesh.stores.before_write
    kept = the_store(mesh).buckets[name]

    def hand_over(what: str) -> None:
        if what.startswith("empty"):
            kept.bucket = replace(kept.bucket, tags=(*dict(kept.bucket.tags).items(), (marks.TRANSFER_TAG, "inventory/heir")))
        before(what)

    mesh.stores.before_write = hand_over
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert kept.versions == 4000
    assert name in the_store(mesh).buckets


def test_a_bucket_that_somebody_made_and_lent_while_ours_was_begun_is_theirs() -> None:
    mesh = Mesh().apply(a_store(), a_domain()).settle()
    the_store(mesh).refuse("create", name="acme-lent")
    mesh.apply(a_product(storage={"bucketName": "acme-lent", "adoptionPolicy": "IfConsented", **DESTROY}))
    reconcile(PRODUCT, mesh.ports)
    assert mesh.product()["status"]["storage"]["phase"] == "Creating"
    the_store(mesh).allow("create")
    the_store(mesh).put_bucket(b.Bucket("acme-lent", tags=((marks.ADOPT_TAG, CONSENT),)))
    the_store(mesh).buckets["acme-lent"].openings = b.Openings(website=True)
    mesh.settle()
    assert reason(mesh) == "AdoptionPlanned"
    assert "website" in mesh.condition("DataProduct", "orders", "sales")["message"]
    mesh.cluster.user_apply(annotated(dict(mesh.product()), apply_plan="acme-lent"))
    mesh.settle()
    storage = mesh.product()["status"]["storage"]
    assert (storage["phase"], storage["mayDelete"]) == ("Adopted", False)


# Where it is.


def test_a_bucket_of_another_region_is_told_of_and_read_there() -> None:
    mesh = legacy()
    held(mesh).location = "eu-west-1"
    mesh.apply(wish()).settle()
    assert any("region eu-west-1" in line for line in mesh.product()["status"]["plan"])
    mesh.apply(wish(apply=True)).settle()
    storage = mesh.product()["status"]["storage"]
    assert (storage["region"], storage["regionFrom"]) == ("eu-west-1", "Bucket")
    assert mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer"))["region"] == "eu-west-1"
    calls = len([call for call in the_store(mesh).calls if call[0] == "locate"])
    mesh.clock.forward(minutes=10)
    mesh.settle()
    assert len([call for call in the_store(mesh).calls if call[0] == "locate"]) == calls, "a bucket does not move"


@pytest.mark.parametrize("location", ["", "us-east-1"])
def test_what_the_store_calls_its_own_place_is_the_stores_region(location: str) -> None:
    mesh = legacy()
    held(mesh).location = location
    mesh.apply(wish(apply=True)).settle()
    storage = mesh.product()["status"]["storage"]
    assert (storage["region"], storage["regionFrom"]) == ("us-east-1", "Store")


def test_a_region_that_cannot_be_read_is_asked_for_again() -> None:
    mesh = legacy()
    held(mesh).location = "eu-west-1"
    the_store(mesh).refuse("locate")
    mesh.apply(wish(apply=True)).settle()
    assert "regionFrom" not in mesh.product()["status"]["storage"]
    the_store(mesh).allow("locate")
    mesh.settle()
    assert mesh.product()["status"]["storage"]["region"] == "eu-west-1"
    assert mesh.cluster.secret_data(Key("Secret", "sales", "orders-producer"))["region"] == "eu-west-1"


def test_a_consumers_secret_has_the_buckets_region() -> None:
    mesh = granted()
    status = dict(mesh.product()["status"])
    status["storage"] = {**status["storage"], "region": "eu-west-1", "regionFrom": "Bucket"}
    mesh.cluster.write_status(PRODUCT, mesh.product()["metadata"]["uid"], status)
    mesh.settle()
    assert mesh.cluster.secret_data(Key("Secret", "inventory", "orders-access"))["region"] == "eu-west-1"


def test_what_the_mesh_makes_is_not_asked_where_it_is() -> None:
    mesh = ready(Mesh()).settle()
    assert not [call for call in the_store(mesh).calls if call[0] in ("locate", "find openings")]


# What emptying costs.


def test_a_page_is_emptied_with_few_calls_and_each_is_asked_for_live() -> None:
    mesh = Mesh().apply(a_store(), a_domain(), a_product(storage=DESTROY)).settle()
    the_store(mesh).put_object(mesh.bucket_of(), count=20_000)
    mark = len(the_store(mesh).calls)
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert not mesh.exists("DataProduct", "orders", "sales")
    calls = [verb for verb, _ in the_store(mesh).calls[mark:]]
    assert calls.count("empty") == 20
    assert calls.count("count") <= 10
    assert calls.count("observe") >= 20, "whose the bucket is, before each page"
    assert len(calls) <= 3 * 20 + 30


# A store that serves the domain no more.


def test_a_bucket_in_a_store_that_serves_the_domain_no_more_is_kept_and_protected() -> None:
    mesh = granted()
    user, keys = mesh.product()["status"]["producer"]["principal"], len(the_store(mesh).users)
    mesh.apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}})).settle()
    kept = mesh.condition("DataProduct", "orders", "sales")
    assert (kept["status"], kept["reason"]) == ("False", "NotAllowed")
    assert "are kept, and nothing new is given" in kept["message"]
    open_ = the_store(mesh).buckets[mesh.bucket_of()]
    open_.bucket = replace(open_.bucket, public_access_blocked=False)
    mesh.settle()
    assert open_.bucket.public_access_blocked is True
    assert the_store(mesh).users[user].keys and len(the_store(mesh).users) == keys
    assert mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"] == "True"
    mesh.delete("DataProduct", "orders", "sales")
    assert mesh.apply(a_store()).settle()


def test_a_new_product_of_a_domain_that_is_not_served_makes_nothing() -> None:
    mesh = Mesh().apply(a_store(allowedDomains={"matchLabels": {"tier": "gold"}}), a_domain(), a_product()).settle()
    assert reason(mesh) == "NotAllowed"
    assert "storage" not in mesh.product()["status"]
