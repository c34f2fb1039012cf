"""By which keys an object is found: what holds nothing, what is not Ready, what has a bucket, what lost one, and who is new."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.marks import FINALIZER
from clouddatamesh.reconcile.indexes import UNHELD, UNSETTLED, find_newcomers, index_keys, is_newcomer
from clouddatamesh.reconcile.siblings import LOSS, MADE
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

READY: Final = {"type": "Ready", "status": "True", "reason": "Ready"}
LOST: Final = {"type": "StorageReady", "status": "False", "reason": "NotOwned"}
OWNED: Final = {"storage": {"bucket": "acme-orders", "phase": "Owned", "lossSeenAt": "2026-01-01T00:01:30Z"}}
SINCE: Final = "2026-01-01T00:00:00Z"


def seen(manifest: Manifest, *finalizers: str, status: dict[str, Any] | None = None, ready: bool = False, **metadata: Any) -> Manifest:
    """The object as the API server holds it."""
    told = {"observedGeneration": 1, "conditions": [READY]} if ready else {}
    held = {"finalizers": list(finalizers)} if finalizers else {}
    return {
        **manifest,
        "metadata": {"uid": "uid-1", "generation": 1, **manifest["metadata"], **held, **metadata},
        "status": {**told, **(status or {})},
    }


UNHELD_PRODUCT: Final = {Key(UNHELD, "sales", ""), Key(UNHELD, "", "main")}
UNSETTLED_REQUEST: Final = {Key(UNSETTLED, "inventory", ""), Key(UNSETTLED, "sales", ""), Key(UNSETTLED, "sales", "orders")}


@pytest.mark.parametrize(
    ("manifest", "states"),
    [
        (seen(a_product()), {*UNHELD_PRODUCT, Key(UNSETTLED, "sales", "")}),
        (seen(a_product(), "other/one", ready=True), UNHELD_PRODUCT),
        (seen(a_product(storage={"storeRef": None}), ready=True), {Key(UNHELD, "sales", ""), Key(UNHELD, "", "")}),
        (seen(a_product(), FINALIZER), {Key(UNSETTLED, "sales", "")}),
        (seen(a_product(), FINALIZER, ready=True), set()),
        (seen(a_product(), FINALIZER, ready=True, status=OWNED), {Key(MADE, "", "")}),
        (
            seen(a_product(), FINALIZER, status={**OWNED, "conditions": [LOST]}),
            {Key(MADE, "", ""), Key(LOSS, "lost at 2026-01-01T00:01", "main"), Key(UNSETTLED, "sales", "")},
        ),
        (seen(a_request()), {Key(UNHELD, "inventory", ""), *UNSETTLED_REQUEST}),
        (seen(a_request(), FINALIZER), UNSETTLED_REQUEST),
        (seen(a_request(), FINALIZER, ready=True), set()),
        (seen(a_grant()), {Key(UNHELD, "sales", "")}),
        (seen(a_grant(), FINALIZER), set()),
        (seen(a_domain()), set()),
        (seen(a_store()), set()),
    ],
    ids=[
        "a new product",
        "a product that only others hold",
        "a product without store",
        "a product that is held",
        "a product that is Ready",
        "a product with a bucket",
        "a product that lost its bucket",
        "a new request",
        "a request that is held",
        "a request that is Ready",
        "a new grant",
        "a grant that is held",
        "a domain",
        "a store",
    ],
)
def test_in_which_states_an_object_is_found(manifest: Manifest, states: set[Key]) -> None:
    assert {key for key in index_keys(manifest) if key.kind in (UNHELD, UNSETTLED, MADE, LOSS)} == states


@pytest.mark.parametrize(
    ("finalizers", "created", "expected"),
    [
        (None, "2026-01-01T00:00:01Z", True),
        (None, SINCE, True),
        (["other/one"], "2026-01-01T00:00:01Z", True),
        (None, "2025-12-31T23:59:59Z", False),
        (None, None, False),
        ([FINALIZER], "2026-01-01T00:00:01Z", False),
    ],
    ids=["after", "in the same second", "held by another", "before", "without time", "held by us"],
)
def test_who_came_after_a_deletion_began_and_holds_nothing_is_new(
    finalizers: list[str] | None, created: str | None, expected: bool
) -> None:
    assert is_newcomer(seen(a_product(), finalizers=finalizers, creationTimestamp=created), SINCE) is expected


def test_newcomers_are_found_by_place_and_only_where_a_deletion_began() -> None:
    products = (a_product("one"), a_product("two"), a_product("away", "inventory"))
    mesh = Mesh().apply(a_domain(), *products, a_request(), a_grant())
    here = frozenset(map(key_of, (*products[:2], a_grant())))
    assert find_newcomers(Key(UNHELD, "sales", ""), SINCE, mesh.cluster) == here
    assert find_newcomers(Key(UNHELD, "sales", ""), None, mesh.cluster) == frozenset()
