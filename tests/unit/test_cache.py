"""The cache: the newer one wins, whoever brings it, and a list finds what watches missed."""

import json
import threading
import time
import tracemalloc
from typing import Any

import pytest

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.texts import without_texts
from clouddatamesh.kube.trim import trim
from clouddatamesh.model.objects import Key, Manifest, key_of
from tests.support.manifests import a_product

KEY = Key("DataProduct", "sales", "orders")


def an_object(version: int, *, uid: str = "1", name: str = "orders", namespace: str = "sales", **metadata: Any) -> dict[str, Any]:
    manifest = without_texts(a_product(name, namespace))  # these no cache keeps
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid, "resourceVersion": str(version), **metadata}}


def version_in(cache: Cache, key: Key = KEY) -> str | None:
    found = cache.get(key)
    return None if found is None else str(found["metadata"]["resourceVersion"])


def test_versions_are_compared_as_numbers_and_the_newer_wins() -> None:
    cache = Cache()
    assert cache.put(an_object(9))
    assert cache.put(an_object(10))
    assert not cache.put(an_object(9))
    assert not cache.put(an_object(10))
    assert version_in(cache) == "10"


def test_a_deletion_takes_its_object_and_late_events_do_not_bring_it_back() -> None:
    cache = Cache()
    cache.put(an_object(5))
    assert cache.remove(an_object(7))
    assert not cache.put(an_object(6))
    assert cache.get(KEY) is None
    assert cache.list("DataProduct") == ()


def test_a_late_deletion_leaves_the_successor_and_what_is_newer() -> None:
    cache = Cache()
    cache.put(an_object(8, uid="2"))
    assert not cache.remove(an_object(7, uid="1"))
    assert not cache.remove(an_object(9, uid="1"))
    assert version_in(cache) == "8"
    cache.put(an_object(10, uid="2"))
    assert not cache.remove(an_object(9, uid="2"))
    assert version_in(cache) == "10"


def test_a_deletion_that_comes_before_its_object_is_remembered() -> None:
    cache = Cache()
    assert not cache.remove(an_object(7))
    assert not cache.put(an_object(6))
    assert cache.put(an_object(8, uid="2"))


def test_a_list_brings_what_is_new_and_drops_what_vanished() -> None:
    cache = Cache()
    cache.put(an_object(3, name="gone"))
    cache.put(an_object(4, name="same"))
    listed = [an_object(4, name="same"), an_object(6, name="new")]
    changed = cache.replace("DataProduct", listed, version=9)
    assert changed == (Key("DataProduct", "sales", "gone"), Key("DataProduct", "sales", "new"))
    assert [key_of(found).name for found in cache.list("DataProduct")] == ["new", "same"]


def test_a_list_leaves_what_was_written_after_it_began() -> None:
    cache = Cache()
    cache.put(an_object(11, name="made"))
    cache.put(an_object(12, name="changed"))
    cache.remove(an_object(13, name="deleted"))
    listed = [an_object(5, name="changed"), an_object(5, name="deleted")]
    assert cache.replace("DataProduct", listed, version=10) == ()
    assert [key_of(found).name for found in cache.list("DataProduct")] == ["changed", "made"]


def test_a_list_of_one_kind_touches_no_other() -> None:
    cache = Cache()
    cache.put({"kind": "Namespace", "metadata": {"name": "sales", "uid": "n", "resourceVersion": "1"}})
    cache.replace("DataProduct", [], version=5)
    assert cache.get(Key("Namespace", "", "sales")) is not None
    assert (cache.is_full("DataProduct"), cache.is_full("Namespace")) == (True, False)


def test_a_list_forgets_deletions_that_it_covers() -> None:
    cache = Cache()
    for number in range(100):
        cache.remove(an_object(number, name=f"p{number}"))
    cache.replace("DataProduct", [], version=98)
    assert list(cache._gone) == [Key("DataProduct", "sales", "p99")]


OURS, THEIRS = "clouddatamesh.dev", "example.com"


def test_what_nobody_reads_is_not_kept() -> None:
    """Neither what the API server adds nor what anybody may write, in whatever size."""
    big = "x" * 250_000
    manifest = an_object(
        1,
        managedFields=[{"manager": "x"}],
        annotations={f"{OURS}/orphan": "p1", f"{OURS}/anything": big, f"{THEIRS}/note": big},
        labels={f"{OURS}/domain": "sales", THEIRS: "d"},
        finalizers=[*(f"{THEIRS}/{number}" for number in range(10_000)), f"{OURS}/finalizer"],
        ownerReferences=[{"name": big}],
    )
    trimmed = trim({**manifest, "status": {"observedGeneration": 1}})
    assert trimmed["metadata"]["annotations"] == {f"{OURS}/orphan": "p1"}
    assert trimmed["metadata"]["labels"] == {f"{OURS}/domain": "sales"}
    assert trimmed["metadata"]["finalizers"][0] == f"{THEIRS}/0"
    assert trimmed["metadata"]["finalizers"][-1] == f"{OURS}/finalizer"
    assert (trimmed["status"], trimmed["spec"]) == ({"observedGeneration": 1}, manifest["spec"])
    assert len(json.dumps(trimmed)) < 2000
    assert manifest["metadata"]["managedFields"]


def test_finalizers_stay_in_their_order() -> None:
    """Ours is removed by its place."""
    finalizers = [f"{THEIRS}/a", f"{OURS}/finalizer", f"{THEIRS}/b"]
    assert trim(an_object(1, finalizers=finalizers))["metadata"]["finalizers"] == finalizers


def test_labels_by_which_stores_choose_domains_are_kept() -> None:
    found = trim({"kind": "Domain", "metadata": {"name": "sales", "labels": {THEIRS: "gold"}}})
    assert found["metadata"]["labels"] == {THEIRS: "gold"}


def test_a_value_of_ours_is_cut_where_nobody_understands_more() -> None:
    """A list of ports to cut off is read whole."""
    ports = ",".join(f"port-{number}" for number in range(2000))
    found = trim(an_object(1, annotations={f"{OURS}/orphan": "y" * 100_000, f"{OURS}/cut-off": ports}))
    assert len(found["metadata"]["annotations"][f"{OURS}/orphan"]) == 1024
    assert found["metadata"]["annotations"][f"{OURS}/cut-off"] == ports


def test_what_bears_our_label_and_none_of_our_names_is_known_by_its_metadata() -> None:
    """Whoever may make bindings may label thousands of them."""
    subjects = [{"kind": "User", "name": f"user-{number}"} for number in range(1000)]
    ours, other = (
        trim({"kind": "RoleBinding", "metadata": {"name": name, "namespace": "sales"}, "subjects": subjects})
        for name in ("clouddatamesh-owners", "my-own")
    )
    assert len(ours["subjects"]) == 1000
    assert "subjects" not in other


def test_of_an_account_only_its_existence_is_kept() -> None:
    manifest = {**an_object(1, annotations={f"{OURS}/owner": "z" * 100_000}, labels={f"{OURS}/domain": "a"}), "kind": "ServiceAccount"}
    assert set(trim(manifest)["metadata"]) <= {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"}


def test_of_namespaces_and_accounts_only_metadata_is_kept() -> None:
    """There may be thousands that are nothing of ours."""
    for kind in ("Namespace", "ServiceAccount"):
        manifest = {**an_object(1), "apiVersion": "v1", "kind": kind, "secrets": [{"name": "a"}], "status": {"phase": "Active"}}
        assert set(trim(manifest)) == {"apiVersion", "kind", "metadata"}


def test_a_word_that_many_objects_have_is_kept_once() -> None:
    first, second = (trim(json.loads(json.dumps(an_object(1, name=name)))) for name in ("a", "b"))
    assert next(iter(first["spec"])) is next(iter(second["spec"]))
    assert first["spec"]["lifecycle"] is second["spec"]["lifecycle"]


def test_objects_are_found_by_what_they_name_and_by_the_state_in_which_they_are() -> None:
    cache, store, waiting = Cache(), Key("ObjectStore", "", "main"), Key("Unsettled", "sales", "")
    for name in ("b", "a"):
        cache.put(an_object(1, name=name, uid=name))
    a, b = (Key("DataProduct", "sales", name) for name in ("a", "b"))
    assert cache.naming(store, "DataProduct") == cache.naming(waiting, "DataProduct") == (a, b)
    assert [key_of(found) for found in cache.referring(store, "DataProduct")] == [a, b]
    assert cache.naming(store, "AccessRequest") == ()
    settled = {"observedGeneration": 0, "conditions": [{"type": "Ready", "status": "True"}]}
    cache.put({**an_object(2, name="a", uid="a"), "status": settled})
    assert (cache.naming(store, "DataProduct"), cache.naming(waiting, "DataProduct")) == ((a, b), (b,))
    assert cache.named("ObjectStore") == (store,)
    cache.replace("DataProduct", [], version=3)
    assert cache.naming(store, "DataProduct") == cache.named("ObjectStore") == cache.named("Unsettled", "sales") == ()


# A restored API server.


def test_a_list_tells_the_truth_of_its_time_though_versions_went_back_meanwhile() -> None:
    """The server was restored, and is past the former version again: nothing but the object itself shows it."""
    cache = Cache()
    cache.put(an_object(50, annotations={f"{OURS}/orphan": "later"}))
    assert cache.replace("DataProduct", [an_object(20, annotations={f"{OURS}/orphan": "earlier"})], version=60) == (KEY,)
    assert (cache.get(KEY) or {})["metadata"]["annotations"] == {f"{OURS}/orphan": "earlier"}


def test_what_was_known_before_versions_began_again_counts_no_more() -> None:
    cache = Cache()
    cache.put(an_object(50, name="changed"))
    cache.put(an_object(51, name="undone"))
    cache.remove(an_object(52, name="deleted", uid="2"))
    assert cache.newest("DataProduct") == 52
    cache.forget_versions("DataProduct")
    assert cache.newest("DataProduct") == 0
    assert not cache.put({**an_object(0, name="changed")})
    assert cache.put(an_object(11, name="written"))
    cache.replace("DataProduct", [an_object(8, name="changed"), an_object(9, name="deleted", uid="2")], version=10)
    assert [key_of(found).name for found in cache.list("DataProduct")] == ["changed", "deleted", "written"]
    assert version_in(cache, Key("DataProduct", "sales", "changed")) == "8"
    assert cache.departed(Key("DataProduct", "sales", "undone")) is not None
    assert cache.newest("DataProduct") == 11


def test_objects_are_listed_by_kind_and_namespace_in_order() -> None:
    cache = Cache()
    for namespace in ("sales-lab", "sales", "stock"):
        for name in ("b", "a"):
            cache.put(an_object(1, name=name, namespace=namespace))
    assert [key.name for key in cache.keys("DataProduct", "sales")] == ["a", "b"]
    assert [key_of(found).namespace for found in cache.list("DataProduct")] == ["sales"] * 2 + ["sales-lab"] * 2 + ["stock"] * 2
    assert cache.keys("DataProduct") == tuple(map(key_of, cache.list("DataProduct")))
    assert (cache.count("DataProduct"), cache.count("Domain")) == (6, 0)
    assert cache.list("Domain") == ()
    assert cache.keys("Domain") == cache.keys("DataProduct", "none") == ()


def test_listeners_hear_of_each_change_with_what_was_before_and_may_look_from_another_thread() -> None:
    heard: list[tuple[str | None, str | None]] = []
    cache = Cache()

    def listen(old: Manifest | None, new: Manifest | None) -> None:
        looker = threading.Thread(target=cache.list, args=("DataProduct",), daemon=True)
        looker.start()
        looker.join(30)
        assert not looker.is_alive(), "the cache was locked while its listener was told"
        heard.append(tuple(None if m is None else m["metadata"]["resourceVersion"] for m in (old, new)))  # type: ignore[arg-type]

    cache.listener = listen
    cache.put(an_object(1))
    cache.put(an_object(1))
    cache.put(an_object(2))
    cache.remove(an_object(3))
    cache.replace("DataProduct", [an_object(4)], version=5)
    cache.replace("DataProduct", [], version=6)
    assert heard == [(None, "1"), ("1", "2"), ("2", None), (None, "4"), ("4", None)]


class Seconds:
    """A clock that only counts."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("way", ["a deletion", "a list"])
def test_what_departed_is_known_for_a_quarter_of_an_hour_as_it_was_last(way: str) -> None:
    seconds = Seconds()
    cache = Cache(monotonic=seconds)
    cache.put({**an_object(1), "status": {"place": "old"}})
    cache.put({**an_object(2), "status": {"place": "new"}})
    assert cache.departed(KEY) is None
    if way == "a deletion":
        cache.remove({**an_object(3), "status": {"place": "last"}})
    else:
        cache.replace("DataProduct", [], version=3)
    for now, known in ((0.0, True), (899.0, True), (900.0, False)):
        seconds.now = now
        found = cache.departed(KEY)
        assert (found is not None) == known
        assert found is None or found["status"]["place"] == ("last" if way == "a deletion" else "new")


@pytest.mark.parametrize("way", ["a deletion", "a list", "no deletion that was seen"])
def test_what_was_made_again_leaves_its_predecessor_known_as_departed(way: str) -> None:
    cache = Cache()
    cache.put(an_object(1))
    if way == "a deletion":
        cache.remove(an_object(2))
    if way == "a list":
        cache.replace("DataProduct", [an_object(3, uid="2")], version=4)
    cache.put(an_object(5, uid="2"))
    assert (cache.departed(KEY) or {})["metadata"]["uid"] == "1"
    cache.remove(an_object(6, uid="2"))
    assert (cache.departed(KEY) or {})["metadata"]["uid"] == "2"


def test_what_is_there_after_all_did_not_depart() -> None:
    """A list that was behind had lost it."""
    cache = Cache()
    cache.put(an_object(1))
    cache.replace("DataProduct", [], version=2)
    assert cache.departed(KEY) is not None
    cache.put(an_object(3))
    assert cache.departed(KEY) is None


def test_what_we_let_go_does_not_depart() -> None:
    cache = Cache()
    cache.put(an_object(1))
    cache.release("1")
    cache.remove(an_object(2))
    assert cache.departed(KEY) is None


def test_a_late_event_of_what_departed_does_not_undo_that() -> None:
    cache = Cache()
    cache.put(an_object(1))
    cache.remove(an_object(3))
    assert not cache.put(an_object(2))
    assert cache.departed(KEY) is not None


def test_only_what_holds_something_in_a_store_is_known_as_departed() -> None:
    cache = Cache()
    for kind, known in (("AccessRequest", True), ("AccessGrant", False), ("Namespace", False)):
        manifest = {**an_object(1), "kind": kind}
        cache.put(manifest)
        cache.remove({**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "2"}})
        assert (cache.departed(Key(kind, "sales", "orders")) is not None) == known


def test_of_very_many_that_departed_the_latest_are_known() -> None:
    cache = Cache()
    for number in range(10_002):
        cache.put(an_object(number + 1, name=f"p{number}"))
    cache.replace("DataProduct", [], version=20_000)
    known = [cache.departed(Key("DataProduct", "sales", f"p{number}")) is not None for number in range(10_002)]
    assert (known.count(True), known.count(False)) == (10_000, 2)


def test_a_thousand_products_are_cheap_and_ten_thousand_quick() -> None:
    cache = Cache()
    tracemalloc.start()
    for number in range(1000):
        cache.put(an_object(number, name=f"p{number}"))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 50e6
    for number in range(1000, 10_000):
        cache.put(an_object(number, name=f"p{number}"))
    began = time.process_time()
    assert len(cache.list("DataProduct")) == 10_000
    assert time.process_time() - began < 0.5


def test_many_threads_leave_the_newest_of_each() -> None:
    cache = Cache()

    def write(start: int) -> None:
        for version in range(start, 400, 4):
            cache.put(an_object(version + 1, name=f"p{version % 7}"))
            cache.list("DataProduct")

    threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = {f"p{n}": max(v + 1 for v in range(400) if v % 7 == n) for n in range(7)}
    assert {key_of(m).name: int(m["metadata"]["resourceVersion"]) for m in cache.list("DataProduct")} == newest
