"""Retry-After: no request is sent before the time that the API server asked for, whoever of those who share it would send one."""

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.client import Client, Manner
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.patience import LONGEST, Patience
from tests.shell.hand import Hand
from tests.shell.test_login import WATCH, World, read
from tests.unit.test_kube_client import Served, served, write_config

__all__ = ["served"]
NOON, LATER = "Thu, 26 Nov 2026 12:00:00 GMT", "Thu, 26 Nov 2026 12:00:07 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "left"),
    [
        (429, {"Retry-After": "3"}, 3.0),
        (503, {"Retry-After": "1.5"}, 1.5),
        (504, {"Retry-After": "1"}, 1.0),
        (503, {"Retry-After": LATER, "Date": NOON}, 7.0),
        (503, {"Retry-After": NOON, "Date": LATER}, 0.0),
        (503, {"Retry-After": LATER}, 0.0),
        (503, {"Retry-After": "86400"}, LONGEST),
        (503, {"Retry-After": "-1"}, 0.0),
        (503, {"Retry-After": "soon"}, 0.0),
        (503, {"Retry-After": "nan"}, 0.0),
        (503, {"Retry-After": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT", "Date": NOON}, 0.0),
        (429, {}, 0.0),
        (201, {"Retry-After": "3"}, 0.0),
    ],
)
def test_what_an_answer_asks_for(status: int, headers: dict[str, str], left: float) -> None:
    patience = Patience(now=Hand())
    patience.heed(status, headers)
    assert patience.left() == left


def test_the_longest_of_several_counts_and_passes() -> None:
    clock = Hand()
    patience = Patience(now=clock)
    for asked in ("5", "2"):
        patience.heed(429, {"Retry-After": asked})
    clock.time += 4.0
    assert patience.left() == 1.0
    clock.time += 1.0
    assert patience.left() == 0.0


def test_a_short_wait_is_waited_for_and_of_a_long_one_the_caller_is_told(served: Served, tmp_path: Path) -> None:
    patience, gates = Patience(), []
    config = write_config(tmp_path, port=served.port)
    client = Client(kubeconfig=config, manner=Manner(gate=lambda: gates.append(patience.left()), patience=patience))
    began = time.monotonic()
    patience.heed(429, {"Retry-After": "0.2"})
    client.request("PATCH", "/a", body={})
    assert time.monotonic() - began >= 0.2
    assert gates == [0.0], "whoever waited may have lost the Lease meanwhile"
    patience.heed(429, {"Retry-After": "30"})
    with pytest.raises(Transient, match="Retry-After") as caught:
        client.request("GET", "/a")
    assert caught.value.reason == reasons.CLUSTER_UNAVAILABLE
    assert len(served.seen) == 1
    client.close()


def test_a_caller_waits_for_no_longer_than_once_though_others_are_told_to_wait_again_and_again(served: Served, tmp_path: Path) -> None:
    class Renewed(Patience):
        """Each time that it is over, another answer asks for the same again."""

        def left(self) -> float:
            return 0.3

    client = Client(kubeconfig=write_config(tmp_path, port=served.port), manner=Manner(patience=Renewed()))
    began = time.monotonic()
    with pytest.raises(Transient, match="Retry-After"):
        client.request("GET", "/a")
    assert time.monotonic() - began < 20.0
    client.close()


def test_an_answer_is_heeded_by_all_clients_that_share_it(tmp_path: Path, served: Served) -> None:
    patience = Patience()
    one, two = (Client(kubeconfig=write_config(tmp_path, port=served.port), manner=Manner(patience=patience)) for _ in range(2))
    served.status, served.headers = 503, {"Retry-After": "30"}
    with pytest.raises(ApiError):
        one.request("GET", "/a")
    with pytest.raises(Transient):
        two.request("GET", "/b")
    assert [seen["path"] for seen in served.seen] == ["/a"]
    for client in (one, two):
        client.close()


@pytest.mark.parametrize(
    "said",
    [
        {"message": 'admission webhook "freeze.example.com" denied the request: the mesh is frozen', "details": {"retryAfterSeconds": 300}},
        {"message": "it is busy", "details": {"name": "orders", "kind": "dataproducts", "retryAfterSeconds": 300}},
    ],
    ids=["a webhook's refusal", "about one object"],
)
def test_what_is_said_of_one_object_keeps_no_other_waiting(tmp_path: Path, served: Served, said: dict[str, Any]) -> None:
    client = Client(kubeconfig=write_config(tmp_path, port=served.port), manner=Manner(patience=Patience()))
    served.status, served.headers = 429, {"Retry-After": "300"}
    served.body = json.dumps({"kind": "Status", "reason": "TooManyRequests", **said}).encode()
    for _ in range(2):
        with pytest.raises(ApiError):
            client.request("PATCH", "/a", body={})
    assert len(served.seen) == 2
    client.close()


def test_watches_wait_too_and_are_heard() -> None:
    asked: list[float] = []

    async def throttle(_: web.Request) -> web.StreamResponse:
        asked.append(time.monotonic())
        return web.Response(status=429, headers={"Retry-After": "0.3"})

    world = World(throttle)
    for _ in range(2):
        asyncio.run(read(world, WATCH))
    assert asked[1] - asked[0] >= 0.3


def test_it_is_shared_by_threads() -> None:
    clock = Hand()
    patience = Patience(now=clock)
    threads = [threading.Thread(target=patience.heed, args=(429, {"Retry-After": str(n)})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert patience.left() == 19.0
