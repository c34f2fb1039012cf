"""Probes and metrics, as functions and over HTTP."""

import socket
import urllib.error
import urllib.request

import pytest

from clouddatamesh.shell.health import Checks, HealthServer, Pulse, answer, find_stuck


def checks(*against: str) -> Checks:
    return Checks(alive=lambda: (), ready=lambda: against, metrics=lambda: b"workqueue_depth 0\n")


@pytest.mark.parametrize(
    ("path", "code", "body"),
    [
        ("/healthz", 200, "ok"),
        ("/readyz", 503, "Domain is not listed yet"),
        ("/metrics", 200, "workqueue_depth 0"),
        ("/", 404, "not found"),
    ],
)
def test_answers(path: str, code: int, body: str) -> None:
    found = answer(path, checks("Domain is not listed yet"))
    assert (found[0], found[1].decode().strip()) == (code, body)


@pytest.mark.parametrize(
    ("pulse", "sentences"),
    [
        (Pulse(), ()),
        (Pulse(longest=600, stalled=600, unlisted=3600), ()),
        (Pulse(longest=601), ("a reconciliation has run for 601 s",)),
        (Pulse(stalled=601), ("due keys have found no worker for 601 s",)),
        (Pulse(unlisted=3601), ("no list has succeeded for 3601 s",)),
        (Pulse(ended=("watcher", "resync")), ("the watcher has ended", "the resync has ended")),
    ],
    ids=["all is well", "as long as is allowed", "a reconciliation hangs", "no worker takes", "nothing is listed", "threads ended"],
)
def test_what_speaks_against_being_alive(pulse: Pulse, sentences: tuple[str, ...]) -> None:
    assert find_stuck(pulse) == sentences


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", pytest.param("[::1]", marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="the kernel has no IPv6"))],
)
def test_over_http_on_either_family_of_addresses(address: str) -> None:
    server = HealthServer(0, checks())
    server.start()
    try:
        with urllib.request.urlopen(f"http://{address}:{server.port}/readyz", timeout=5) as found:
            assert found.read() == b"ok\n"
    finally:
        server.stop()
