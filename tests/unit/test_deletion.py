"""The end of a DataProduct: who is waited for, what becomes of the bucket, and how the object goes where a store is given up."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.base import Condition
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model.bucket import Bucket, Contents
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.operations import Announce, ReleaseObject
from clouddatamesh.model.plan import Part
from clouddatamesh.model.store_operations import CheckDestruction, DeleteBucket, DeleteKey, DeletePolicy, DeletePrincipal, EmptyBucket
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import binding as b
from clouddatamesh.plan.credentials import binding_of
from clouddatamesh.plan.dataproduct import is_forced, plan
from clouddatamesh.plan.deletion import is_cut_off, plan_deletion
from clouddatamesh.plan.fates import fate_of
from clouddatamesh.plan.wish import wish_of
from tests.support.manifests import a_request
from tests.support.worlds import a_world, owned_tags, the_product, the_store

NAME: Final = "acme-orders"
SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
MINE: Final = Present(Bucket(NAME, tags=owned_tags()))
EMPTY, FULL = Present(Contents()), Present(Contents(versions=3, delete_markers=2, uploads=1))
DELETE: Final = {"deletionPolicy": "Delete"}
DESTROY: Final = {"deletionPolicy": "Delete", "forceDestroy": True}
ORPHAN: Final = {"clouddatamesh.dev/orphan": "orders"}
CONSUMER: Final = {**a_request(), "status": {"grantRef": {"uid": "uid-yes"}}}


def saying(*told: tuple[str, str, str]) -> dict[str, Any]:
    """A request without record, with these conditions: type, status and reason."""
    conditions = [dict(zip(("type", "status", "reason"), one, strict=True)) for one in told]
    return {**a_request(), "status": {"conditions": conditions}}


DENIED: Final = saying(("Ready", "False", "Denied"), ("Provisioned", "False", "Revoked"))


def a_product(
    storage: dict[str, Any] | None = None, *, seen: str | None = None, annotations: dict[str, str] | None = None, **spec: Any
) -> DataProduct:
    """A product whose bucket was made; `seen` is what was read of its policy while it lived."""
    recorded = {"bucket": NAME, "phase": "Owned", "ownershipVerified": True, **({"deletion": seen} if seen else {})}
    status = {"storage": recorded, "producer": {"principal": "sales-orders-x"}}
    return the_product(storage={"storeRef": {"name": "main"}, **(storage or {})}, status=status, annotations=annotations, **spec)


def world(**parts: Any) -> ProductWorld:
    return a_world(**{"bucket": MINE, "contents": EMPTY, **parts})


def its_user(product: DataProduct) -> Present[Principal]:
    wish = wish_of(product, world())
    assert wish is not None
    binding = binding_of(wish)
    assert binding is not None
    return Present(replace(b.want_principal(binding), keys=(AccessKey("A"),)))


def part_of(product: DataProduct, seen: ProductWorld, name: str) -> Part:
    return next(part for part in plan_deletion(product, seen).parts if part.name == name)


def ends(product: DataProduct, seen: ProductWorld) -> tuple[list[str], MeshError | None]:
    """What is done in the store and with the object, and why there is no more."""
    users, part = (part_of(product, seen, name) for name in ("users", "deletion"))
    kept = users.stop or next((found.stop for found in plan_deletion(product, seen).parts if found.name in part.after and found.stop), None)
    if kept is not None:
        return [], kept
    words = {EmptyBucket: "empty", DeleteBucket: "delete", ReleaseObject: "go", Announce: "tell"}
    return [words[type(operation)] for operation in part.operations if type(operation) in words], part.stop


def reason_of(stop: MeshError | None) -> str:
    return stop.reason if stop is not None else ""


FATES: Final = ("Retain", "Delete", "Destroy")
SPECS: Final[dict[str, dict[str, Any]]] = {"Retain": {}, "Delete": DELETE, "Destroy": DESTROY}


@pytest.mark.parametrize("seen", [None, *FATES])
@pytest.mark.parametrize("now", FATES)
def test_deletion_follows_the_stricter_of_then_and_now(seen: str | None, now: str) -> None:
    product = a_product(SPECS[now], seen=seen)
    assert fate_of(product) == now
    fate = min(now, seen or now, key=FATES.index)
    assert ends(product, world())[0] == (["tell", "go"] if fate == "Retain" else ["delete", "go"])
    done, stop = ends(product, world(contents=FULL))
    wanted = {"Retain": (["tell", "go"], ""), "Delete": ([], reasons.BUCKET_NOT_EMPTY), "Destroy": (["empty"], reasons.EMPTYING)}
    assert (done, reason_of(stop)) == wanted[fate]


KEPT: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("the namespace goes as a whole", {}, {"namespace_terminating": True}),
    ("the product only observes", {"mode": "Observe"}, {}),
    ("the product only plans", {"mode": "Plan"}, {}),
    ("the bucket is another product's", {}, {"bucket": Present(Bucket(NAME, tags=owned_tags("inventory")))}),
    ("the bucket lost its marks", {}, {"bucket": Present(Bucket(NAME))}),
    ("the bucket is another account's", {}, {"bucket": Present(Bucket(NAME, is_of_other_account=True))}),
    ("the bucket is an earlier product's", {}, {"bucket": Present(Bucket(NAME, tags=owned_tags(uid="gone")))}),
    ("the bucket was let go", {}, {"bucket": Present(Bucket(NAME, tags=owned_tags(released="sales/orders")))}),
)


OWNED: Final = {"bucket": NAME, "phase": "Owned", "ownershipVerified": True}
OF_OTHERS: Final[tuple[tuple[str, dict[str, Any], dict[str, str], bool], ...]] = (
    ("made by the mesh", {}, {}, True),
    ("made by the mesh, as status says", {"mayDelete": True}, {}, True),
    ("adopted, as its tag says", {}, {"adopted": "keep"}, False),
    ("adopted, as status says", {"mayDelete": False}, {}, False),
    ("adopted before there was a tag for it", {"phase": "Adopted"}, {}, False),
    ("taken back, and made by the mesh once", {"phase": "Adopted", "mayDelete": True}, {}, True),
    ("adopted with leave to delete", {"mayDelete": True}, {"adopted": "may-delete"}, True),
    ("adopted, its tag changed by its owner", {"mayDelete": False}, {"adopted": "may-delete"}, True),
    ("adopted with leave, which was taken back", {"mayDelete": True}, {"adopted": "keep"}, False),
    ("adopted, and a new consent gives leave", {"mayDelete": False}, {"adopted": "keep", "adopt_by": "acme/sales/orders;may-delete"}, True),
    ("adopted, and leave is given to another", {"mayDelete": False}, {"adopt_by": "acme/sales/returns;may-delete"}, False),
    ("handed over to another", {}, {"transfer_to": "sales/returns"}, False),
    ("handed over to this very one", {}, {"transfer_to": "sales/orders"}, True),
)


@pytest.mark.parametrize(("recorded", "tags", "goes"), [case[1:] for case in OF_OTHERS], ids=[case[0] for case in OF_OTHERS])
def test_what_others_gave_is_destroyed_only_with_their_word(recorded: dict[str, Any], tags: dict[str, str], goes: bool) -> None:
    product = a_product(DESTROY)
    assert product.status.storage is not None
    told = product.status.storage.model_validate({**OWNED, **recorded})
    product = product.model_copy(update={"status": product.status.model_copy(update={"storage": told})})
    bucket = Present(Bucket(NAME, tags=owned_tags(**tags)))
    assert ends(product, world(bucket=bucket))[0] == (["delete", "go"] if goes else ["tell", "go"])
    assert ends(product, world(bucket=bucket, contents=FULL))[0] == (["empty"] if goes else ["tell", "go"])


def test_a_bucket_without_the_prefix_was_not_made_by_the_mesh() -> None:
    store = the_store(bucketPrefix="other", adoptableBuckets=["acme-*"])
    assert ends(a_product(DESTROY), world(store=store))[0] == ["tell", "go"]


@pytest.mark.parametrize(
    ("tags", "why"), [({"adopted": "keep"}, "consent does not say"), ({"transfer_to": "a/b"}, "handed over to a/b")], ids=str
)
def test_why_a_bucket_stays_is_told(tags: dict[str, str], why: str) -> None:
    operations = plan_deletion(a_product(DESTROY), world(bucket=Present(Bucket(NAME, tags=owned_tags(**tags))))).operations
    assert why in next(operation.event.note for operation in operations if isinstance(operation, Announce))


@pytest.mark.parametrize(("spec", "parts"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])
def test_only_a_bucket_that_is_this_products_now_is_destroyed(spec: dict[str, Any], parts: dict[str, Any]) -> None:
    assert ends(a_product(DESTROY, **spec), world(**parts)) == (["tell", "go"], None)


def test_a_bucket_that_is_gone_keeps_nobody_waiting() -> None:
    assert ends(a_product(DESTROY), world(bucket=Absent())) == (["go"], None)


@pytest.mark.parametrize("storage", [DELETE, DESTROY], ids=["Delete", "Destroy"])
def test_the_stores_lock_holds_against_every_policy(storage: dict[str, Any]) -> None:
    done, stop = ends(a_product(storage), world(store=the_store(deletionEnabled=False)))
    assert (done, reason_of(stop)) == ([], reasons.DELETION_DISABLED)
    assert ends(a_product(), world(store=the_store(deletionEnabled=False))) == (["tell", "go"], None)


@pytest.mark.parametrize("part", ["bucket", "contents"])
def test_nothing_is_destroyed_on_what_cannot_be_seen(part: str) -> None:
    done, stop = ends(a_product(DESTROY), world(**{part: SILENT}))
    assert (done, stop) == ([], SILENT.error)


def test_a_bucket_that_stays_anyway_need_not_be_seen() -> None:
    done, stop = ends(a_product(), world(bucket=SILENT))
    assert (done, stop) == (["tell", "go"], None)


def test_a_bucket_whose_contents_were_not_counted_is_emptied_first() -> None:
    assert ends(a_product(DESTROY), world(contents=Absent()))[0] == ["empty"]


def test_credentials_go_before_the_bucket() -> None:
    """And where they cannot be seen, the record and the bucket stay."""
    product = a_product(DESTROY)
    whole = its_user(product)
    for user, kinds in ((whole, [DeletePolicy, DeleteKey]), (Present(replace(whole.value, policy=None, keys=())), [DeletePrincipal])):
        first = {part.name: part for part in plan_deletion(product, world(principal=user)).parts}
        assert [type(operation) for operation in first["check"].operations] == [CheckDestruction]
        assert [type(operation) for operation in first["credentials"].operations] == kinds
        assert (first["credentials"].after, first["credentials"].each) == (("users", "check"), True)
        assert first["deletion"].operations == ()
    assert ends(product, world()) == (["delete", "go"], None)
    done, stop = ends(product, world(principal=SILENT))
    assert (done, stop) == ([], SILENT.error)


def test_a_deletion_waits_for_those_who_have_access() -> None:
    done, stop = ends(a_product(DESTROY), world(requests=(CONSUMER,)))
    assert (done, reason_of(stop)) == ([], reasons.IN_USE)
    assert stop is not None and "clouddatamesh.dev/cut-off=orders" in stop.message
    cut = a_product(DESTROY, annotations={"clouddatamesh.dev/cut-off": "orders"})
    done, stop = ends(cut, world(requests=(CONSUMER,)))
    assert stop is not None and "is being taken away" in stop.message
    assert ends(a_product(DESTROY), world(requests=(DENIED,))) == (["delete", "go"], None)


@pytest.mark.parametrize(
    "told", [[], [("Ready", "Unknown", "Pending")], [("Ready", "False", "Throttled"), ("Provisioned", "False", "Throttled")]]
)
def test_a_deletion_waits_until_it_is_known_who_has_access(told: list[tuple[str, str, str]]) -> None:
    """A request that a backup tool restored has no record, and may have a user in the store."""
    done, stop = ends(a_product(DESTROY), world(requests=(DENIED, saying(*told))))
    assert (done, reason_of(stop)) == ([], reasons.IN_USE)
    assert stop is not None and "1 requests may still have access" in stop.message
    assert all(f"clouddatamesh.dev/{way}=orders" in stop.message for way in ("cut-off", "orphan"))
    assert ends(a_product(DESTROY, annotations=ORPHAN), world(requests=(DENIED, saying(*told)))) == (["tell", "go"], None)


def test_a_suspended_product_stays_unless_it_is_given_up() -> None:
    assert reason_of(ends(a_product(suspend=True), world())[1]) == reasons.SUSPENDED
    assert ends(a_product(suspend=True, annotations=ORPHAN), world())[0] == ["tell", "go"]


# Giving up.


@pytest.mark.parametrize("annotation", ["orphan", "force-delete"])
@pytest.mark.parametrize("parts", [{"principal": SILENT}, {"store": None}, {"abandoned": True}], ids=["silent", "gone", "abandoned"])
def test_what_is_given_up_goes_at_once_and_is_listed(annotation: str, parts: dict[str, Any]) -> None:
    product = a_product(DESTROY, annotations={f"clouddatamesh.dev/{annotation}": "orders"})
    told, release = part_of(product, world(**parts), "deletion").operations
    assert isinstance(told, Announce)
    assert (told.event.type, told.event.reason) == ("Warning", reasons.ABANDONED)
    assert NAME in told.event.note and "sales-orders-x" in told.event.note
    assert isinstance(release, ReleaseObject)


def test_what_is_given_up_goes_though_consumers_cannot_be_seen_to_end() -> None:
    assert ends(a_product(annotations=ORPHAN), world(principal=SILENT, requests=(CONSUMER,)))[0] == ["tell", "go"]


def test_a_store_that_was_given_up_lets_its_products_go() -> None:
    assert ends(a_product(DESTROY), world(abandoned=True)) == (["tell", "go"], None)


def test_giving_up_destroys_nothing_where_the_store_answers() -> None:
    assert ends(a_product(DESTROY, annotations=ORPHAN), world()) == (["tell", "go"], None)
    assert ends(a_product(DESTROY, annotations=ORPHAN), world(bucket=SILENT)) == (["tell", "go"], None)


def test_another_objects_annotation_gives_nothing_up() -> None:
    other = a_product(DESTROY, annotations={"clouddatamesh.dev/orphan": "returns"})
    assert reason_of(ends(other, world(principal=SILENT))[1]) == "StoreUnavailable"


def test_a_product_that_never_made_anything_goes() -> None:
    bare = the_product(status={})
    assert ends(bare, a_world(store=None, bucket=SILENT)) == (["go"], None)
    free = bare.model_copy(update={"metadata": bare.metadata.model_copy(update={"finalizers": ()})})
    assert plan_deletion(free, a_world()).parts == ()


@pytest.mark.parametrize(
    ("annotations", "cut", "port"),
    [
        ({}, False, False),
        ({"clouddatamesh.dev/cut-off": "orders"}, True, False),
        ({"clouddatamesh.dev/force-delete": "orders"}, True, False),
        ({"clouddatamesh.dev/orphan": "orders"}, False, False),
        ({"clouddatamesh.dev/cut-off": "daily/1.0.0"}, False, True),
        ({"clouddatamesh.dev/force-delete": "daily/1.0.0"}, False, True),
        ({"clouddatamesh.dev/cut-off": "hourly/2.0.0, daily/1.0.0"}, False, True),
        ({"clouddatamesh.dev/cut-off": "hourly/2,orders"}, True, False),
    ],
    ids=str,
)
def test_whom_an_annotation_cuts_off(annotations: dict[str, str], cut: bool, port: bool) -> None:
    product = a_product(annotations=annotations)
    assert (is_cut_off(product), is_forced(product, "daily/1")) == (cut, port)


def test_what_the_store_refuses_to_let_go_of_is_left_where_it_is_given_up() -> None:
    """It answers reads, and refuses the taking: the part that is carried out instead lists what is left."""
    product = a_product(annotations=ORPHAN)
    assert "abandoning" not in [part.name for part in plan_deletion(product, world()).parts], "one call that fails is no reason"
    blocked = Condition(type="DeletionBlocked", status="True", reason="AccessDenied", last_transition_time="2026-01-01T00:00:00Z")
    again = product.model_copy(update={"status": product.status.model_copy(update={"conditions": (blocked,)})})
    left = part_of(again, world(), "abandoning")
    assert (left.instead_of, left.after) == ("deletion", ("users",))
    assert [type(operation) for operation in left.operations][-2:] == [Announce, ReleaseObject]
    assert "abandoning" not in [part.name for part in plan_deletion(a_product(), world()).parts]


OTHERS: Final = Present(Bucket(NAME, tags=owned_tags("inventory", "stock", uid="uid-9")))
FREED: Final = Present(Bucket(NAME, tags=(*owned_tags(), ("clouddatamesh.dev/released", "sales/orders"))))


@pytest.mark.parametrize("spec", [{}, {"suspend": True}], ids=["waits for consumers", "suspended"])
@pytest.mark.parametrize(
    ("bucket", "seen_at", "reason", "takes"),
    [
        (FREED, None, reasons.RELEASED, True),
        (OTHERS, None, reasons.LOSS_UNCONFIRMED, False),
        (OTHERS, "2025-12-31T23:00:00Z", reasons.NOT_OWNED, True),
    ],
    ids=["released", "another's, seen first", "another's"],
)
def test_however_long_a_deletion_waits_keys_open_no_bucket_of_another(
    spec: dict[str, Any], bucket: Present[Bucket], seen_at: str | None, reason: str, takes: bool
) -> None:
    product = a_product(DESTROY, **spec)
    assert product.status.storage is not None
    storage = product.status.storage.model_copy(update={"loss_seen_at": seen_at})
    product = product.model_copy(update={"status": product.status.model_copy(update={"storage": storage})})
    seen = world(bucket=bucket, principal=its_user(product), requests=(CONSUMER,))
    assert reason_of(part_of(product, seen, "storage").stop) == reason
    assert bool(part_of(product, seen, "taking").operations) is takes
    assert part_of(product, seen, "storage").condition == "StorageReady"


# While it lives.


def test_parts_of_a_living_product_depend_on_no_more_than_they_need() -> None:
    after = {part.name: part.after for part in plan(a_product(), world()).parts}
    assert after == {"taking": (), "former": (), "storage": (), "excess": (), "credentials": ("taking", "storage"), "inbox": ()}


def test_one_call_that_is_refused_keeps_no_other_from_ending_a_key() -> None:
    lost = world(requests=(CONSUMER,), bucket=Present(Bucket(NAME, tags=owned_tags("inventory"))))
    for found, takes in (
        (plan(a_product(), world()), ["former", "taking"]),
        (plan_deletion(a_product(), lost), ["credentials", "former", "taken over", "taking"]),
        (plan_deletion(a_product(), world()), ["credentials", "former"]),
    ):
        assert sorted(part.name for part in found.parts if part.each) == takes


@pytest.mark.parametrize("bucket", [SILENT, Present(Bucket(NAME)), Absent()], ids=["silent", "stripped", "missing"])
def test_no_credential_is_made_for_a_bucket_that_was_not_read_back_as_ours(bucket: Any) -> None:
    parts = {part.name: part for part in plan(a_product(), world(bucket=bucket)).parts}
    assert parts["credentials"].operations == parts["taking"].operations == ()
