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
from kopf._cogs.structs.references import Resource

from clouddatamesh.kube.cache import Cache
from clouddatamesh.kube.patience import Patience
from clouddatamesh.kube.resources import RESOURCES
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


def test_kopf_copies_no_object_for_a_diff_that_nobody_asks_for() -> None:
    essence = build_settings().persistence.diffbase_storage
    assert (essence.build(body=kopf.Body({"spec": {"a": 1}})), essence.fetch(body=kopf.Body({}))) == ({}, None)


def test_every_watched_kind_has_one_handler_and_nothing_else_is_asked_of_kopf() -> None:
    registry = build_registry(Cache(), Streams(WATCHED), Patience())
    assert len(registry._watching.get_all_handlers()) == len(WATCHED)
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()
    assert not registry._indexing.get_all_handlers()


async def _lives(streams: Streams, clock: Hand, watched: tuple[str, ...], seconds: tuple[float, ...]) -> list[bool]:
    """Whether a run was told to end after each of so many seconds, with kopf's tasks for some kinds."""
    told, stop, found = asyncio.Event(), threading.Event(), []
    tasks = [asyncio.create_task(asyncio.sleep(60), name=f"watcher for {watches._name_of(kind)}@None") for kind in watched]
    waiter = asyncio.create_task(watches._pass_on(stop, told, streams))
    await asyncio.sleep(0.05)
    for more in seconds:
        clock.time += more
        await asyncio.sleep(0.05)
        found.append(told.is_set())
    stop.set()
    await waiter
    for task in tasks:
        task.cancel()
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_STOP_POLL", 0.005)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("watched", "ends"), [(WATCHED, False), (WATCHED[1:], True), ((), False)], ids=["all", "all but one", "none yet"])
def test_a_run_in_which_kopf_was_not_told_of_a_kind_ends(watched: tuple[str, ...], ends: bool) -> None:
    """kopf asks once which kinds are served. How long the API server takes to answer a watch does not count: large lists take minutes."""
    clock = Hand()
    assert asyncio.run(_lives(Streams(WATCHED, now=clock), clock, watched, (55, 10))) == [False, ends]


@pytest.mark.usefixtures("quick")
def test_runs_without_a_kind_that_is_never_served_get_longer() -> None:
    """Each beginning lists everything, and the other kinds are not watched for a moment."""
    clock = Hand()
    streams = Streams(WATCHED, now=clock)
    ends = [asyncio.run(_lives(streams, clock, WATCHED[1:], (55, 10, 60, 120))).index(True) for _ in range(3)]
    assert ends == [1, 2, 3]
    assert asyncio.run(_lives(streams, clock, WATCHED, (1000,))) == [False]
    assert streams.lacked == 0


@pytest.mark.parametrize("kind", ["Namespace", "DataProduct", "RoleBinding"])
def test_kopf_names_its_tasks_as_they_are_looked_for(kind: str) -> None:
    group, _, version = RESOURCES[kind].api_version.rpartition("/")
    resource = Resource(group=group, version=version, plural=RESOURCES[kind].plural)
    assert f"watcher for {resource}" == watches._WATCHER + watches._name_of(kind)


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
