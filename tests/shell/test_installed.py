"""What `helm test` asks: permissions, a Lease that is renewed, replicas that are ready."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from clouddatamesh.kube.errors import ApiError
from clouddatamesh.shell.installed import find_faults


class Server:
    """An API server that allows all but `refused`, and whose Lease says one renewTime after the other."""

    def __init__(self, renewed: Sequence[str], *, holder: str = "pod-0", refused: str = "") -> None:
        self._renewed, self._holder, self._refused = iter(renewed), holder, refused
        self._last = ""

    def request(self, method: str, path: str, *, body: Any = None, **_: Any) -> dict[str, Any]:
        if path.endswith("selfsubjectaccessreviews"):
            attributes: Mapping[str, str] = body["spec"]["resourceAttributes"]
            return {"status": {"allowed": attributes["resource"] != self._refused}}
        assert (method, path) == ("GET", "/apis/coordination.k8s.io/v1/namespaces/mesh-system/leases/clouddatamesh")
        self._last = next(self._renewed, self._last)
        if self._refused == "leases":
            raise ApiError(403, b"{}")
        if not self._last:
            raise ApiError(404, b'{"details": {"name": "clouddatamesh"}}')
        return {"spec": {"holderIdentity": self._holder, "renewTime": self._last}}


def faults(server: Server, *, url: str = "") -> list[str]:
    return list(find_faults(server, namespace="mesh-system", url=url, wait=lambda _: None))


@pytest.mark.parametrize("renewed", [("1", "2"), ("", "1"), ("1", "1", "2")], ids=["renewed", "made", "taken over"])
def test_a_lease_that_moves_is_no_fault(renewed: Sequence[str]) -> None:
    assert faults(Server(renewed)) == []


@pytest.mark.parametrize(("renewed", "holder"), [(("1",), "pod-0"), ((), "pod-0"), (("1", "2"), "")], ids=["stopped", "absent", "released"])
def test_a_lease_that_nobody_renews_is_a_fault(renewed: Sequence[str], holder: str) -> None:
    (said,) = faults(Server(renewed, holder=holder))
    assert said.startswith("No replica renews the Lease clouddatamesh in mesh-system")


def test_each_missing_permission_is_a_fault_and_keeps_no_other_check_from_being_made() -> None:
    said = faults(Server(("1", "2"), refused="leases"), url="http://127.0.0.1:9/readyz")
    assert "The operator may not get leases.coordination.k8s.io in namespace mesh-system; install the chart's RBAC" in said
    assert len([fault for fault in said if fault.startswith("Reading the Lease")]) == 1
    assert "does not answer" in said[-1]


@pytest.fixture
def pod() -> Iterator[tuple[list[int], str]]:
    """A server of /readyz; the code that it answers can be set."""
    code = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code[0])
            self.end_headers()
            self.wfile.write(b"Domain is not listed yet\nno clock\n")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield code, f"http://127.0.0.1:{server.server_address[1]}/readyz"
        server.shutdown()
        thread.join()


def test_what_speaks_against_being_ready_is_told(pod: tuple[list[int], str]) -> None:
    code, url = pod
    assert faults(Server(("1", "2")), url=url) == []
    code[0] = 503
    assert faults(Server(("1", "2")), url=url) == [f"{url} answers 503: Domain is not listed yet; no clock"]


def test_an_address_that_does_not_answer_is_a_fault() -> None:
    (said,) = faults(Server(("1", "2")), url="http://127.0.0.1:9/readyz")
    assert "does not answer" in said
