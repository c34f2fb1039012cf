"""kopf as a pure watcher: its settings, its registry, and what its one handler does."""

import asyncio
import getpass
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import kopf
import pytest

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.patience import Patience
from clouddatamesh.model.objects import Key
from clouddatamesh.reconcile.dispatch import LABELLED, WATCHED
from clouddatamesh.shell import watches
from clouddatamesh.shell.streams import Streams
from clouddatamesh.shell.watches import ErrorBackoffs, build_registry, build_settings
from tests.shell.hand import Hand


def test_backoffs_grow_up_to_a_limit_without_end_and_anew_for_each_request() -> None:
    backoffs = ErrorBackoffs()
    waits = list(itertools.islice(backoffs, 50))
    assert 0.2 <= waits[0] <= 0.3
    assert 6 <= min(waits[10:]) <= max(waits) <= 10
    assert next(iter(backoffs)) <= 0.3


def test_kopf_posts_nothing_and_sees_only_children_of_ours() -> None:
    settings = build_settings()
    assert settings.peering.standalone
    assert not settings.posting.enabled
    assert len(settings.watching.label_selectors) == len(LABELLED)


def test_every_watched_kind_has_one_handler_and_nothing_else_is_asked_of_kopf() -> None:
    registry = build_registry(Cache(), Streams(WATCHED), Patience())
    assert len(registry._watching.get_all_handlers()) == len(WATCHED)
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()
    assert not registry._indexing.get_all_handlers()


@pytest.mark.parametrize("answered", [WATCHED, WATCHED[1:]], ids=["all", "all but one"])
def test_a_run_that_never_watches_a_kind_ends_and_one_that_watches_all_goes_on(answered: tuple[str, ...]) -> None:
    """kopf asks once which kinds are served."""
    clock, stop = Hand(), threading.Event()
    streams = Streams(WATCHED, now=clock)
    for kind in WATCHED:
        streams.open(kind)  # of a former run
    clock.time += 1

    async def run() -> list[bool]:
        told, found = asyncio.Event(), []
        waiter = asyncio.create_task(watches._pass_on(stop, told, streams))
        await asyncio.sleep(0.1)
        clock.time += 1
        for kind in answered:
            streams.open(kind)
        for seconds in (55, 10):
            clock.time += seconds
            await asyncio.sleep(0.5)
            found.append(told.is_set())
        stop.set()
        await waiter
        return found

    assert asyncio.run(run()) == [False, answered != WATCHED]


def test_an_event_is_cached_and_a_deletion_forgotten() -> None:
    cache = Cache()
    streams = Streams(WATCHED)
    handler = watches._handler(cache, streams, "Namespace")
    body = {"metadata": {"name": "a", "uid": "1", "resourceVersion": "5"}}
    asyncio.run(handler(event={"type": None, "object": body}))
    assert cache.get(Key("Namespace", "", "a")) is not None
    streams.expect("Namespace", 5)
    assert not streams._streams["Namespace"].awaited
    gone = {"metadata": {**body["metadata"], "resourceVersion": "6"}}
    asyncio.run(handler(event={"type": "DELETED", "object": gone}))
    assert cache.get(Key("Namespace", "", "a")) is None


def test_kopf_does_not_ask_for_the_name_of_a_user_that_may_have_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A container's user need not be in /etc/passwd, nor need it have a home."""

    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    watches.run_kopf(Cache(), Streams(WATCHED), Patience(), stop)
    assert "getpwuid" not in caplog.text


class Refusing(BaseHTTPRequestHandler):
    """An API server that knows nobody."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response_only(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
        pass


def test_refused_credentials_end_the_watcher_and_are_not_tried_without_a_pause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_address[1]}"
    context = {"name": "it", "context": {"cluster": "it", "user": "it"}}
    config = {"clusters": [{"name": "it", "cluster": {"server": host}}], "contexts": [context], "current-context": "it"}
    (tmp_path / "kubeconfig").write_text(json.dumps({**config, "users": [{"name": "it", "user": {"token": "old"}}]}))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    try:
        with pytest.raises(kopf.LoginError):
            watches.run_kopf(Cache(), Streams(WATCHED), Patience(), threading.Event())
    finally:
        server.shutdown()
        server.server_close()
    assert 0 < len(Refusing.seen) < 20
