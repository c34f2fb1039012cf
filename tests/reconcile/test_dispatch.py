"""In what order and how far apart objects are reconciled: what is due at a start, what goes first, and which store the work waits on."""

from typing import Any, Final

import pytest

from clouddatamesh.errors import Transient
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Next
from clouddatamesh.plan.marks import FINALIZER, RECONCILE_ANNOTATION
from clouddatamesh.plan.names import spread
from clouddatamesh.reconcile.dispatch import first_due, reconcile, urgent
from clouddatamesh.reconcile.lanes import lane
from tests.reconcile.access_flows import REQUEST
from tests.support.manifests import a_domain, a_grant, a_product, a_request
from tests.support.mesh import START, Mesh

INTERVAL: Final = 300.0
WHEN: Final = {"message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
READY: Final = {"type": "Ready", "status": "True", "reason": "Ready", **WHEN}
UNREADY: Final = {"type": "Ready", "status": "False", "reason": "NotOwned", **WHEN}
NOTED: Final = "x" * 256


def seen(manifest: dict[str, Any], *, status: dict[str, Any] | None = None, ready: bool = True, **metadata: Any) -> dict[str, Any]:
    """The object as the API server holds it, Ready if nothing else is said."""
    plain = {"uid": "uid-1", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
    told = {"observedGeneration": 1, "conditions": [READY if ready else UNREADY]}
    return {**manifest, "metadata": {**plain, **manifest["metadata"], **metadata}, "status": {**told, **(status or {})}}


def asking(token: str) -> dict[str, str]:
    return {RECONCILE_ANNOTATION: token}


def put(mesh: Mesh, *manifests: dict[str, Any]) -> Mesh:
    """Objects as they are, with uid and status."""
    for manifest in manifests:
        mesh.cluster._objects.put(key_of(manifest), {**manifest, "metadata": {"resourceVersion": "1", **manifest["metadata"]}})
    return mesh


def due(manifest: Manifest, *others: dict[str, Any]) -> float:
    return first_due(manifest, INTERVAL, START, put(Mesh(), *others).cluster)


TURN: Final = spread("uid-1") * INTERVAL
MARK: Final[dict[str, Any]] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("manifest", "seconds"),
    [
        (seen(a_product()), TURN),
        (seen(a_domain()), 0.0),
        (seen(a_product(), ready=False), 0.0),
        (seen(a_product(), generation=2), 0.0),
        (seen(a_product(), **MARK), 0.0),
        (seen(a_product(), annotations=asking("now")), 0.0),
        (seen(a_product(), annotations=asking("now"), status={"lastHandledReconcileAt": "now"}), TURN),
        (seen(a_product(), annotations=asking("again"), status={"lastHandledReconcileAt": "now"}), 0.0),
        (seen(a_product(), annotations=asking(f"{NOTED}more"), status={"lastHandledReconcileAt": NOTED}), TURN),
        (seen(a_product(), annotations={"other/one": "now"}), TURN),
        (seen(a_request(), status={"validUntil": "2026-01-01T00:00:01Z"}), 1.0),
        (seen(a_request(), status={"validUntil": "2025-12-31T00:00:00Z"}), 0.0),
        (seen(a_request(), status={"validUntil": "2026-02-01T00:00:00Z"}), TURN),
        (seen(a_request()), TURN),
        (seen(a_grant()), TURN),
        ({name: value for name, value in seen(a_product()).items() if name != "status"}, 0.0),
        ({name: value for name, value in seen(a_product(), annotations=asking("now")).items() if name != "status"}, 0.0),
    ],
    ids=[
        "a product that is Ready",
        "a domain",
        "one that is not Ready",
        "one that changed",
        "one that is being deleted",
        "one that somebody asks for",
        "one that was asked for before",
        "one that is asked for again",
        "one that was asked for by many words",
        "one with another annotation",
        "access that ends before its turn",
        "access that ended",
        "access that ends after its turn",
        "a request",
        "a grant",
        "a new one",
        "a new one that somebody asks for",
    ],
)
def test_what_is_ready_waits_for_its_turn_and_the_rest_for_nothing(manifest: Manifest, seconds: float) -> None:
    assert TURN > 1
    assert due(manifest) == seconds


@pytest.mark.parametrize(
    ("product", "grant", "waits"),
    [(True, True, True), (False, True, False), (True, False, False)],
    ids=["both are Ready", "the product is not", "the grant is not"],
)
def test_a_request_waits_where_its_product_and_grants_are_ready(product: bool, grant: bool, waits: bool) -> None:
    found = due(seen(a_request()), seen(a_product(), ready=product), seen(a_grant(), ready=grant))
    assert found == (TURN if waits else 0.0)


IN_EFFECT: Final = {"conditions": [READY, {"type": "InEffect", "status": "True", "reason": "Granted"}]}
HELD: Final[dict[str, Any]] = {"finalizers": [FINALIZER]}
OURS: Final[dict[str, Any]] = {
    "name": "auto-orders-abcdefghijklmnop",
    "labels": {"app.kubernetes.io/managed-by": "clouddatamesh"},
    "annotations": {"clouddatamesh.dev/owner": "AccessRequest/inventory/orders-for-forecast/uid-2"},
}


def resting(uid: str) -> dict[str, Any]:
    """A request whose access is based on the grant of this uid."""
    place = {"store": "main", "bucket": "acme-orders", "path": "daily/"}
    reference = {"namespace": "sales", "name": "inventory-forecast", "uid": uid}
    return seen(a_request(), uid="uid-2", status={"grantRef": reference, "place": place, "accessKeyId": "AKIA1"})


BAN: Final = a_grant(decision="Deny", requestRef=None, consumer=None, mode=None, consumerNamespace="inventory")


@pytest.mark.parametrize(
    ("grant", "requests", "waits"),
    [
        (seen(a_grant(), status=IN_EFFECT), [resting("uid-1")], True),
        (seen(a_grant()), [resting("another")], True),
        (seen(a_grant()), [resting("uid-1")], False),
        (seen(a_grant(), status=IN_EFFECT), [resting("another")], False),
        (seen(a_grant()), [], True),
        (seen(a_grant(), **HELD), [], False),
        (seen(a_grant(), **OURS), [], False),
        (seen(BAN, **HELD), [], True),
    ],
    ids=[
        "in effect, and says so",
        "not in effect",
        "in effect, and does not say so",
        "not in effect, and says it is",
        "its request is gone, and nothing is left",
        "its request is gone, and it is held",
        "its request is gone, and we made it",
        "of a whole namespace",
    ],
)
def test_a_grant_waits_unless_it_says_other_than_its_request(grant: dict[str, Any], requests: list[dict[str, Any]], waits: bool) -> None:
    assert due(grant, *requests) == (TURN if waits else 0.0)


# What goes first

BLOCKED: Final = {"conditions": [{"type": "DeletionBlocked", "status": "True", "reason": "InUse"}]}
PRODUCT: Final = Key("DataProduct", "sales", "orders")


def first(mesh: Mesh, key: Key) -> bool:
    return urgent(key, mesh.cluster, mesh.clock)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (seen(a_product()), False),
        (seen(a_product(), **MARK, finalizers=[FINALIZER]), True),
        (seen(a_product(), **MARK, finalizers=[FINALIZER], status=BLOCKED), False),
        ({**seen(a_product(), **MARK, finalizers=[FINALIZER]), "status": None}, True),
    ],
    ids=["lives", "is being deleted", "waits for others", "was never reconciled"],
)
def test_a_deletion_goes_first_unless_it_waits(manifest: dict[str, Any], expected: bool) -> None:
    assert first(put(Mesh(), manifest), PRODUCT) is expected


def stripped(manifest: dict[str, Any]) -> Mesh:
    """The object went, since somebody took its finalizer off."""
    mesh, key = put(Mesh(), {**manifest, "metadata": {**manifest["metadata"], "finalizers": [FINALIZER]}}), key_of(manifest)
    mesh.cluster.user_finalize(key)
    mesh.cluster.user_delete(key)
    return mesh


@pytest.mark.parametrize(("manifest", "expected"), [(seen(a_request()), True), (seen(a_domain()), False)], ids=["a request", "a domain"])
def test_what_went_without_its_finalizer_goes_first_where_it_left_a_record(manifest: dict[str, Any], expected: bool) -> None:
    mesh, key = stripped(manifest), key_of(manifest)
    assert first(mesh, key) is expected
    assert reconcile(key, mesh.ports) == Next()


def test_what_it_left_is_not_forgotten_while_the_api_server_does_not_say_that_it_is_gone() -> None:
    mesh = stripped(resting("uid-1"))
    mesh.cluster.unreadable.add("AccessRequest")
    with pytest.raises(Transient):
        reconcile(REQUEST, mesh.ports)


@pytest.mark.parametrize("key", [REQUEST, PRODUCT, Key("Domain", "", "sales")], ids=lambda key: key.kind)
def test_what_never_was_is_nothing_to_do(key: Key) -> None:
    mesh = Mesh()
    assert not first(mesh, key)
    assert reconcile(key, mesh.ports) == Next()


# Which store

RECORDED: Final = {"place": {"store": "former", "bucket": "acme-orders", "path": "daily/"}}


def test_what_it_left_waits_on_the_store_in_which_it_left_it() -> None:
    assert lane(REQUEST, stripped(seen(a_request(), status=RECORDED)).cluster) == "former"


@pytest.mark.parametrize(
    ("manifests", "key", "store"),
    [
        ([], Key("ObjectStore", "", "main"), "main"),
        ([], PRODUCT, ""),
        ([seen(a_product())], PRODUCT, "main"),
        ([seen(a_product(storage={"storeRef": None}))], PRODUCT, ""),
        ([seen(a_request()), seen(a_product())], REQUEST, "main"),
        ([seen(a_request(), status=RECORDED), seen(a_product())], REQUEST, "former"),
        ([{**seen(a_request()), "status": None}, seen(a_product())], REQUEST, "main"),
        ([seen(a_request())], REQUEST, ""),
        ([seen(a_request()), seen(a_product(storage={"storeRef": None}))], REQUEST, ""),
        ([seen(a_grant()), seen(a_product())], key_of(a_grant()), ""),
        ([seen(a_domain())], Key("Domain", "", "sales"), ""),
    ],
    ids=[
        "a store",
        "nothing any more",
        "a product",
        "a product without store",
        "a request",
        "access in another store",
        "a new request",
        "a request for nothing",
        "a request for a product without store",
        "a grant",
        "a domain",
    ],
)
def test_on_which_store_the_work_waits(manifests: list[dict[str, Any]], key: Key, store: str) -> None:
    assert lane(key, put(Mesh(), *manifests).cluster) == store
