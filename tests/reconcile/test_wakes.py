"""Whom a change wakes, and who waits a moment for it: stores, domains, products and inboxes. Requests and grants: test_wakes_access.py."""

from collections.abc import Iterable
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.marks import DOMAIN_LABEL, FINALIZER, ORPHAN_ANNOTATION
from clouddatamesh.reconcile.wakes import wakes
from tests.reconcile.test_dispatch import MARK, READY, UNREADY, put, seen
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

STORE, DOMAIN = Key("ObjectStore", "", "main"), Key("Domain", "", "sales")
ORDERS, REQUEST = Key("DataProduct", "sales", "orders"), Key("AccessRequest", "inventory", "orders-for-forecast")
BAN: Final = a_grant("ban", decision="Deny", requestRef=None, consumer=None, mode=None, consumerNamespace="inventory")
OTHER: Final = {"storeRef": {"name": "other"}}


def a_namespace(name: str = "sales", domain: str = "sales") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": f"uid-{name}", "labels": {DOMAIN_LABEL: domain}}}


def keys(kind: str, namespace: str, *names: str) -> set[Key]:
    return {Key(kind, namespace, name) for name in names}


def woken(world: Iterable[dict[str, Any]], old: Manifest | None, new: Manifest | None) -> tuple[set[Key], set[Key]]:
    """Who is due at once, and who a moment later."""
    found = wakes(old, new, put(Mesh(), *world).cluster)
    return {wake.key for wake in found if wake.after == 0}, {wake.key for wake in found if wake.after > 0}


def with_status(manifest: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {**manifest, "status": {**(manifest.get("status") or {}), **status}}


# Stores

VALID, INVALID = ({"type": "CredentialsValid", "status": status, "reason": "Ready"} for status in ("True", "False"))
ABLE, UNABLE = ([{"name": "Encryption", "supported": able, "checkedAt": "2026-01-01T00:00:00Z"}] for able in (True, False))
USABLE: Final = seen(a_store(), status={"capabilities": ABLE, "conditions": [READY, VALID]})
ANSWERS: Final = seen(a_store(), status={"capabilities": ABLE, "conditions": [UNREADY, VALID]})
SILENT: Final = seen(a_store(), status={"conditions": [UNREADY, INVALID]})
GOING: Final = seen(a_store(), **MARK, finalizers=[FINALIZER])
ORPHAN: Final[dict[str, Any]] = {"annotations": {ORPHAN_ANNOTATION: "main"}}


def another(manifest: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


@pytest.mark.parametrize(
    ("old", "new", "itself", "users"),
    [
        (None, SILENT, True, True),
        (SILENT, None, True, True),
        ({**SILENT, "status": None}, SILENT, False, False),
        (USABLE, with_status(USABLE, capabilities=[{**ABLE[0], "checkedAt": "2026-01-02T00:00:00Z"}]), False, False),
        (USABLE, with_status(USABLE, capabilities=UNABLE), False, True),
        (USABLE, with_status(USABLE, capabilities=None), False, True),
        (ANSWERS, with_status(ANSWERS, capabilities=UNABLE), False, False),
        (USABLE, SILENT, False, False),
        (SILENT, ANSWERS, False, True),
        (ANSWERS, USABLE, False, True),
        (USABLE, another(USABLE, generation=2), True, False),
        (USABLE, with_status(another(USABLE, generation=2), observedGeneration=2), True, True),
        (USABLE, another(USABLE, annotations={"cattle.io/status": "7"}, labels={"team": "a"}), True, False),
        (ANSWERS, another(ANSWERS, **ORPHAN), True, False),
        (ANSWERS, another(ANSWERS, **MARK), True, False),
        (another(ANSWERS, **MARK), another(ANSWERS, **MARK, **ORPHAN), True, True),
    ],
    ids=[
        "created",
        "gone",
        "found not to answer",
        "probed again",
        "can do less",
        "is not known to do anything",
        "can do less, not Ready",
        "answers no more",
        "answers again",
        "becomes Ready",
        "changed",
        "changed, and Ready as it is now",
        "annotated and labelled by some tool",
        "to be orphaned once it is deleted",
        "being deleted",
        "being deleted, and given up",
    ],
)
def test_users_of_a_store_look_again_where_it_becomes_usable_in_another_way(
    old: dict[str, Any] | None, new: dict[str, Any] | None, itself: bool, users: bool
) -> None:
    place = {"place": {"store": "main", "bucket": "acme-orders", "path": "daily/"}}
    world = (
        seen(a_product()),
        seen(a_product("away", storage=OTHER)),
        seen(a_request("running"), status=place),
        seen(a_request("waiting"), ready=False),
        seen(a_request("content")),
    )
    expected = {STORE} if itself else set()
    expected |= {ORDERS, *keys("AccessRequest", "inventory", "running", "waiting")} if users else set()
    assert woken(world, old, new) == (expected, set())


# Domains

TWO: Final = [{"name": "sales"}, {"name": "lab"}]
SALES: Final = seen(a_domain(namespaces=TWO, parentRef={"name": "retail"}), status={"namespaces": [{"name": "sales", "uid": "1"}]})
FAMILY: Final = keys("Domain", "", "retail", "toys")
INSIDE: Final = {Key("DataProduct", "lab", "late"), REQUEST, Key("AccessRequest", "lab", "late")}


@pytest.mark.parametrize(
    ("old", "new", "itself", "inside"),
    [
        (None, SALES, True, True),
        (SALES, None, True, True),
        (SALES, another(SALES, generation=2), True, True),
        (SALES, with_status(SALES, namespaces=[]), False, True),
        ({**SALES, "status": None}, SALES, False, True),
        (SALES, with_status(SALES, dataProducts=3), False, False),
    ],
    ids=["created", "gone", "changed", "holds less", "holds its first", "counts"],
)
def test_who_waits_in_a_domain_looks_again_where_it_holds_other_namespaces(
    old: dict[str, Any] | None, new: dict[str, Any] | None, itself: bool, inside: bool
) -> None:
    world = (
        seen(a_domain("retail")),
        seen(a_domain("toys", parentRef={"name": "sales"})),
        seen(a_product()),
        seen(a_product("late", "lab"), ready=False),
        seen(a_request("late", "lab"), ready=False),
        seen(a_request(), ready=False),
        seen(a_product("elsewhere", "stock"), ready=False),
    )
    expected = FAMILY | ({DOMAIN} if itself else set()) | (INSIDE if inside else set())
    assert woken(world, old, new) == (expected, set())


def test_a_domain_without_parent_wakes_nobody_else() -> None:
    alone = seen(a_domain())
    assert woken((), alone, another(alone, generation=2)) == ({DOMAIN}, set())
    assert woken((), {**alone, "spec": None}, another({**alone, "spec": None}, generation=2)) == ({DOMAIN}, set())


# Products

OWNED: Final = {"type": "StorageReady", "status": "True", "reason": "Ready"}
DOUBTED: Final = {"type": "StorageReady", "status": "False", "reason": "LossUnconfirmed"}
PORTS: Final = [{"name": "daily", "version": "1.0.0", "path": "daily/"}]
OFFERED: Final = seen(a_product(), status={"storage": {"bucket": "b"}, "outputPorts": PORTS, "conditions": [READY, OWNED]})
ASKERS: Final = keys("AccessRequest", "inventory", "orders-for-forecast")
BANNED: Final = keys("AccessGrant", "sales", "ban")


@pytest.mark.parametrize(
    ("old", "new", "now", "later"),
    [
        (OFFERED, another(OFFERED, generation=2), {ORDERS, *ASKERS}, BANNED),
        (OFFERED, with_status(OFFERED, storage={"bucket": "c"}), ASKERS, set()),
        (OFFERED, with_status(OFFERED, conditions=[READY, {**OWNED, "status": "False"}]), ASKERS, set()),
        (OFFERED, with_status(OFFERED, conditions=None), {ORDERS, *ASKERS}, BANNED),
        (OFFERED, with_status(OFFERED, outputPorts=[{**PORTS[0], "path": "moved/"}]), ASKERS, set()),
        (OFFERED, with_status(OFFERED, outputPorts=None), ASKERS, set()),
        (OFFERED, with_status(OFFERED, conditions=[UNREADY, OWNED]), set(), set()),
        (OFFERED, with_status(OFFERED, pendingRequests=1), set(), set()),
        (None, OFFERED, {ORDERS, *ASKERS, *keys("AccessRequest", "sales", "as-consumer")}, {*BANNED, DOMAIN}),
        (OFFERED, None, {ORDERS, *ASKERS, *keys("AccessRequest", "sales", "as-consumer")}, {*BANNED, DOMAIN}),
    ],
    ids=[
        "changed",
        "another bucket",
        "its bucket is not as it should be",
        "status lost",
        "a port drains at another path",
        "no port drains any more",
        "not Ready any more",
        "counts",
        "created",
        "gone",
    ],
)
def test_requests_look_again_where_a_product_is_offered_in_another_way(
    old: dict[str, Any] | None, new: dict[str, Any] | None, now: set[Key], later: set[Key]
) -> None:
    sums = {"dataProductRef": {"namespace": "retail", "name": "sums"}, "consumer": {"dataProductRef": {"name": "orders"}}}
    consumer = seen(a_request("as-consumer", "sales", **sums))
    world = (a_namespace(), seen(a_domain()), seen(a_store()), seen(a_request()), consumer, seen(a_grant()), seen(BAN))
    assert woken(world, old, new) == (now, later)


@pytest.mark.parametrize(
    ("world", "later"),
    [
        ((a_namespace(), seen(a_domain()), GOING), {DOMAIN, STORE}),
        ((a_namespace(), seen(a_store())), set()),
        ((seen(a_domain()),), set()),
        (({**a_namespace(), "metadata": {"name": "sales", "uid": "1"}}, seen(a_domain())), set()),
    ],
    ids=["a store that is being deleted", "a domain that is gone", "a namespace that is gone", "a namespace without domain"],
)
def test_domain_and_store_count_a_product_that_goes(world: tuple[dict[str, Any], ...], later: set[Key]) -> None:
    assert woken(world, OFFERED, None) == ({ORDERS}, later)


SHARED: Final = {"bucketName": "acme-shared"}


def test_the_next_product_that_names_a_bucket_looks_again() -> None:
    world = (*(seen(a_product(name, storage=SHARED)) for name in ("orders", "rival")), seen(a_product("other")))
    assert woken(world, world[0], None) == ({ORDERS, *keys("DataProduct", "sales", "rival")}, set())
    assert woken(world, {**OFFERED, "spec": None}, None) == ({ORDERS}, set())


IN_DOUBT: Final = with_status(OFFERED, conditions=[UNREADY, DOUBTED])


@pytest.mark.parametrize(
    ("old", "new", "wakes_others"),
    [(OFFERED, IN_DOUBT, True), (None, IN_DOUBT, True), (IN_DOUBT, with_status(IN_DOUBT, more=1), False), (OFFERED, OFFERED, False),
     (IN_DOUBT, OFFERED, False), (IN_DOUBT, None, False)],
    ids=["falls into doubt", "found in doubt", "still in doubt", "is well", "is well again", "goes in doubt"],
)  # fmt: skip
def test_others_look_at_their_buckets_where_one_falls_into_doubt(
    old: dict[str, Any] | None, new: dict[str, Any] | None, wakes_others: bool
) -> None:
    now, _ = woken((OFFERED, seen(a_product("other", storage=OTHER))), old, new)
    assert (Key("DataProduct", "sales", "other") in now) is wakes_others


def test_those_of_the_same_store_look_first_where_there_are_many() -> None:
    near, far = ("y", "z"), tuple(f"a{number:02}" for number in range(25))
    world = (*(seen(a_product(name)) for name in near), *(seen(a_product(name, storage=OTHER)) for name in far))
    now, _ = woken(world, OFFERED, IN_DOUBT)
    assert keys("DataProduct", "sales", *near) < now
    assert len(now) < len(world), "not all of a large mesh at once"


# Inboxes

INBOX: Final = seen(
    {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "AccessInbox", "metadata": {"name": "orders", "namespace": "sales"}}
)


@pytest.mark.parametrize(
    ("old", "new", "looks"),
    [
        (None, INBOX, False),
        (INBOX, with_status(INBOX, pending=[]), False),
        (INBOX, another(INBOX, labels={"a": "b"}), True),
        (INBOX, None, True),
    ],
    ids=["created", "written by us", "changed by somebody", "deleted"],
)
def test_a_product_keeps_its_inbox(old: dict[str, Any] | None, new: dict[str, Any] | None, looks: bool) -> None:
    assert woken((OFFERED,), old, new) == (set(), {ORDERS} if looks else set())
