"""The API server's clock against ours: how far apart they may be, and when ours is trusted again."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.client import Client
from clouddatamesh.kube.lists import list_into
from clouddatamesh.kube.skew import LIMIT, Skew
from clouddatamesh.shell.clock import SystemClock
from tests.shell.hand import Hand


class Clocks:
    """Ours, which can be set; a steady one; and the API server's, which is right."""

    def __init__(self) -> None:
        self.steady, self.set_by = Hand(), 0.0
        self.skew = Skew(wall=self.wall, steady=self.steady)

    def wall(self) -> float:
        return 1_800_000_000 + self.steady.time + self.set_by

    def look(self, *, off: float = 0.0, round_trip: float = 0.2) -> bool:
        """A list's answer; whether our clock is then trusted."""
        self.skew.look(formatdate(1_800_000_000 + self.steady.time + off, usegmt=True), round_trip)
        return self.skew.is_trusted()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_nothing_is_trusted_before_the_first_look_and_everything_after_one_that_agrees(clocks: Clocks) -> None:
    assert not clocks.skew.is_trusted()
    assert clocks.skew.describe() == ("the API server's clock has not been seen yet",)
    assert clocks.look()
    assert clocks.skew.describe() == ()
    assert abs(clocks.skew.seconds()) <= 1


@pytest.mark.parametrize(
    ("off", "round_trip", "is_trusted"),
    [
        (LIMIT - 1, 0.0, True),
        (LIMIT + 2, 0.0, False),
        (-LIMIT + 1, 0.0, True),
        (-LIMIT - 2, 0.0, False),
        (LIMIT + 4, 10.0, False),
        (-LIMIT - 4, 10.0, True),
        (-LIMIT - 12, 10.0, False),
    ],
    ids=[
        "a minute behind",
        "more than a minute behind",
        "a minute ahead",
        "more than a minute ahead",
        "behind, which a slow answer makes worse",
        "ahead, if the slow answer was written at its beginning",
        "ahead, however slow the answer",
    ],
)
def test_how_far_apart_they_may_be(clocks: Clocks, off: float, round_trip: float, is_trusted: bool) -> None:
    assert clocks.look(off=off, round_trip=round_trip) == is_trusted


def test_after_a_difference_two_looks_in_a_row_must_agree(clocks: Clocks) -> None:
    assert [clocks.look(off=off) for off in (0, 90, 0, 0, -90, 0, 90, 0, 0)] == [True, False, False, True, False, False, False, False, True]


def test_a_clock_that_is_set_is_not_trusted_from_that_moment_on(clocks: Clocks) -> None:
    clocks.look()
    clocks.set_by = 86_400
    assert not clocks.skew.is_trusted()
    (sentence,) = clocks.skew.describe()
    assert re.fullmatch(r"this machine's clock is 86[34]\d\d s ahead of the API server's; nothing is given or taken by time", sentence)
    assert not clocks.look()
    assert round(clocks.skew.seconds(), -1) == 86_400
    clocks.set_by = 0
    assert not clocks.skew.is_trusted()
    assert not clocks.look()
    assert clocks.look()


def test_a_clock_that_is_behind_is_said_to_be_so(clocks: Clocks) -> None:
    clocks.set_by = -3600
    assert not clocks.look()
    assert "s behind the API server's" in clocks.skew.describe()[0]


def test_time_that_passes_changes_nothing(clocks: Clocks) -> None:
    clocks.look()
    clocks.steady.time += 86_400
    assert clocks.skew.is_trusted()


def test_the_log_has_one_line_when_trust_is_lost_and_one_when_it_is_back(clocks: Clocks, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="clouddatamesh")
    for off in (0, 0, 90, 90, 0, 90, 0, 0, 0):
        clocks.look(off=off)
    lost, back = (record.getMessage() for record in caplog.records)
    assert re.fullmatch(r"ClockSkewed: this machine's clock is \d+ s behind the API server's; nothing is given or taken by time", lost)
    assert back == "This machine's clock agrees with the API server's again"


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_date_is_no_look(clocks: Clocks, date: str | None) -> None:
    clocks.skew.look(date, 0.1)
    assert clocks.skew.describe() == ("the API server's clock has not been seen yet",)
    clocks.look()
    clocks.skew.look(date, 0.1)
    assert clocks.skew.is_trusted()


class Server:
    """An API server with an empty list of everything, whose clock can be off."""

    def __init__(self) -> None:
        self.off = 0.0
        self.http = HTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"metadata": {"resourceVersion": "5"}, "items": []}).encode()
                self.send_response_only(200)
                self.send_header("Date", formatdate(datetime.now(UTC).timestamp() + server.off, usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


def test_each_list_is_a_look_and_other_reads_are_none(server: Server, tmp_path: Path) -> None:
    host = f"http://127.0.0.1:{server.http.server_address[1]}"
    context = {"name": "it", "context": {"cluster": "it", "user": "it"}}
    config = {"clusters": [{"name": "it", "cluster": {"server": host}}], "contexts": [context], "users": [], "current-context": "it"}
    (tmp_path / "kubeconfig").write_text(json.dumps({**config, "users": [{"name": "it", "user": {}}]}))
    skew = Skew()
    client, clock = Client(kubeconfig=tmp_path / "kubeconfig", skew=skew), SystemClock(skew)
    try:
        client.request("GET", "/api/v1/namespaces/a")
        assert not clock.is_trusted()
        for off, is_trusted in ((0, True), (-86_400, False), (0, False), (0, True)):
            server.off = off
            list_into(Cache(), client, "Namespace", labelled=False)
            assert clock.is_trusted() == is_trusted
    finally:
        client.close()
