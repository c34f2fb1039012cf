"""What a living product's plan does about its finalizer and a domain that takes no new ones; and which buckets are lent."""

from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.base import Condition
from clouddatamesh.model.access import Home
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.operations import HoldObject
from clouddatamesh.model.plan import Plan
from clouddatamesh.plan.adoption import was_adopted
from clouddatamesh.plan.dataproduct import plan
from clouddatamesh.plan.deletion import plan_deletion
from tests.support.worlds import a_world, owned_tags, the_product, the_store

OWNED: Final = {"bucket": "acme-orders", "phase": "Owned", "ownershipVerified": True}
MINE: Final = Present(Bucket("acme-orders", tags=owned_tags()))


def storage_of(found: Plan) -> str:
    """Why there is no bucket yet, or nothing."""
    (part,) = (part for part in found.parts if part.name == "storage")
    return part.stop.reason if part.stop else ""


@pytest.mark.parametrize(("storage", "stop"), [({}, reasons.CORDONED), ({"storage": OWNED}, "")])
def test_a_cordoned_domain_takes_no_new_product_and_serves_those_that_it_has(storage: dict[str, Any], stop: str) -> None:
    world = a_world(home=Home("sales", cordoned=True), bucket=MINE if storage else Absent())
    assert storage_of(plan(the_product(status=storage), world)) == stop
    assert storage_of(plan(the_product(status=storage), a_world(bucket=MINE if storage else Absent()))) == ""


def test_a_product_is_held_before_its_bucket_is_made_and_once() -> None:
    held = the_product()
    free = held.model_copy(update={"metadata": held.metadata.model_copy(update={"finalizers": ()})})
    assert HoldObject() in plan(free, a_world(bucket=Absent())).operations
    assert HoldObject() not in plan(held, a_world(bucket=Absent())).operations


@pytest.mark.parametrize(
    ("status", "lent"),
    [
        ({"phase": "Owned"}, False),
        ({"phase": "Owned", "mayDelete": True}, False),
        ({"phase": "Owned", "mayDelete": False}, True),
        ({"phase": "Adopted"}, True),
        ({"phase": "Adopted", "mayDelete": True}, False),
        ({"phase": "Creating"}, False),
        (None, False),
    ],
)
def test_a_bucket_is_lent_as_status_says_where_its_tag_is_lost(status: dict[str, Any] | None, lent: bool) -> None:
    product = the_product(status={"storage": {**OWNED, **status}} if status else {})
    assert was_adopted(product, Bucket("acme-orders"), the_store()) is lent
    assert was_adopted(product, Bucket("other-orders"), the_store())
    assert was_adopted(product, Bucket("acme-orders", tags=owned_tags(adopted="keep")), the_store())
    consents = Bucket("acme-orders", tags=owned_tags(adopt_by="acme/sales/orders"))
    assert was_adopted(product, consents, the_store()) is (lent or status is None or status["phase"] == "Creating")


@pytest.mark.parametrize(
    ("type_", "status", "left"), [("DeletionBlocked", "True", True), ("DeletionBlocked", "False", False), ("Ready", "True", False)]
)
def test_one_look_that_fails_is_no_reason_to_leave_anything_behind(type_: str, status: str, left: bool) -> None:
    told = Condition(type=type_, status=status, reason="X", message="x", last_transition_time="2026-01-01T00:00:00Z")
    product = the_product(status={"storage": OWNED}, annotations={"clouddatamesh.dev/orphan": "orders"})
    before = product.model_copy(update={"status": product.status.model_copy(update={"conditions": (told,)})})
    assert ("abandoning" in [part.name for part in plan_deletion(before, a_world(bucket=MINE)).parts]) is left
