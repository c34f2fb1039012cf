"""One contract over the Lease in memory and on a real API server, so that the fake cannot lie."""

from typing import Any

import pytest

from clouddatamesh.kube.errors import ApiError
from clouddatamesh.shell.lease import DURATION, KubeLease, Transport
from hack.tools.controlplane import ControlPlane
from tests.shell.hand import Hand
from tests.shell.leases import MemoryApi
from tests.support import rest


class RealApi:
    """A real API server, its refusals in the operator's words."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._api = rest.Api(cluster.kubeconfig)

    def request(self, method: str, path: str, *, body: Any = None) -> dict[str, Any]:
        try:
            return self._api.ask(method, path, body)
        except rest.ApiError as error:
            raise ApiError(error.code, str(error).partition(" ")[2].encode()) from error


@pytest.fixture(params=["memory", "real"])
def api(request: pytest.FixtureRequest) -> Transport:
    if request.param == "memory":
        return MemoryApi()
    cluster: ControlPlane = request.getfixturevalue("control_plane")
    cluster.kubectl("delete", "lease", "clouddatamesh", "-n", "default", "--ignore-not-found")
    return RealApi(cluster)


@pytest.fixture
def clock() -> Hand:
    return Hand()


def lease(api: Transport, identity: str, clock: Hand) -> KubeLease:
    return KubeLease(api, namespace="default", identity=identity, now=clock)


def remove(api: Transport) -> None:
    """As `kubectl delete lease --all` does."""
    api.request("DELETE", "/apis/coordination.k8s.io/v1/namespaces/default/leases/clouddatamesh")


def test_it_is_held_by_one_and_renewed_by_that_one(api: Transport, clock: Hand) -> None:
    one, two = lease(api, "one", clock), lease(api, "two", clock)
    assert [one.hold(), two.hold(), one.hold(), two.hold()] == [True, False, True, False]


def test_it_is_taken_over_once_it_stood_unchanged_for_its_duration(api: Transport, clock: Hand) -> None:
    one, two = lease(api, "one", clock), lease(api, "two", clock)
    one.hold()
    assert not two.hold()
    clock.time += DURATION - 1
    assert not two.hold()
    one.hold()
    clock.time += 2
    assert not two.hold(), "it was renewed meanwhile"
    clock.time += DURATION
    assert two.hold()
    assert not one.hold()


def test_one_that_somebody_deletes_is_made_again_by_its_holder_and_taken_by_another_only_after_its_duration(
    api: Transport, clock: Hand
) -> None:
    """The holder works on until it looks again: whoever saw it renew a moment ago waits for as long as it promised."""
    holder, other = lease(api, "a", clock), lease(api, "b", clock)
    assert holder.hold()
    assert not other.hold()
    remove(api)
    clock.time += DURATION - 0.1
    assert not other.hold()
    assert holder.hold()
    assert not other.hold()
    remove(api)
    clock.time += DURATION
    assert other.hold()


def test_a_successor_of_the_same_name_has_it_at_once(api: Transport, clock: Hand) -> None:
    assert lease(api, "one", clock).hold()
    assert lease(api, "one", clock).hold()


def test_given_back_it_is_free_at_once(api: Transport, clock: Hand) -> None:
    one, two = lease(api, "one", clock), lease(api, "two", clock)
    one.hold()
    two.release()
    assert not two.hold(), "only its holder gives it back"
    one.release()
    assert two.hold()


def test_of_two_at_the_same_moment_one_has_it(api: Transport, clock: Hand) -> None:
    lease(api, "none", clock).hold()
    lease(api, "none", clock).release()

    class Interrupted:
        """Another replica takes the lease between this one's read and its write."""

        def request(self, method: str, path: str, *, body: Any = None) -> dict[str, Any]:
            if method == "PUT":
                assert lease(api, "one", clock).hold()
            return api.request(method, path, body=body)

    assert not lease(Interrupted(), "two", clock).hold()
