"""What a live read of one object is evidence of, answer by answer; and what the answer to a write proves."""

import contextlib
import json
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.cluster import KubeCluster
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.transport import METADATA_ONLY
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.objects import Key
from tests.support.evidence import error_of
from tests.support.worlds import SETTINGS

PRODUCT, SECRET = Key("DataProduct", "sales", "orders"), Key("Secret", "sales", "orders-producer")
FOUND: dict[str, Any] = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "orders", "uid": "1", "resourceVersion": "7"}}


class Scripted:
    """A transport that answers in order; an exception is raised. `asked` is what it was asked."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def request(self, method: str, path: str, *, headers: Any = None, **_: Any) -> dict[str, Any]:
        self.asked.append((method, path, dict(headers or {})))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def an_answer(status: int, reason: str, *, name: str = "", causes: tuple[str, ...] = ()) -> ApiError:
    details = {"name": name, "causes": [{"field": cause} for cause in causes]}
    return ApiError(status, json.dumps({"kind": "Status", "reason": reason, "message": "no", "details": details}).encode())


def cluster_of(*answers: dict[str, Any] | Exception, terminating: bool | None = False) -> tuple[KubeCluster, Scripted]:
    """A cluster whose namespace is in the cache, going away or not; None: not there."""
    cache, transport = Cache(), Scripted(*answers)
    if terminating is not None:
        metadata = {"name": "sales", "uid": "n", "resourceVersion": "1", **({"deletionTimestamp": "x"} if terminating else {})}
        cache.put({"kind": "Namespace", "metadata": metadata})
    return KubeCluster(transport, cache, SETTINGS), transport


def test_an_object_is_read_whole_and_live() -> None:
    cluster, transport = cluster_of(FOUND)
    assert cluster.read(PRODUCT) == Present(FOUND)
    assert [(method, headers) for method, _, headers in transport.asked] == [("GET", {})]


def test_of_a_secret_no_data_is_ever_asked_for() -> None:
    cluster, transport = cluster_of(FOUND, FOUND)
    cluster.read(SECRET)
    cluster.read_metadata(SECRET)
    assert [headers["Accept"] for _, _, headers in transport.asked] == [METADATA_ONLY] * 2


GONE: dict[str, Any] = {"kind": "Status", "status": "Success", "details": {"name": "orders-producer", "uid": "1"}}
HELD: dict[str, Any] = {"metadata": {"uid": "1", "deletionTimestamp": "x", "finalizers": ["example.com/held"]}}


@pytest.mark.parametrize(("answer", "reads"), [(GONE, 1), (HELD, 2)], ids=["gone", "held by somebody"])
def test_the_answer_to_the_deletion_of_a_secret_is_as_good_as_one_read(answer: dict[str, Any], reads: int) -> None:
    """Only where it says that the Secret is gone; and by the next read somebody may have made another one."""
    cluster, transport = cluster_of(answer, FOUND, FOUND)
    cluster.delete(SECRET, "1")
    first = cluster.read_metadata(SECRET)
    assert first == (Absent() if answer is GONE else Present(FOUND))
    assert cluster.read_metadata(SECRET) == Present(FOUND)
    assert len(transport.asked) == 1 + reads


@pytest.mark.parametrize("read", ["read", "read_metadata"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (an_answer(404, "NotFound"), reasons.CONFLICT),
        (ApiError(404, b"404 page not found"), reasons.CLUSTER_UNAVAILABLE),
        (an_answer(403, "Forbidden", name="orders"), reasons.ACCESS_DENIED),
        (an_answer(401, "Unauthorized"), reasons.ACCESS_DENIED),
        (an_answer(429, "TooManyRequests"), reasons.CLUSTER_UNAVAILABLE),
        (an_answer(410, "Gone", name="orders"), reasons.CONFLICT),
        (an_answer(503, "ServiceUnavailable"), reasons.CLUSTER_UNAVAILABLE),
        (Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer"), reasons.CLUSTER_UNAVAILABLE),
    ],
    ids=["a kind that is not served", "a path that is not", "no right", "no login", "busy", "too old", "down", "silent"],
)
def test_whatever_does_not_say_that_it_is_gone_leaves_it_unknown(read: str, answer: Exception, reason: str) -> None:
    cluster, _ = cluster_of(answer)
    error = error_of(getattr(cluster, read)(PRODUCT))
    assert (isinstance(error, MeshError), error.reason) == (True, reason)


@pytest.mark.parametrize("read", ["read", "read_metadata"])
def test_only_the_answer_that_names_the_object_says_that_it_is_gone(read: str) -> None:
    cluster, _ = cluster_of(an_answer(404, "NotFound", name="orders"))
    assert getattr(cluster, read)(PRODUCT) == Absent()


@pytest.mark.parametrize(("terminating", "gone"), [(True, True), (None, True), (False, False)])
def test_a_secret_that_may_not_be_seen_is_gone_only_with_its_namespace(terminating: bool | None, gone: bool) -> None:
    cluster, _ = cluster_of(an_answer(403, "Forbidden", name=SECRET.name), terminating=terminating)
    found = cluster.read_metadata(SECRET)
    assert (found == Absent()) == gone
    assert gone or error_of(found).reason == reasons.ACCESS_DENIED


FAILED_TEST = ApiError(422, b'{"kind": "Status", "reason": "Invalid", "message": "the server rejected our request"}')


@pytest.mark.parametrize(
    ("look", "conflict"),
    [
        (FOUND, True),
        ({**FOUND, "metadata": {**FOUND["metadata"], "uid": "2"}}, False),
        (an_answer(404, "NotFound", name="orders"), False),
        (an_answer(503, "ServiceUnavailable"), True),
    ],
    ids=["there, in another version", "of another uid", "gone", "not to be read"],
)
def test_a_bound_status_that_was_not_written_is_a_conflict_unless_nobody_is_there(look: Any, conflict: bool) -> None:
    cluster, _ = cluster_of(FAILED_TEST, look)
    if conflict:
        with pytest.raises(Transient) as caught:
            cluster.write_status(PRODUCT, "1", {}, version="6")
        assert caught.value.reason == reasons.CONFLICT
    else:
        cluster.write_status(PRODUCT, "1", {}, version="6")


def test_a_status_that_is_bound_to_nothing_costs_no_second_look() -> None:
    cluster, transport = cluster_of(FAILED_TEST)
    cluster.write_status(PRODUCT, "1", {})
    assert len(transport.asked) == 1


@pytest.mark.parametrize("hand", ["ours", "a stranger's"])
def test_only_what_goes_without_our_letting_it_go_departs(hand: str) -> None:
    held = {
        **FOUND,
        "kind": "DataProduct",
        "metadata": {**FOUND["metadata"], "namespace": "sales", "finalizers": ["clouddatamesh.dev/finalizer"]},
    }
    gone = {**held, "metadata": {**held["metadata"], "finalizers": [], "deletionTimestamp": "x", "resourceVersion": "8"}}
    cluster, _ = cluster_of(gone)
    cluster._cache.put(held)
    if hand == "ours":
        cluster.write_finalizer(PRODUCT, "1", False)
    else:
        cluster._cache.remove(gone)
    assert (cluster.get(PRODUCT), cluster.departed(PRODUCT) is None) == (None, hand == "ours")


@pytest.mark.parametrize(
    ("answer", "goes"), [(an_answer(404, "NotFound", name="orders"), True), (ApiError(404, b"default backend - 404"), False)]
)
def test_what_was_not_deleted_by_the_api_server_itself_stays_known(answer: ApiError, goes: bool) -> None:
    cluster, _ = cluster_of(answer)
    cluster._cache.put({"kind": PRODUCT.kind, "metadata": {"name": "orders", "namespace": "sales", "uid": "1", "resourceVersion": "2"}})
    with contextlib.nullcontext() if goes else pytest.raises(MeshError):
        cluster.delete(PRODUCT, "1")
    assert (cluster.get(PRODUCT) is None) == goes
