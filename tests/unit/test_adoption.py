"""Adopting a bucket that the mesh never had: what the plan says, who agrees to it, and what stays true of the bucket for good."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import Bucket, Openings
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.operations import Announce
from clouddatamesh.model.plan import Steps
from clouddatamesh.model.store_operations import UpdateBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks
from clouddatamesh.plan.adoption import Adoption
from clouddatamesh.plan.dataproduct import plan
from clouddatamesh.plan.storage import plan_storage, planned_adoption
from clouddatamesh.plan.wish import wish_of
from clouddatamesh.status.dataproduct import report
from tests.support.worlds import START, a_world, the_product, the_store

NAME: Final = "legacy-orders"
CONSENT: Final = "acme/sales/orders"
MAY_DELETE: Final = f"{CONSENT};may-delete"
APPLY: Final = {"clouddatamesh.dev/apply-plan": NAME}
PUBLIC: Final = Openings(website=True, statements=("PublicRead",))


def a_product(*, annotations: dict[str, str] | None = None, status: dict[str, Any] | None = None, **storage: Any) -> DataProduct:
    wish = {"storeRef": {"name": "main"}, "bucketName": NAME, "adoptionPolicy": "IfConsented", **storage}
    return the_product(storage=wish, annotations=annotations, status=status)


def theirs(consent: str = CONSENT, **differs: Any) -> Bucket:
    """A bucket of somebody else's, that consents."""
    plain = {"public_access_blocked": False, "ownership_enforced": False, "policy": (), "versioning": "Off", "lifecycle": ()}
    tags = ((marks.ADOPT_TAG, consent), ("team", "a"))
    return Bucket(NAME, **{"tags": tags, **plain, **differs})


def seen(bucket: Bucket | None = None, **parts: Any) -> ProductWorld:
    return a_world(**{"store": the_store(adoptableBuckets=["legacy-*"]), "bucket": Present(bucket or theirs()), **parts})


def steps(product: DataProduct, world: ProductWorld) -> Steps:
    wish = wish_of(product, world)
    assert wish is not None
    return plan_storage(wish, world)


def planned(product: DataProduct, world: ProductWorld) -> Adoption:
    wish = wish_of(product, world)
    assert wish is not None
    found = planned_adoption(wish, world)
    assert found is not None
    return found


def stop_of(product: DataProduct, world: ProductWorld) -> MeshError:
    """Why nothing is done at all."""
    found = steps(product, world)
    assert found.operations == ()
    assert found.stop is not None
    return found.stop


def test_nothing_is_done_before_somebody_says_so() -> None:
    stop = stop_of(a_product(), seen())
    assert isinstance(stop, Terminal)
    assert stop.reason == reasons.ADOPTION_PLANNED
    assert f"clouddatamesh.dev/apply-plan={NAME}" in stop.message
    assert "adoptionDelay" not in stop.message
    parts = {part.name: part.operations for part in plan(a_product(), seen()).parts}
    assert parts["storage"] == parts["credentials"] == parts["taking"] == ()


def test_with_the_word_it_is_marked_if_nobody_changed_its_tags_and_made_safe() -> None:
    first, *others, told = steps(a_product(annotations=APPLY), seen()).operations
    assert isinstance(first, UpdateBucket) and first.path == "tags"
    assert first.seen == theirs().tags
    tags = dict(first.want.tags)
    assert (tags["team"], tags[marks.ADOPTED_TAG], tags[marks.NAME_TAG]) == ("a", marks.KEEP, "orders")
    assert marks.ADOPT_TAG not in tags
    assert all(isinstance(update, UpdateBucket) and update.seen is None for update in others)
    assert isinstance(told, Announce)


@pytest.mark.parametrize("annotation", ["acme-other", "", "legacy-orders-2"])
def test_a_word_for_another_bucket_is_no_word(annotation: str) -> None:
    product = a_product(annotations={"clouddatamesh.dev/apply-plan": annotation})
    assert stop_of(product, seen()).reason == reasons.ADOPTION_PLANNED


def shown(product: DataProduct, world: ProductWorld) -> dict[str, Any]:
    """The status after a look."""
    outcome = report(product, world, plan(product, world))
    return {name: outcome.fields[name] for name in ("plan", "adoption") if name in outcome.fields}


def test_the_plan_stands_in_status_and_goes_with_the_adoption() -> None:
    told = shown(a_product(), seen())
    assert told["adoption"] == {"bucket": NAME, "plannedAt": "2026-01-01T00:00:00Z"}
    assert "block public access" in told["plan"]
    assert shown(a_product(annotations=APPLY), seen()) == told, "until it was carried out, for that may fail"
    wish = wish_of(a_product(), seen())
    assert wish is not None
    assert shown(a_product(status=told), seen(theirs(tags=tuple(wish.owner.tags)))) == {}


def test_a_plan_that_could_not_be_looked_at_stays_the_same_plan() -> None:
    told = shown(a_product(), seen())
    product, silence = a_product(status=told), Transient("StoreUnavailable", "The store does not answer")
    later = START + timedelta(hours=1)
    assert shown(product, replace(seen(now=later), bucket=Unknown(silence))) == told
    assert shown(product, replace(seen(now=later), bucket=Absent(), obstacle=silence)) == told
    assert shown(product, seen(theirs(tags=()), now=later)) == {}, "the consent was taken back"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"mode": "Plan"}, {"mode": "Observe"}], ids=str)
def test_nobody_is_told_to_wait_for_what_is_not_done(spec: dict[str, Any]) -> None:
    product = a_product(adoptionDelay="2d")
    product = product.model_copy(update={"spec": product.spec.model_copy(update=spec)})
    message = stop_of(product, seen()).message
    assert "wait" not in message
    assert f"none is made while spec.{next(iter(spec))} is" in message
    told = shown(product, seen())
    held = product.model_copy(update={"status": a_product(status=told).status})
    assert shown(held, seen(now=START + timedelta(days=3)))["adoption"] == told["adoption"], "its time goes on"


def test_time_agrees_where_a_delay_says_so_and_the_plan_is_the_same() -> None:
    waiting = a_product(adoptionDelay="2d")
    assert "spec.storage.adoptionDelay (2d)" in stop_of(waiting, seen()).message
    told = shown(waiting, seen())
    later = a_product(adoptionDelay="2d", status=told)
    for hours, goes in ((47, False), (48, True)):
        world = seen(now=START + timedelta(hours=hours))
        assert (steps(later, world).stop is None) is goes
        assert planned(later, world).planned_at == START
    assert steps(a_product(status=told), seen(now=START + timedelta(days=99))).stop is not None, "without a delay time never agrees"


DISTURBED: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("the bucket has a website now", {}, {"openings": Openings(website=True)}),
    ("the bucket's versions are kept now", {"bucket": theirs(versioning="Suspended")}, {}),
    ("its ACL cannot be read any more", {}, {"openings": Openings(unread=("its ACL",))}),
)


@pytest.mark.parametrize(("parts", "more"), [case[1:] for case in DISTURBED], ids=[case[0] for case in DISTURBED])
def test_a_plan_that_changed_is_a_new_one(parts: dict[str, Any], more: dict[str, Any]) -> None:
    later = a_product(adoptionDelay="2d", status=shown(a_product(adoptionDelay="2d"), seen()))
    world = seen(now=START + timedelta(days=3), **parts, **more)
    assert steps(later, world).stop is not None
    assert planned(later, world).planned_at == world.now


def test_a_plan_of_another_bucket_is_no_plan_of_this_one() -> None:
    told = shown(a_product(), seen())
    other = a_product(adoptionDelay="1m", status={**told, "adoption": {**told["adoption"], "bucket": "legacy-other"}})
    assert steps(other, seen(now=START + timedelta(days=3))).stop is not None


def test_by_a_clock_that_is_not_trusted_no_time_passes() -> None:
    later = a_product(adoptionDelay="1m", status=shown(a_product(adoptionDelay="1m"), seen()))
    assert steps(later, seen(now=START + timedelta(days=3), is_time_trusted=False)).stop is not None


def test_when_time_agrees_the_operator_looks_again() -> None:
    product = a_product(adoptionDelay="2d")
    assert report(product, seen(), plan(product, seen())).due == START + timedelta(days=2)
    assert report(a_product(), seen(), plan(a_product(), seen())).due is None


# What it says.


def lines(product: DataProduct | None = None, bucket: Bucket | None = None, **parts: Any) -> list[str]:
    return list(planned(product or a_product(), seen(bucket, **parts)).lines)


def test_who_reads_the_bucket_now_and_will_not_is_named_first() -> None:
    told = lines(openings=Openings(website=True, statements=("PublicRead", "number 2"), unread=("its ACL",)))
    assert [line for line in told if line.startswith("cuts off")] == told[:4]
    assert "PublicRead" in told[0] and "number 2" in told[1] and "website" in told[2] and "its ACL" in told[3]
    message = stop_of(a_product(), seen(openings=PUBLIC)).message
    assert "PublicRead" in message and "website" in message


def test_what_is_so_already_is_not_named() -> None:
    done = want_of(a_product())
    told = lines(bucket=theirs(**done), openings=PUBLIC)
    assert not [line for line in told if "cuts off" in line or "block" in line or "encrypt" in line or "versioning" in line]


def want_of(product: DataProduct) -> dict[str, Any]:
    """The settings of the bucket as they will be."""
    operations = steps(product.model_copy(update={"metadata": a_product(annotations=APPLY).metadata}), seen()).operations
    first = operations[0]
    assert isinstance(first, UpdateBucket) and first.path == "tags"
    names = ("public_access_blocked", "ownership_enforced", "policy", "encryption", "versioning", "lifecycle")
    return {name: getattr(first.want, name) for name in names}


@pytest.mark.parametrize(
    ("product", "bucket", "words"),
    [
        (a_product(), theirs(), "set versioning from Off to Enabled"),
        (a_product(versioning="Suspended"), theirs(MAY_DELETE, versioning="Enabled"), "set versioning from Enabled to Suspended"),
        (a_product(), theirs(), "encrypt new objects with AES256"),
        (a_product(), theirs(), "add to the bucket's policy: clouddatameshTlsOnly"),
        (a_product(), theirs(), "ACLs of objects do not count any more"),
        (a_product(lifecycleRules=[{"prefix": "tmp/", "expireAfter": "7d"}]), theirs(MAY_DELETE), "below tmp/: objects after 7d"),
        (a_product(lifecycleRules=[{"expireNoncurrentAfter": "1d"}]), theirs(MAY_DELETE), "below the whole bucket: old versions after 1d"),
        (a_product(tags={"unit": "sales"}), theirs(), "add tag unit"),
        (a_product(tags={"team": "sales"}), theirs(MAY_DELETE), "replace the value of tag team"),
        (a_product(), theirs(), "Secret orders-producer"),
        (a_product(), theirs(), "is never emptied or deleted"),
        (a_product(), theirs(f"{CONSENT};may-delete"), "may be deleted with this product"),
        (a_product(), theirs(f"{CONSENT}:may-delete"), "may be deleted with this product"),
    ],
    ids=str,
)
def test_each_change_is_named(product: DataProduct, bucket: Bucket, words: str) -> None:
    assert [line for line in lines(product, bucket) if words in line]


@pytest.mark.parametrize(
    "spec",
    [
        {"versioning": "Suspended"},
        *({"lifecycleRules": [{"prefix": "tmp/", act: "7d"}]} for act in ("expireAfter", "expireNoncurrentAfter", "abortUploadsAfter")),
    ],
    ids=str,
)
def test_what_would_remove_of_a_lent_bucket_is_no_part_of_the_plan(spec: dict[str, Any]) -> None:
    found = lines(a_product(**spec), theirs(versioning="Enabled"))
    assert not [line for line in found if "versioning" in line or "after 7d" in line]


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_encryption_that_is_stronger_is_no_change(algorithm: str) -> None:
    bucket = theirs(encryption=algorithm)
    assert not [line for line in lines(bucket=bucket) if "encrypt" in line]
    written = [op for op in steps(a_product(annotations=APPLY), seen(bucket)).operations if isinstance(op, UpdateBucket)]
    assert "encryption" not in {update.path for update in written}


def test_another_region_is_named() -> None:
    assert [line for line in lines(region=("eu-west-1", "Bucket")) if "region eu-west-1" in line]
    assert not [line for line in lines(region=("us-east-1", "Bucket")) if "region us-east-1" in line]


# What stands against it.


GRANTED: Final = Openings(grants=("READ to AllUsers",))


@pytest.mark.parametrize("annotations", [{}, APPLY], ids=["asked", "agreed"])
def test_an_adoption_that_would_stay_half_done_is_not_begun(annotations: dict[str, str]) -> None:
    stop = stop_of(a_product(annotations=annotations), seen(openings=GRANTED))
    assert stop.reason == reasons.ADOPTION_BLOCKED
    assert "READ to AllUsers" in stop.message
    assert "READ to AllUsers" in " ".join(lines(openings=GRANTED))


def test_where_ownership_is_not_set_an_acl_is_only_named() -> None:
    free = the_store(adoptableBuckets=["legacy-*"], baseline={"objectOwnership": "Off"})
    world = seen(openings=GRANTED, store=free)
    assert stop_of(a_product(), world).reason == reasons.ADOPTION_PLANNED
    assert "READ to AllUsers" in stop_of(a_product(), world).message
    assert steps(a_product(annotations=APPLY), world).stop is None
    enforced = theirs(ownership_enforced=True)
    assert steps(a_product(annotations=APPLY), seen(enforced, openings=GRANTED)).stop is None


def test_consent_to_delete_is_kept_for_good() -> None:
    first = steps(a_product(annotations=APPLY), seen(theirs(f"{CONSENT};may-delete"))).operations[0]
    assert isinstance(first, UpdateBucket) and first.path == "tags"
    assert dict(first.want.tags)[marks.ADOPTED_TAG] == marks.MAY_DELETE
