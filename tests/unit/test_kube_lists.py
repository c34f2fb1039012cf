"""Paged lists and questions of access, over a transport that answers from memory."""

from collections.abc import Mapping
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.access import Need, find_missing
from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.lists import PAGE, list_into
from clouddatamesh.kube.resources import RESOURCES, collection, path
from clouddatamesh.model.objects import Key


class Pages:
    """Answers a list of `size` quotas page by page; `expires` breaks it off after the first page. `allowed` answers questions."""

    def __init__(self, size: int = 0, *, expires: bool = False, allowed: tuple[str, ...] = ()) -> None:
        self._size, self._expires, self._allowed = size, expires, allowed
        self.queries: list[Mapping[str, str]] = []

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        assert path and headers is None
        if method == "POST":
            return {"status": {"allowed": body["spec"]["resourceAttributes"]["verb"] in self._allowed}}
        query = query or {}
        self.queries.append(query)
        start = int(query.get("continue", 0))
        if start and self._expires:
            raise ApiError(410, b'{"reason": "Expired", "message": "The provided continue parameter is too old"}')
        end = min(start + int(query["limit"]), self._size)
        metadata = {"resourceVersion": str(1000 + start), **({"continue": str(end)} if end < self._size else {})}
        items = [{"metadata": {"name": f"q{n:05}", "namespace": "a", "uid": str(n), "resourceVersion": "7"}} for n in range(start, end)]
        return {"metadata": metadata, "items": items}


def test_a_list_is_read_page_by_page_and_its_items_are_told_their_kind() -> None:
    cache, pages = Cache(), Pages(1200)
    changed = list_into(cache, pages, "ResourceQuota", labelled=True)
    assert (len(changed), len(pages.queries)) == (1200, 1200 // PAGE)
    assert {query["labelSelector"] for query in pages.queries} == {"app.kubernetes.io/managed-by=clouddatamesh"}
    found = cache.get(Key("ResourceQuota", "a", "q00007")) or {}
    assert (found["apiVersion"], found["kind"]) == ("v1", "ResourceQuota")
    assert cache.is_full("ResourceQuota")
    assert list_into(cache, pages, "ResourceQuota", labelled=True) == ()


def test_what_was_written_after_the_first_page_stays() -> None:
    cache = Cache()
    ours = {"kind": "ResourceQuota", "metadata": {"name": "ours", "namespace": "a", "uid": "o", "resourceVersion": "1200"}}

    class Busy(Pages):
        def request(self, *args: Any, **named: Any) -> dict[str, Any]:
            answer = super().request(*args, **named)
            cache.put(ours)
            return answer

    told: list[str] = []
    list_into(cache, Busy(1200), "ResourceQuota", labelled=False, restored=told.append)
    assert cache.get(Key("ResourceQuota", "a", "ours")) is not None
    assert told == []


def test_an_older_list_brings_nothing_back_that_a_newer_one_shows_to_be_gone() -> None:
    """It went without an event, as where a watch is silent; the older list is still at its first page then."""
    cache, told = Cache(), list[str]()
    cache.put({"kind": "ResourceQuota", "metadata": {"name": "q00900", "namespace": "a", "uid": "900", "resourceVersion": "7"}})
    cache.listener = lambda _, new: told.append("gone" if new is None else "came")

    class Overtaken(Pages):
        def request(self, *args: Any, **named: Any) -> dict[str, Any]:
            answer = super().request(*args, **named)
            if len(self.queries) == 1:
                cache.replace("ResourceQuota", [], version=2000)
            return answer

    list_into(cache, Overtaken(1200), "ResourceQuota", labelled=False)
    assert told[0] == "gone"
    assert cache.get(Key("ResourceQuota", "a", "q00900")) is None
    assert cache.get(Key("ResourceQuota", "a", "q00899")) is not None


def test_pages_are_taken_in_one_by_one_so_that_no_list_is_in_memory_as_a_whole() -> None:
    cache, counts = Cache(), []

    class Watched(Pages):
        def request(self, *args: Any, **named: Any) -> dict[str, Any]:
            counts.append(cache.count("ResourceQuota"))
            return super().request(*args, **named)

    list_into(cache, Watched(1200), "ResourceQuota", labelled=True)
    assert counts == [*range(0, 1200, PAGE)]


@pytest.mark.parametrize(("known", "restored"), [("999", False), ("1000", False), ("5000", True)])
def test_a_list_that_is_older_than_what_was_known_is_of_a_server_that_was_restored(known: str, restored: bool) -> None:
    cache, told = Cache(), list[str]()
    for name, version in (("q00001", known), ("later", known)):
        cache.put({"kind": "ResourceQuota", "metadata": {"name": name, "namespace": "a", "uid": name, "resourceVersion": version}})
    list_into(cache, Pages(10), "ResourceQuota", labelled=False, restored=told.append)
    assert told == (["ResourceQuota"] if restored else [])
    assert cache.get(Key("ResourceQuota", "a", "later")) is None
    assert ((cache.get(Key("ResourceQuota", "a", "q00001")) or {})["metadata"]["uid"], cache.count("ResourceQuota")) == ("1", 10)
    list_into(cache, Pages(10), "ResourceQuota", labelled=False, restored=told.append)
    assert len(told) == restored


def test_a_list_that_broke_off_takes_nothing_away() -> None:
    cache = Cache()
    cache.put({"kind": "ResourceQuota", "metadata": {"name": "known", "namespace": "a", "uid": "k", "resourceVersion": "1"}})
    with pytest.raises(Transient) as caught:
        list_into(cache, Pages(1200, expires=True), "ResourceQuota", labelled=False)
    assert caught.value.reason == reasons.CONFLICT
    assert not cache.is_full("ResourceQuota")
    assert cache.get(Key("ResourceQuota", "a", "known")) is not None


def test_what_is_not_allowed_is_named() -> None:
    needs = (Need("get", "", "secrets", namespace="sys"), Need("bind", "rbac.authorization.k8s.io", "clusterroles", name="viewer"))
    missing = find_missing(Pages(allowed=("get",)), needs)
    assert [str(need) for need in missing] == ["bind clusterroles.rbac.authorization.k8s.io viewer"]
    assert [str(need) for need in find_missing(Pages(), needs)][1] == "get secrets in namespace sys"


def test_paths_follow_group_scope_and_namespace() -> None:
    assert path(Key("Namespace", "", "a")) == "/api/v1/namespaces/a"
    assert path(Key("Domain", "", "sales")) == "/apis/clouddatamesh.dev/v1alpha1/domains/sales"
    assert path(Key("RoleBinding", "a", "b")) == "/apis/rbac.authorization.k8s.io/v1/namespaces/a/rolebindings/b"
    assert collection("DataProduct") == "/apis/clouddatamesh.dev/v1alpha1/dataproducts"
    assert all(RESOURCES[kind].api_version for kind in RESOURCES)


def test_a_list_that_is_still_under_way_brings_nothing_back_that_a_newer_one_saw_go() -> None:
    cache = Cache()

    def quota(name: str, version: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "a", "uid": name, "resourceVersion": version}}

    class Slow(Pages):
        """Between its first and its second page the object goes, which an event and a newer list tell."""

        def request(self, *_: Any, **named: Any) -> dict[str, Any]:
            if "continue" not in (named.get("query") or {}):
                return {"metadata": {"resourceVersion": "100", "continue": "more"}, "items": [quota("stays", "50")]}
            cache.remove({"kind": "ResourceQuota", **quota("goes", "103")})
            list_into(cache, Newer(), "ResourceQuota", labelled=False)
            return {"metadata": {"resourceVersion": "100"}, "items": [quota("goes", "60")]}

    class Newer(Pages):
        def request(self, *_: Any, **__: Any) -> dict[str, Any]:
            return {"metadata": {"resourceVersion": "105"}, "items": [quota("stays", "50")]}

    cache.put({"kind": "ResourceQuota", **quota("goes", "60")})
    list_into(cache, Slow(), "ResourceQuota", labelled=False)
    assert cache.keys("ResourceQuota") == (Key("ResourceQuota", "a", "stays"),)
