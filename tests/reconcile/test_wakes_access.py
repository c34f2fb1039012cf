"""Whom a change of a request, a grant or a ServiceAccount wakes, and who waits a moment for it. The other kinds: test_wakes.py."""

from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key
from tests.reconcile.test_dispatch import MARK, READY, UNREADY, seen
from tests.reconcile.test_wakes import BAN, DOMAIN, GOING, ORDERS, REQUEST, STORE, a_namespace, another, keys, with_status, woken
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

GRANT: Final = keys("AccessGrant", "sales", "inventory-forecast")
BANNED: Final = keys("AccessGrant", "sales", "ban")
CONSUMER: Final = Key("DataProduct", "inventory", "forecast")
AS_READER: Final = {"serviceAccountRef": {"name": "reader"}}
RESTING: Final = {"grantRef": {"namespace": "sales", "name": "inventory-forecast", "uid": "uid-2"}}
PLACED: Final = {"place": {"store": "main", "bucket": "acme-orders", "path": "daily/"}}
BLOCKED: Final = {"conditions": [READY, {"type": "DeletionBlocked", "status": "True", "reason": "InUse"}]}
WAITING: Final = seen(a_domain(), status=BLOCKED)
ASKED: Final = seen(a_request(), status=PLACED)

WORLD: Final = (
    a_namespace(),
    a_namespace("inventory", "inventory"),
    seen(a_product()),
    seen(a_grant()),
    seen(BAN),
    seen({**BAN, "metadata": {"name": "ban", "namespace": "retail"}}),
)


@pytest.mark.parametrize(
    ("old", "new", "itself", "others"),
    [
        (None, ASKED, True, True),
        (ASKED, None, True, True),
        (ASKED, another(ASKED, generation=2), True, True),
        (ASKED, with_status(ASKED, **RESTING), False, True),
        (ASKED, with_status(ASKED, conditions=[UNREADY]), False, True),
        (ASKED, with_status(ASKED, validUntil="2026-02-01T00:00:00Z"), False, False),
    ],
    ids=["created", "gone", "changed", "is granted", "is not Ready any more", "tells its end"],
)
def test_who_answers_and_counts_a_request_looks_again_where_it_is_otherwise(
    old: dict[str, Any] | None, new: dict[str, Any] | None, itself: bool, others: bool
) -> None:
    now = {REQUEST} if itself else set()
    assert woken(WORLD, old, new) == (now | (GRANT if others else set()), {*BANNED, ORDERS, CONSUMER} if others else set())


def test_a_service_account_is_no_product() -> None:
    request = seen(a_request(consumer=AS_READER))
    assert woken((), request, another(request, generation=2)) == ({REQUEST}, {ORDERS})


@pytest.mark.parametrize(
    ("world", "waiting"),
    [
        ((a_namespace("inventory"), WAITING), {DOMAIN}),
        ((a_namespace("inventory"), seen(a_domain())), set()),
        ((a_namespace("inventory"), {**WAITING, "status": None}), set()),
        ((a_namespace("inventory"), with_status(WAITING, conditions=None)), set()),
        ((a_namespace("inventory"),), set()),
        ((WAITING,), set()),
        ((GOING,), {STORE}),
        ((seen(a_store()),), set()),
        ((), set()),
    ],
    ids=["a domain that waits", "a domain", "a new domain", "a domain without conditions", "a domain that is gone",
         "a namespace that is gone", "a store that is being deleted", "a store", "nothing"],
)  # fmt: skip
def test_what_waits_for_a_request_to_go_looks_again_when_it_went(world: tuple[dict[str, Any], ...], waiting: set[Key]) -> None:
    assert woken(world, ASKED, None) == ({REQUEST}, {ORDERS, CONSUMER, *waiting})
    assert woken(world, ASKED, another(ASKED, **MARK)) == ({REQUEST}, {ORDERS, CONSUMER})


def test_a_request_that_never_had_a_status_leaves_nothing_to_wait_for() -> None:
    new = {**ASKED, "status": None}
    assert woken((GOING,), new, None) == ({REQUEST}, {ORDERS, CONSUMER})


# Grants

APPROVAL: Final = seen(a_grant())
SUPERSEDED: Final = seen(a_grant(), status={"conditions": [READY, {"type": "Superseded", "status": "True", "reason": "Superseded"}]})


@pytest.mark.parametrize(
    ("old", "new", "itself", "request_"),
    [
        (None, APPROVAL, True, True),
        (APPROVAL, None, True, True),
        (APPROVAL, another(APPROVAL, generation=2), True, True),
        (APPROVAL, with_status(APPROVAL, maxDuration="90d"), False, False),
        ({**APPROVAL, "status": None}, APPROVAL, False, False),
        (APPROVAL, SUPERSEDED, True, False),
        (SUPERSEDED, with_status(SUPERSEDED, maxDuration="90d"), False, False),
        (None, SUPERSEDED, True, True),
        (SUPERSEDED, None, True, True),
    ],
    ids=["created", "gone", "changed", "records its terms", "gets its status", "is superseded", "was superseded before",
         "created as superseded", "gone as superseded"],
)  # fmt: skip
def test_the_request_looks_again_where_its_grant_changes(
    old: dict[str, Any] | None, new: dict[str, Any] | None, itself: bool, request_: bool
) -> None:
    expected = (GRANT if itself else set()) | ({REQUEST} if request_ else set())
    assert woken((seen(a_request()),), old, new) == (expected, set())


def test_what_waits_for_a_grant_to_go_looks_again_when_it_went() -> None:
    assert woken((a_namespace(), WAITING), APPROVAL, None) == ({*GRANT, REQUEST}, {DOMAIN})


@pytest.mark.parametrize(
    ("spec", "requests"),
    [
        (BAN["spec"], {REQUEST}),
        ({**BAN["spec"], "dataProductRef": {"name": "stock"}}, set()),
        ({**BAN["spec"], "dataProductRef": None}, set()),
        ({**BAN["spec"], "consumerNamespace": "retail"}, keys("AccessRequest", "retail", "orders-for-retail")),
        ({**BAN["spec"], "requestRef": {"namespace": "retail"}, "consumerNamespace": ""}, set()),
        (None, set()),
    ],
    ids=["one namespace", "another product", "no product", "another namespace", "a request without name", "nothing"],
)
def test_the_requests_of_a_namespace_look_again_where_it_is_refused(spec: dict[str, Any] | None, requests: set[Key]) -> None:
    world = (seen(a_request()), seen(a_request("orders-for-retail", "retail")))
    refusal = {**seen(BAN), "spec": spec}
    assert woken(world, None, refusal) == ({*BANNED, *requests}, set())


@pytest.mark.parametrize("old", [None, "before"], ids=["created", "touched"])
def test_requests_for_a_service_account_look_again_where_it_comes(old: str | None) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "inventory", "uid": "uid-3"}}
    before = another(account, labels={"a": "b"}) if old else None
    world = (seen(a_request(consumer=AS_READER)), seen(a_request("other")))
    assert woken(world, before, account) == (set() if old else {REQUEST}, set())
