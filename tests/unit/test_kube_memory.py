"""The fake cluster's ways to lag and lie: a cache that is behind by kind, lost answers, quotas that nobody counts, reads that fail."""

from datetime import UTC, datetime, timedelta

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.memory import MemoryCluster
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.plan.marks import MANAGED_LABEL, MANAGER
from tests.support.evidence import error_of, seen
from tests.support.manifests import a_domain, a_product
from tests.support.worlds import SETTINGS

KEY = Key("DataProduct", "sales", "orders")


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cluster(clock: Clock) -> MemoryCluster:
    cluster = MemoryCluster(SETTINGS, now=clock.now)
    cluster.user_apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}})
    cluster.user_apply(a_product())
    return cluster


def names(cluster: MemoryCluster) -> list[str]:
    return [key_of(found).name for found in cluster.list("DataProduct")]


def uid_in(cluster: MemoryCluster) -> str:
    return str((cluster.raw(KEY) or {})["metadata"]["uid"])


def test_a_kind_that_is_held_back_shows_nothing_that_others_do(cluster: MemoryCluster) -> None:
    domain = Key("Domain", "", "sales")
    cluster.hold_back("DataProduct")
    cluster.user_delete(KEY)
    cluster.user_apply(a_product("new"))
    cluster.user_apply(a_domain())
    assert (names(cluster), cluster.get(KEY) is not None, cluster.get(domain) is not None) == (["orders"], True, True)
    assert [key_of(found).name for found in cluster.referring(domain, "DataProduct")] == []
    assert cluster.departed(KEY) is None
    assert (cluster.read(KEY), cluster.read_metadata(KEY)) == (Absent(), Absent())
    cluster.catch_up("DataProduct")
    assert (names(cluster), cluster.get(KEY), cluster.departed(KEY) is not None) == (["new"], None, True)


def test_writes_go_by_what_is_there_and_show_at_once(cluster: MemoryCluster) -> None:
    cluster.hold_back("DataProduct")
    cluster.user_apply({**a_product(), "metadata": {**a_product()["metadata"], "labels": {"theirs": "1"}}})
    assert "labels" not in (cluster.get(KEY) or {})["metadata"]
    cluster.write_status(KEY, uid_in(cluster), {"observedGeneration": 1})
    found = cluster.get(KEY) or {}
    assert (found["status"], found["metadata"]["labels"]) == ({"observedGeneration": 1}, {"theirs": "1"}), "the answer holds all"
    cluster.delete(KEY, uid_in(cluster))
    assert cluster.get(KEY) is None


def test_a_write_whose_answer_is_lost_is_done_and_does_not_show_where_the_cache_is_behind(cluster: MemoryCluster) -> None:
    cluster.hold_back("DataProduct")
    cluster.lose_answers()
    with pytest.raises(Transient) as caught:
        cluster.write_status(KEY, uid_in(cluster), {"observedGeneration": 5})
    assert caught.value.reason == reasons.CLUSTER_UNAVAILABLE
    assert [found["status"]["observedGeneration"] for found in (cluster.get(KEY) or {}, seen(cluster.read(KEY)))] == [-1, 5]
    cluster.write_status(KEY, uid_in(cluster), {"observedGeneration": 6})
    assert (cluster.get(KEY) or {})["status"] == {"observedGeneration": 6}


def test_what_departed_is_known_for_a_quarter_of_an_hour_also_when_it_is_made_again(cluster: MemoryCluster, clock: Clock) -> None:
    cluster.write_status(KEY, uid_in(cluster), {"observedGeneration": 1})
    cluster.user_delete(KEY)
    assert (cluster.departed(KEY) or {})["status"] == {"observedGeneration": 1}
    clock.time += timedelta(minutes=14)
    assert cluster.departed(KEY) is not None
    clock.time += timedelta(minutes=1)
    assert cluster.departed(KEY) is None
    cluster.user_apply(a_product())
    former = uid_in(cluster)
    cluster.user_delete(KEY)
    cluster.user_apply(a_product())
    assert (cluster.departed(KEY) or {})["metadata"]["uid"] == former != uid_in(cluster)


def test_a_new_process_knows_what_is_there_and_nothing_of_what_departed(cluster: MemoryCluster) -> None:
    cluster.hold_back("DataProduct")
    cluster.user_delete(KEY)
    cluster.restart()
    assert (cluster.get(KEY), cluster.departed(KEY)) == (None, None)


def quota(*hard: str) -> dict[str, object]:
    metadata = {"name": "limits", "namespace": "sales", "labels": {MANAGED_LABEL: MANAGER}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": dict.fromkeys(hard, "5")}}


def used(cluster: MemoryCluster) -> object:
    return ((cluster.raw(Key("ResourceQuota", "sales", "limits")) or {}).get("status") or {}).get("used")


@pytest.mark.parametrize(
    ("uncounted", "counted"),
    [((), {"pods": "0", "count/widgets.example.com": "0"}), (("count/widgets.example.com",), {"pods": "0"}), (("*",), None)],
)
def test_what_nobody_counts_never_shows_as_used(cluster: MemoryCluster, uncounted: tuple[str, ...], counted: object) -> None:
    cluster.stop_counting(*uncounted)
    cluster.create(quota("pods", "count/widgets.example.com"))
    assert used(cluster) == counted


def test_a_kind_that_cannot_be_read_is_unknown_and_still_cached(cluster: MemoryCluster) -> None:
    cluster.unreadable.add("DataProduct")
    for found in (cluster.read(KEY), cluster.read_metadata(KEY)):
        assert error_of(found).reason == reasons.CLUSTER_UNAVAILABLE
    assert cluster.get(KEY) is not None


def test_of_a_secret_only_metadata_is_read(cluster: MemoryCluster) -> None:
    metadata = {"name": "s", "namespace": "sales"}
    cluster.user_apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "planted-secret"}})
    found = seen(cluster.read(Key("Secret", "sales", "s")))
    assert set(found) == {"apiVersion", "kind", "metadata"}
