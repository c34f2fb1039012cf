"""How `clouddatamesh doctor` reads: page by page, within its time, and with the name of the right that is missing."""

from typing import Any

import pytest

from clouddatamesh.doctor.reading import NotAllowed, OutOfTime, Reader, right_of
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.access import MYSELF, Asked, Need
from clouddatamesh.kube.errors import ApiError
from tests.unit.doctor_scene import Clock, Server

PODS = "/api/v1/namespaces/a/pods"


@pytest.mark.parametrize(
    ("verb", "path", "right"),
    [
        ("list", "/api/v1/namespaces", "list namespaces"),
        ("get", "/api/v1/namespaces/kube-system", "get namespaces kube-system"),
        ("list", PODS, "list pods in namespace a"),
        ("get", f"{PODS}/p:8080/proxy/readyz", "get pods/proxy p in namespace a"),
        ("get", "/apis/apps/v1/namespaces/a/deployments/d", "get deployments.apps d in namespace a"),
        ("list", "/apis/clouddatamesh.dev/v1alpha1/domains", "list domains.clouddatamesh.dev"),
        (
            "get",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/domains.clouddatamesh.dev",
            "get customresourcedefinitions.apiextensions.k8s.io domains.clouddatamesh.dev",
        ),
    ],
)
def test_the_right_that_a_request_needs_is_named(verb: str, path: str, right: str) -> None:
    assert str(right_of(verb, path)) == right


def test_a_collection_is_read_page_by_page_to_its_end() -> None:
    server = Server({PODS: [{"metadata": {"name": str(number)}} for number in range(5)]}, page=2)
    pages = Reader(server, seconds=10).pages(PODS)
    assert next(pages)["metadata"]["name"] == "0"
    assert len(server.asked) == 1, "a second page is asked for when the first was taken in"
    assert len(list(pages)) == 4
    assert len(server.asked) == 3


def test_a_list_that_leads_back_to_itself_ends() -> None:
    server = Server({PODS: [{"metadata": {"name": str(number)}} for number in range(5)]}, repeats=True)
    with pytest.raises(MeshError, match="repeats a page"):
        list(Reader(server, seconds=10).pages(PODS))


def test_what_does_not_exist_is_nothing_and_not_an_error() -> None:
    reader = Reader(Server(), seconds=10)
    assert (reader.get(f"{PODS}/p"), list(reader.pages(PODS)), reader.some(PODS, 3)) == (None, [], ())


def test_no_more_than_the_first_objects_are_asked_for() -> None:
    server = Server({PODS: [{"metadata": {"name": str(number)}} for number in range(5)]}, page=500)
    assert len(Reader(server, seconds=10).some(PODS, 3)) == 3


def test_a_refusal_names_the_permission() -> None:
    server = Server({PODS: 403})
    with pytest.raises(NotAllowed, match=r"^the permission to list pods in namespace a$"):
        list(Reader(server, seconds=10).pages(PODS))


@pytest.mark.parametrize("status", [401, 410, 429, 500, 503])
def test_another_answer_is_no_refusal(status: int) -> None:
    with pytest.raises(MeshError, match="Reading /api/v1"):
        list(Reader(Server({PODS: status}), seconds=10).pages(PODS))


def test_a_review_that_is_refused_names_its_own_permission() -> None:
    server = Server({"/apis/authorization.k8s.io/v1/subjectaccessreviews": 403})
    with pytest.raises(NotAllowed, match=r"create subjectaccessreviews\.authorization\.k8s\.io"):
        Reader(server, seconds=10).is_granted(Need("get", "", "pods"), Asked("somebody"))
    with pytest.raises(MeshError):
        Reader(Server({"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": 500}), seconds=10).is_granted(
            Need("get", "", "pods"), MYSELF
        )


def test_a_page_of_a_pod_may_be_refused_by_the_api_server_but_not_by_the_pod() -> None:
    path = f"{PODS}/p:8080/proxy/readyz"
    server = Server(pages={path: (403, '{"kind":"Status"}')})
    with pytest.raises(NotAllowed, match="get pods/proxy p"):
        Reader(server, seconds=10).page(path)
    server.pages[path] = (403, "the Pod's own words")
    assert Reader(server, seconds=10).page(path) == (403, "the Pod's own words")


def test_nothing_is_asked_once_the_time_has_passed() -> None:
    clock, server = Clock(), Server({PODS: [{"metadata": {"name": str(number)}} for number in range(5)]})
    reader = Reader(server, seconds=10, monotonic=clock.now)
    pages = reader.pages(PODS)
    next(pages)
    clock.wait(10)
    with pytest.raises(OutOfTime, match="10 s of --timeout"):
        list(pages)
    with pytest.raises(OutOfTime):
        reader.page(PODS)
    assert (len(server.asked), reader.left()) == (1, 0.0)


class Gateway(Server):
    """Something in front of the API server that answers some paths by its own page."""

    def __init__(self, *paths: str, served: bool) -> None:
        super().__init__()
        self._paths, self._served = paths, served

    def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:  # noqa: ARG002 - as Server does
        if path in self._paths:
            raise ApiError(404, b"<html>not found</html>")
        if path == "/apis":
            return {"kind": "APIGroupList", "groups": [{"name": "clouddatamesh.dev"}]}
        return {"kind": "APIResourceList", "resources": [{"name": "domains"}] if self._served else []}


DOMAINS = "/apis/clouddatamesh.dev/v1alpha1/domains"


@pytest.mark.parametrize("path", [DOMAINS, f"{DOMAINS}/sales"])
def test_a_page_of_a_gateway_is_no_word_of_the_api_server(path: str) -> None:
    """Users of living requests would be listed as orphaned."""
    reader = Reader(Gateway(path, served=True), seconds=10)
    with pytest.raises(MeshError, match=r"Reading /apis"):
        list(reader.pages(path))
    with pytest.raises(MeshError, match=r"Reading /apis"):
        reader.get(path)


def test_a_kind_that_is_not_served_has_no_objects() -> None:
    assert list(Reader(Gateway(DOMAINS, served=False), seconds=10).pages(DOMAINS)) == []
