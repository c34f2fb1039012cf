"""What is done with a bucket: made in a safe order, repaired, taken over, or left; and when it counts as lost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model import bucket as b
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.operations import Announce, Record
from clouddatamesh.model.store_operations import CreateBucket, MarkBucket, UpdateBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan.losses import is_lost
from clouddatamesh.plan.regions import asks_region, region_of
from clouddatamesh.plan.rules import witness_of
from clouddatamesh.plan.storage import plan_storage, want_bucket
from clouddatamesh.plan.wish import Wish, wish_of
from tests.support.worlds import ABLE, START, a_world, owned_tags, the_product, the_store

NAME: Final = "acme-orders"
OWNED: Final = {"bucket": NAME, "phase": "Owned", "ownershipVerified": True}
STRANGERS: Final = b.Bucket(NAME, tags=owned_tags("inventory"))
RELEASED: Final = b.Bucket(NAME, tags=owned_tags(released="sales/orders"))


def a_wish(
    world: ProductWorld,
    *,
    reason: str = "",
    says: str = "Unknown",
    age: int = 0,
    seen_for: int | None = None,
    braked: bool = False,
    **product: Any,
) -> Wish:
    """A product whose bucket was made, what its StorageReady has said for so many seconds, and for how long other marks were seen."""
    since = f"{START - timedelta(seconds=age):%Y-%m-%dT%H:%M:%SZ}"
    ready = {"type": "StorageReady", "status": says, "reason": reason, "lastTransitionTime": since}
    first = {} if seen_for is None else {"lossSeenAt": f"{START - timedelta(seconds=seen_for):%Y-%m-%dT%H:%M:%SZ}"}
    told = {"storage": {**OWNED, **first, **({"lossBraked": True} if braked else {})}, "conditions": [ready] if reason else []}
    wish = wish_of(the_product(**{"status": told, **product}), world)
    assert wish is not None
    return wish


def seen(bucket: b.Bucket | None, **parts: Any) -> ProductWorld:
    return a_world(bucket=Present(bucket) if bucket else Absent(), **parts)


def stop_of(wish: Wish, world: ProductWorld) -> MeshError:
    """Why nothing is done."""
    steps = plan_storage(wish, world)
    assert steps.operations == ()
    assert steps.stop is not None
    return steps.stop


ELSEWHERE: Final = b.Bucket(NAME, is_of_other_account=True)
SAID: Final = {"reason": reasons.LOSS_UNCONFIRMED}
CONFIRMED: Final = {"reason": reasons.NOT_OWNED, "says": "False", "seen_for": 60}
LOSSES: Final[tuple[tuple[str, b.Bucket | None, dict[str, Any], dict[str, Any], str, bool], ...]] = (
    ("another's, seen for the first time", STRANGERS, {}, {}, reasons.LOSS_UNCONFIRMED, False),
    ("another's for 29 seconds", STRANGERS, {**SAID, "age": 900, "seen_for": 29}, {}, reasons.LOSS_UNCONFIRMED, False),
    ("another's for 30 seconds", STRANGERS, {**SAID, "seen_for": 30}, {}, reasons.NOT_OWNED, True),
    ("something else was wrong for long", STRANGERS, {"reason": "StoreUnavailable", "age": 900}, {}, reasons.LOSS_UNCONFIRMED, False),
    ("it was confirmed before", STRANGERS, CONFIRMED, {}, reasons.NOT_OWNED, True),
    ("called another's, and never seen so", STRANGERS, {**CONFIRMED, "seen_for": None}, {}, reasons.LOSS_UNCONFIRMED, False),
    ("a second bucket of the store", STRANGERS, {**SAID, "seen_for": 30}, {"losses": 1}, reasons.NOT_OWNED, True),
    (
        "a third bucket of the store",
        STRANGERS,
        {**SAID, "seen_for": 30},
        {"losses": 2},
        reasons.STORAGE_LOSS_BRAKE,
        False,
    ),
    ("a third bucket, at first sight", STRANGERS, {}, {"losses": 2}, reasons.STORAGE_LOSS_BRAKE, False),
    (
        "confirmed before the others were lost",
        STRANGERS,
        CONFIRMED,
        {"losses": 9},
        reasons.NOT_OWNED,
        True,
    ),
    ("the others were put right", STRANGERS, {**SAID, "seen_for": 900, "braked": True}, {}, reasons.STORAGE_LOSS_BRAKE, False),
    ("braked, and let go by its tag", RELEASED, {"seen_for": 900, "braked": True}, {}, reasons.RELEASED, True),
    ("for long by a clock that is not trusted", STRANGERS, {"seen_for": 900}, {"is_time_trusted": False}, reasons.LOSS_UNCONFIRMED, False),
    ("let go by its tag", RELEASED, {}, {}, reasons.RELEASED, True),
    ("let go by its tag, and many others are lost", RELEASED, {}, {"losses": 9}, reasons.RELEASED, True),
    ("of another account", ELSEWHERE, {}, {}, reasons.LOSS_UNCONFIRMED, False),
    (
        "of another account for a minute",
        ELSEWHERE,
        {**SAID, "seen_for": 60},
        {},
        reasons.NOT_OWNED,
        True,
    ),
    ("missing", None, {**SAID, "age": 900}, {}, reasons.BUCKET_MISSING, False),
    ("without marks and witness", b.Bucket(NAME), {**SAID, "age": 900}, {}, reasons.MARKS_MISSING, False),
)


@pytest.mark.parametrize(("bucket", "before", "parts", "reason", "lost"), [case[1:] for case in LOSSES], ids=[case[0] for case in LOSSES])
def test_when_a_bucket_is_lost(bucket: b.Bucket | None, before: dict[str, Any], parts: dict[str, Any], reason: str, lost: bool) -> None:
    """Only what is lost takes credentials away; why nothing is written is said in each case."""
    world = seen(bucket, **parts)
    wish = a_wish(world, **before)
    assert is_lost(wish, world) is lost
    found = stop_of(wish, world)
    assert found.reason == reason
    assert isinstance(found, Waiting if reason == reasons.LOSS_UNCONFIRMED else Terminal)


def test_where_a_product_had_nothing_anothers_bucket_needs_no_second_look() -> None:
    """What its name has in the store is left of an earlier one, or of a lost cluster. A bucket without marks is nobody's proof."""
    for status in ({}, {"storage": {**OWNED, "phase": "Creating"}}):
        for bucket, lost in ((STRANGERS, True), (RELEASED, True), (b.Bucket(NAME), False)):
            world = seen(bucket)
            wish = a_wish(world, status=status)
            assert is_lost(wish, world) is lost
            assert stop_of(wish, world).reason == (reasons.RELEASED if bucket is RELEASED else reasons.NOT_OWNED)


def test_a_bucket_that_was_not_seen_is_neither_lost_nor_written() -> None:
    error = Transient("StoreUnavailable", "The store does not answer")
    world = a_world(bucket=Unknown(error))
    wish = a_wish(world, reason=reasons.LOSS_UNCONFIRMED, age=900)
    assert not is_lost(wish, world)
    assert stop_of(wish, world) is error


def test_the_brake_says_how_many_and_how_to_let_one_go() -> None:
    world = seen(STRANGERS, losses=4)
    assert "3 products of one store, or of several stores" in stop_of(a_wish(world), world).message
    assert "clouddatamesh.dev/released=sales/orders" in stop_of(a_wish(world), world).message


def a_new(world: ProductWorld, **product: Any) -> Wish:
    """A product without record."""
    return a_wish(world, status={}, **product)


def test_a_bucket_is_recorded_made_marked_and_then_protected() -> None:
    steps = plan_storage(a_new(seen(None)), seen(None))
    record, create, mark, *updates = steps.operations
    assert isinstance(record, Record)
    assert dict(record.fields)["storage"]["phase"] == "Creating"
    assert isinstance(create, CreateBucket)
    assert isinstance(mark, MarkBucket)
    assert steps.stop is None
    paths = [update.path for update in updates if isinstance(update, UpdateBucket)]
    assert paths == ["publicAccessBlock", "ownership", "policy", "encryption", "versioning", "lifecycle"]


@pytest.mark.parametrize(("name", "word"), [("other-orders", "must begin with acme-"), ("acme-orders-abcdefghijklmnop", "generated name")])
def test_a_chosen_name_has_the_prefix_and_is_not_as_a_generated_one(name: str, word: str) -> None:
    world = seen(None)
    assert word in stop_of(a_new(world, storage={"storeRef": {"name": "main"}, "bucketName": name}), world).message


def test_a_store_that_lacks_what_is_required_makes_nothing() -> None:
    weak = the_store(baseline={"encryption": "Required"})
    able = tuple(found for found in weak.status.capabilities if found.name != b.ENCRYPTION)
    lacking = weak.model_copy(update={"status": weak.status.model_copy(update={"capabilities": able})})
    world = seen(None, store=lacking)
    assert stop_of(a_new(world), world).reason == reasons.CAPABILITY_MISSING


def safe(wish: Wish, **differs: Any) -> b.Bucket:
    """The bucket as it should be, but for what is given."""
    return replace(want_bucket(wish, b.Bucket(NAME, policy=(), versioning="Off", lifecycle=())), **differs)


def test_a_bucket_that_is_as_it_should_be_is_left_alone() -> None:
    wish = a_wish(a_world())
    assert plan_storage(wish, seen(safe(wish))).operations == ()


@pytest.mark.parametrize(
    ("differs", "path"),
    [
        ({"public_access_blocked": False}, "publicAccessBlock"),
        ({"ownership_enforced": False}, "ownership"),
        ({"policy": ()}, "policy"),
        ({"versioning": "Suspended"}, "versioning"),
        ({"lifecycle": ()}, "lifecycle"),
    ],
    ids=str,
)
def test_what_was_changed_by_hand_is_repaired(differs: dict[str, Any], path: str) -> None:
    wish = a_wish(a_world())
    (update,) = plan_storage(wish, seen(safe(wish, **differs))).operations
    assert isinstance(update, UpdateBucket)
    assert update.path == path


@pytest.mark.parametrize(
    ("found", "wanted"), [(None, "AES256"), ("AES256", "AES256"), ("aws:kms", "aws:kms"), ("aws:kms:dsse", "aws:kms:dsse")]
)
def test_encryption_is_never_lowered(found: str | None, wanted: str) -> None:
    wish = a_wish(a_world())
    assert want_bucket(wish, safe(wish, encryption=found)).encryption == wanted


def test_the_witness_is_a_rule_that_does_nothing_and_names_the_owner() -> None:
    wish = a_wish(a_world(), storage={"storeRef": {"name": "main"}, "lifecycleRules": [{"prefix": "tmp/", "expireAfter": "7d"}]})
    rules = safe(wish).lifecycle or ()
    witness = witness_of("uid-1")
    assert (witness.id, witness.enabled) == ("clouddatamesh-owner-uid-1", False)
    assert witness in rules
    assert [(rule.prefix, rule.expire_days) for rule in rules if rule.enabled] == [("tmp/", 7)]


def test_a_lost_witness_is_written_again() -> None:
    wish = a_wish(a_world())
    (update,) = plan_storage(wish, seen(safe(wish, lifecycle=()))).operations
    assert isinstance(update, UpdateBucket)
    assert witness_of("uid-1") in (update.want.lifecycle or ())


def test_marks_that_vanished_are_written_again_where_the_witness_is_there() -> None:
    wish = a_wish(a_world())
    (update,) = plan_storage(wish, seen(safe(wish, tags=(("team", "a"),)))).operations
    assert isinstance(update, UpdateBucket)
    assert update.path == "tags"
    assert ("team", "a") in update.want.tags
    assert set(owned_tags()) <= set(update.want.tags)


def test_foreign_tags_stay_and_consent_is_used_up() -> None:
    wish = a_wish(a_world(), storage={"storeRef": {"name": "main"}, "tags": {"cost": "1"}})
    consent = {"transfer_to": "sales/orders", "adopt_by": "acme/sales/orders"}
    tags = dict(want_bucket(wish, b.Bucket(NAME, tags=(("team", "a"), *owned_tags("inventory", **consent)))).tags)
    assert (tags["team"], tags["cost"], tags["clouddatamesh.dev/namespace"]) == ("a", "1", "sales")
    assert not {"clouddatamesh.dev/transfer-to", "clouddatamesh.dev/adopt-by"} & set(tags)


def test_a_bucket_that_is_taken_over_is_told_of() -> None:
    world = a_world()
    wish = a_new(world)
    *_, told = plan_storage(wish, seen(safe(wish, tags=owned_tags(uid="gone")))).operations
    assert isinstance(told, Announce)
    assert told.event.reason == reasons.ADOPTED


REGIONS: Final[tuple[tuple[str, dict[str, Any], dict[str, Any], Any, tuple[str, str | None], bool], ...]] = (
    ("made in the store's region", OWNED, {}, None, ("us-east-1", None), False),
    ("made in the store's region, which has another name now", {**OWNED, "region": "old"}, {}, None, ("us-east-1", None), False),
    ("adopted, not read yet", {**OWNED, "phase": "Adopted"}, {}, None, ("us-east-1", None), True),
    ("adopted, read now", {**OWNED, "phase": "Adopted"}, {}, ("eu-west-1", "Bucket"), ("eu-west-1", "Bucket"), True),
    ("read before", {**OWNED, "region": "eu-west-1", "regionFrom": "Bucket"}, {}, None, ("eu-west-1", "Bucket"), False),
    ("the store's, as it was read before", {**OWNED, "region": "old", "regionFrom": "Store"}, {}, None, ("us-east-1", "Store"), False),
    ("on AWS, of before regions were read", {**OWNED, "region": "us-east-1"}, {"endpointUrl": None}, None, ("us-east-1", None), True),
    ("on AWS, and the store's spec has another region now", {**OWNED, "region": "eu-west-1", "regionFrom": "Bucket"},
     {"endpointUrl": None}, None, ("eu-west-1", "Bucket"), False),
)  # fmt: skip


@pytest.mark.parametrize(("told", "store", "asked", "wanted", "asks"), [case[1:] for case in REGIONS], ids=[case[0] for case in REGIONS])
def test_the_region_is_the_buckets_own(
    told: dict[str, Any], store: dict[str, Any], asked: Any, wanted: tuple[str, str | None], asks: bool
) -> None:
    product, kept = the_product(status={"storage": told}), the_store(**store)
    assert region_of(product, kept, a_world(store=kept, region=asked)) == wanted
    assert asks_region(product, kept, b.Bucket(NAME)) is asks
    wish = wish_of(product, a_world(store=kept, region=asked))
    assert wish is not None and wish.region == wanted[0]


@pytest.mark.parametrize(
    "tags", [(("clouddatamesh.dev/adopted", "keep"),), (("clouddatamesh.dev/adopt-by", "acme/sales/orders"),)], ids=str
)
def test_the_region_of_what_others_made_is_read_whatever_is_recorded(tags: b.Tags) -> None:
    making = the_product(status={"storage": {**OWNED, "phase": "Creating"}})
    assert asks_region(making, the_store(), b.Bucket(NAME, tags=tags))
    assert not asks_region(making, the_store(), b.Bucket(NAME))


def test_what_others_wrote_in_the_policy_is_taken_before_public_access_is_blocked() -> None:
    wish = a_wish(a_world())
    bare = safe(wish, policy=(), public_access_blocked=False)
    paths = [str(update) for update in plan_storage(wish, seen(bare)).operations]
    assert [path.split()[1] for path in paths] == ["publicAccessBlock", "policy"]
    shared = replace(bare, foreign_statements=('{"Effect": "Allow"}',))
    assert [str(update).split()[1] for update in plan_storage(wish, seen(shared)).operations] == ["policy", "publicAccessBlock"]


def test_what_is_not_ours_of_policy_and_lifecycle_is_carried_along() -> None:
    wish = a_wish(a_world())
    theirs = {"policy_version": "2008-10-17", "policy_id": "theirs", "transition_minimum": "varies_by_storage_class"}
    want = want_bucket(wish, safe(wish, policy=(), lifecycle=(), **theirs))
    assert {name: getattr(want, name) for name in theirs} == theirs


def test_a_bucket_that_we_were_interrupted_in_making_is_marked_first() -> None:
    making = seen(b.Bucket(NAME), contents=Present(b.Contents()))
    wish = a_wish(making, status={"storage": {**OWNED, "phase": "Creating"}})
    assert isinstance(plan_storage(wish, making).operations[0], MarkBucket)


def test_the_store_of_these_tests_can_do_everything() -> None:
    assert {entry["name"] for entry in ABLE} == set(b.CAPABILITIES)
