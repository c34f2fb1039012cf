"""Which access must end now, by what the cache shows: by the rule that gives it, whatever was missed."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.marks import DOMAIN_LABEL, FINALIZER
from clouddatamesh.reconcile.dispatch import overdue, urgent
from tests.reconcile.access_flows import REQUEST
from tests.reconcile.test_dispatch import MARK, put, resting, seen
from tests.support.manifests import a_domain, a_grant, a_product, a_request
from tests.support.mesh import Mesh

ORDERS: Final = Key("DataProduct", "sales", "orders")
OWNED: Final = {"storage": {"bucket": "acme-orders", "phase": "Owned", "ownershipVerified": True}}
CONSUMER: Final = seen(a_product("forecast", "inventory"))
HERE: Final = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "inventory", "uid": "uid-here"}}
GIVEN: Final = {"consumer": {"domain": "inventory", "namespaceUid": "uid-here"}}


def running(*others: dict[str, Any], **changed: Any) -> Mesh:
    """Access that is based on a grant; these objects are otherwise than it was given."""
    world = (seen(a_product(), status=OWNED), CONSUMER, HERE, seen(a_grant(), status=GIVEN), {**resting("uid-1"), **changed})
    return put(Mesh(), *world, *others)


def again(domain: str) -> Mesh:
    """The consumer's namespace was recreated, and belongs to this domain."""
    place = {"name": "inventory", "uid": "again", "labels": {DOMAIN_LABEL: domain}}
    owner = seen(a_domain(domain, namespaces=[{"name": "inventory"}]), status={"namespaces": [{"name": "inventory", "uid": "again"}]})
    return running({**HERE, "metadata": place}, owner)


def without(*keys: Key) -> Mesh:
    mesh = running()
    for key in keys:
        mesh.cluster.user_delete(key)
    return mesh


REFUSAL: Final = seen(a_grant("no", decision="Deny"), uid="uid-9")
FOREVER: Final = {"finalizers": [FINALIZER], **MARK}


@pytest.mark.parametrize(
    ("mesh", "ends"),
    [
        (running, False),
        (lambda: running(seen(a_product(lifecycle="deprecated"), status=OWNED)), False),
        (lambda: running({**HERE, "metadata": {"name": "inventory", "uid": "again"}}), False),
        (lambda: again("inventory"), False),
        (lambda: again("other"), True),
        (lambda: running(seen(a_product(lifecycle="retired"), status=OWNED)), True),
        (lambda: running(seen(a_grant(validUntil="2025-12-31T00:00:00Z"))), True),
        (lambda: running(REFUSAL), True),
        (lambda: without(key_of(CONSUMER)), True),
        (lambda: without(key_of(a_grant())), True),
        (lambda: without(ORDERS), True),
        (lambda: running(status={}), False),
        (lambda: without(key_of(CONSUMER), key_of(a_grant())), True),
        (lambda: running(status={}, spec=a_request(consumer={"dataProductRef": {"name": "nobody"}})["spec"]), False),
        (lambda: running({**resting("uid-1"), "metadata": {**resting("uid-1")["metadata"], **FOREVER}}), True),
        (lambda: running({**seen(a_request()), "metadata": {**resting("uid-1")["metadata"], **FOREVER}}), False),
    ],
    ids=[
        "granted",
        "of a deprecated product",
        "its namespace belongs to no domain any more",
        "its namespace was recreated",
        "its namespace was recreated for another domain",
        "of a retired product",
        "its end has passed",
        "refused",
        "its consumer is gone",
        "its grant is gone",
        "its product is gone",
        "no access",
        "its consumer and its grant are gone",
        "no access, and no consumer",
        "being deleted",
        "no access, and being deleted",
    ],
)
def test_access_that_must_end_is_overdue(mesh: Callable[[], Mesh], ends: bool) -> None:
    found = mesh()
    assert overdue(found.cluster, found.clock) == ((REQUEST,) if ends else ())


@pytest.mark.parametrize(
    ("mesh", "goes_first"),
    [(running, False), (lambda: running(REFUSAL), True), (lambda: without(key_of(CONSUMER)), True)],
    ids=["granted", "refused", "its consumer is gone"],
)
def test_access_that_must_end_goes_first(mesh: Callable[[], Mesh], goes_first: bool) -> None:
    found = mesh()
    assert urgent(REQUEST, found.cluster, found.clock) is goes_first
    assert not urgent(ORDERS, found.cluster, found.clock)
    assert not urgent(key_of(a_grant()), found.cluster, found.clock)
