"""What a change costs: its own writes, seen again in the cache, make nobody look once more. Looks are counted, and reads of the store."""

from collections import Counter

from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.reconcile.wakes import wakes
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh


def a_ready_mesh() -> Mesh:
    mesh = Mesh()
    mesh.apply(a_store(), a_domain("sales"), a_product("orders"))
    return mesh.settle()


def looks_at(driven: Driven, **delta: float) -> Counter[Key]:
    seen: Counter[Key] = Counter()
    driven.after_step.append(lambda key: seen.update([key]))
    driven.run(**delta)
    return seen


def test_a_new_product_is_looked_at_once() -> None:
    """Finalizer, record, inbox and status are its own writes."""
    driven = Driven(a_ready_mesh()).run(seconds=5)
    driven.mesh.apply(a_product("returns"))
    assert looks_at(driven, seconds=20)[Key("DataProduct", "sales", "returns")] == 1


def test_a_finalizer_that_goes_is_news_and_one_that_comes_is_not() -> None:
    mesh = a_ready_mesh()
    held = mesh.cluster.get(Key("DataProduct", "sales", "orders"))
    assert held is not None
    bare = {**held, "metadata": {**held["metadata"], "finalizers": []}}
    others = {**held, "metadata": {**held["metadata"], "finalizers": [*held["metadata"]["finalizers"], "example.com/theirs"]}}
    woken = [{wake.key for wake in wakes(old, new, mesh.cluster)} for old, new in ((held, bare), (bare, held), (held, others))]
    assert [key_of(held) in keys for keys in woken] == [True, False, False]


def test_a_status_that_somebody_wiped_is_news() -> None:
    """The API server writes the schema's default instead."""
    mesh = a_ready_mesh()
    key = Key("DataProduct", "sales", "orders")
    judged = mesh.cluster.get(key)
    assert judged is not None
    wiped = {**judged, "status": KIND_BY_NAME["DataProduct"].initial_status}
    assert key in {wake.key for wake in wakes(judged, wiped, mesh.cluster)}
    assert key not in {wake.key for wake in wakes(wiped, judged, mesh.cluster)}


def test_an_inbox_that_is_made_wakes_nobody_and_one_that_goes_wakes_its_product() -> None:
    mesh = a_ready_mesh()
    inbox = mesh.cluster.get(Key("AccessInbox", "sales", "orders"))
    assert wakes(None, inbox, mesh.cluster) == ()
    assert [wake.key for wake in wakes(inbox, None, mesh.cluster)] == [Key("DataProduct", "sales", "orders")]
