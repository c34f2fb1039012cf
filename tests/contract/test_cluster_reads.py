"""The contract of the Cluster port: live reads, and what departed. Held over the fake and a real API server, whose caches are behind."""

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.marks import FINALIZER
from tests.contract.test_cluster_sides import OTHER, SIDES, MemorySide, Side, a_domain_in, fresh, metadata_of, open_side, uid_of
from tests.support.evidence import seen
from tests.support.manifests import a_domain, a_product


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return open_side(request, request.param)


def fall_behind(side: Side) -> None:
    """Nothing is watched on the real side until `watch`; the fake is told to."""
    if isinstance(side, MemorySide):
        side.hold_back("Domain", "DataProduct", "Namespace")


def catch_up(side: Side) -> None:
    if isinstance(side, MemorySide):
        side.catch_up()
    side.watch()


def a_product_in(side: Side) -> Key:
    manifest = a_product("orders", side.namespace)
    side.user_apply(manifest)
    side.watch()
    return key_of(manifest)


def test_an_object_is_read_as_it_is_though_the_cache_is_behind(side: Side) -> None:
    key = a_domain_in(side)
    fall_behind(side)
    side.user_apply(a_domain(key.name, displayName="Newer"))
    assert (side.cluster.get(key) or {})["spec"].get("displayName") != "Newer"
    found = seen(side.cluster.read(key))
    assert (found["kind"], found["spec"]["displayName"]) == ("Domain", "Newer")
    assert found["metadata"]["uid"] == uid_of(side, key)
    catch_up(side)
    assert (side.cluster.get(key) or {})["spec"]["displayName"] == "Newer"


def test_a_text_that_is_only_for_people_is_read_live_and_not_in_the_cache(side: Side) -> None:
    key = a_product_in(side)
    assert "purpose" in seen(side.cluster.read(key))["spec"]["description"]
    (listed,) = (found for found in side.cluster.list("DataProduct") if key_of(found) == key)
    for found in (side.cluster.get(key) or {}, listed):
        assert (found["spec"]["displayName"], "description" in found["spec"]) == ("Orders", False)


def test_what_is_gone_is_read_as_absent_though_the_cache_has_it(side: Side) -> None:
    key = a_domain_in(side)
    fall_behind(side)
    side.user_delete(key)
    assert side.cluster.get(key) is not None
    assert (side.cluster.read(key), side.cluster.read_metadata(key)) == (Absent(), Absent())
    catch_up(side)
    assert side.cluster.get(key) is None


def test_a_namespace_that_goes_is_read_as_going(side: Side) -> None:
    key, held = Key("Namespace", "", side.namespace), a_product_in(side)
    side.user_finalize(held, OTHER)
    fall_behind(side)
    side.user_delete(key)
    assert not (side.cluster.get(key) or {})["metadata"].get("deletionTimestamp")
    assert seen(side.cluster.read(key))["metadata"]["deletionTimestamp"]
    side.user_finalize(held)


def test_the_data_of_a_secret_is_never_read(side: Side) -> None:
    metadata = {"name": "theirs", "namespace": side.namespace}
    side.user_apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "planted-secret"}})
    for _ in range(2):
        found = seen(side.cluster.read(Key("Secret", side.namespace, "theirs")))
        assert set(found) == {"apiVersion", "kind", "metadata"}
        assert "cGxhbnRlZC1zZWNyZXQ" not in repr(found)


def test_an_object_in_a_namespace_that_is_not_there_is_absent(side: Side) -> None:
    assert side.cluster.read(Key("DataProduct", fresh(), "orders")) == Absent()


def test_what_departed_is_known_with_its_last_status_also_when_it_is_made_again(side: Side) -> None:
    key = a_product_in(side)
    assert side.cluster.departed(key) is None
    side.cluster.write_status(key, uid_of(side, key), {"observedGeneration": 1})
    fall_behind(side)
    side.user_delete(key)
    assert side.cluster.departed(key) is None, "the cache does not know yet"
    catch_up(side)
    found = side.cluster.departed(key) or {}
    assert (key_of(found), found["status"]["observedGeneration"]) == (key, 1)
    former = found["metadata"]["uid"]
    a_product_in(side)
    assert (side.cluster.departed(key) or {})["metadata"]["uid"] == former != uid_of(side, key)


def test_what_was_replaced_while_nobody_watched_departed(side: Side) -> None:
    key = a_product_in(side)
    former = uid_of(side, key)
    fall_behind(side)
    side.user_delete(key)
    side.user_apply(a_product("orders", side.namespace))
    assert side.cluster.departed(key) is None, "the cache does not know yet"
    catch_up(side)
    assert (side.cluster.departed(key) or {})["metadata"]["uid"] == former


def test_what_we_let_go_does_not_depart(side: Side) -> None:
    key = a_product_in(side)
    uid = uid_of(side, key)
    side.cluster.write_finalizer(key, uid, True)
    side.user_delete(key)
    side.watch()
    side.cluster.write_finalizer(key, uid, False)
    assert (side.cluster.get(key), side.cluster.departed(key)) == (None, None)


@pytest.mark.parametrize("others", [1, 40], ids=["one of somebody else's before it", "more than the cache keeps"])
def test_ours_is_let_go_wherever_it_is_in_the_list(side: Side, others: int) -> None:
    key = a_product_in(side)
    uid = uid_of(side, key)
    theirs = [f"example.com/f{number}" for number in range(others)]
    side.user_finalize(key, *theirs)
    side.watch()
    side.cluster.write_finalizer(key, uid, True)
    side.user_delete(key)
    side.watch()
    side.cluster.write_finalizer(key, uid, False)
    assert metadata_of(side, key)["finalizers"] == theirs
    side.user_finalize(key)


def test_what_departs_unseen_cannot_be_held_and_a_successor_is_not_held_in_its_place(side: Side) -> None:
    key = a_product_in(side)
    uid = uid_of(side, key)
    fall_behind(side)
    side.user_delete(key)
    for _ in ("gone", "another"):
        with pytest.raises(Transient) as caught:
            side.cluster.write_finalizer(key, uid, True)
        assert caught.value.reason == reasons.CONFLICT
        side.user_apply(a_product("orders", side.namespace))
    assert FINALIZER not in (metadata_of(side, key).get("finalizers") or ())


def test_a_status_is_bound_to_the_version_that_was_read_live(side: Side) -> None:
    key = a_product_in(side)
    fall_behind(side)
    before = seen(side.cluster.read(key))["metadata"]
    side.user_apply(
        {**a_product("orders", side.namespace), "metadata": {**a_product("orders", side.namespace)["metadata"], "labels": {"a": "b"}}}
    )
    with pytest.raises(Transient) as caught:
        side.cluster.write_status(key, before["uid"], {"observedGeneration": 1}, version=before["resourceVersion"])
    assert caught.value.reason == reasons.CONFLICT
    now = seen(side.cluster.read(key))["metadata"]
    side.cluster.write_status(key, now["uid"], {"observedGeneration": 1}, version=now["resourceVersion"])
    assert seen(side.cluster.read(key))["status"]["observedGeneration"] == 1
