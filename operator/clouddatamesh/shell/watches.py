"""kopf's part: it logs in, watches every kind and tells us of each event. Here the object is cached, and nothing is decided."""

import asyncio
import logging
import random
import threading
from collections.abc import Iterator
from typing import Any, Final

import kopf
import uvloop

from clouddatamesh.kube.cache import Cache, version_of
from clouddatamesh.kube.lists import LABEL_SELECTOR, PAGE
from clouddatamesh.kube.patience import Patience
from clouddatamesh.kube.resources import RESOURCES
from clouddatamesh.reconcile.dispatch import LABELLED, WATCHED
from clouddatamesh.shell.login import Login
from clouddatamesh.shell.streams import SERVED, Streams

_log = logging.getLogger(__name__)
_IDENTITY: Final[Any] = "clouddatamesh"
"""Of kopf's peering, which is off. Left to itself kopf asks for the user's name, and a container's user often has none."""

_STOP_POLL: Final = 0.2
_LONGEST: Final = 8.0
_BEGUN, _LATEST = 60.0, 3600.0
"""Seconds after which kopf must watch every kind, once it watches any; twice as many in each run that follows one which did not."""
_WATCHER: Final = "watcher for "
"""How kopf's names of the tasks begin that watch a kind, and then `plural.version.group@namespace`."""


class NoEssence(kopf.DiffBaseStorage):
    """Handlers of events alone need no diff, and kopf would copy each object for one."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        """Nothing is kept on the objects."""


class ErrorBackoffs:
    """Seconds between attempts at the API server: growing, capped, jittered, without end; iterated again for each request.

    The cap is how long an API server may be back before its events arrive.
    """

    def __iter__(self) -> Iterator[float]:
        seconds = 0.25
        while True:
            yield seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            seconds = min(seconds * 2, _LONGEST)


def build_settings() -> kopf.OperatorSettings:
    """kopf as a pure watcher: it posts, patches and peers nothing, and never gives up."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoEssence()
    settings.watching.chunk_size = PAGE
    settings.watching.server_timeout = SERVED
    settings.watching.inactivity_timeout = 70
    settings.watching.connect_timeout = 5
    for kind in LABELLED:
        resource = RESOURCES[kind]
        group = resource.api_version.rpartition("/")[0]
        settings.watching.label_selectors[group, resource.plural] = LABEL_SELECTOR
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.enforce_retry_after = True
    settings.networking.error_backoffs = ErrorBackoffs()
    settings.queueing.idle_timeout = 0.1
    settings.queueing.worker_limit = 200
    settings.process.ultimate_exiting_timeout = 25
    return settings


def build_registry(cache: Cache, streams: Streams, patience: Patience) -> kopf.OperatorRegistry:
    """One handler for every watched kind."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(Login(streams, WATCHED, patience).log_in)
    kopf.on.cleanup(registry=registry)(_end_watchers)
    for kind in WATCHED:
        resource = RESOURCES[kind]
        group, _, version = resource.api_version.rpartition("/")
        kopf.on.event(group, version, resource.plural, registry=registry)(_handler(cache, streams, kind))
    return registry


def _handler(cache: Cache, streams: Streams, kind: str) -> Any:
    api_version = RESOURCES[kind].api_version

    async def take_in(event: Any, **_: Any) -> None:
        manifest = {"apiVersion": api_version, "kind": kind, **event["object"]}
        streams.deliver(kind, version_of(manifest))
        if event["type"] == "DELETED":
            cache.remove(manifest)
        else:
            cache.put(manifest)

    return take_in


async def _end_watchers(**_: Any) -> None:
    """kopf leaves the other watchers behind where one failed, and later ends each in a way that one which waits for an answer
    outlives; half a minute after that it kills this process.
    """
    for task in asyncio.all_tasks():
        if task.get_name().startswith(_WATCHER):
            task.cancel()


def run_kopf(cache: Cache, streams: Streams, patience: Patience, stop: threading.Event) -> None:
    """Watch until told to stop, or until kopf gives up."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch(build_registry(cache, streams, patience), streams, stop))


async def _watch(registry: kopf.OperatorRegistry, streams: Streams, stop: threading.Event) -> None:
    told = asyncio.Event()
    waiter = asyncio.create_task(_pass_on(stop, told, streams))
    try:
        await kopf.operator(
            registry=registry, settings=build_settings(), identity=_IDENTITY, clusterwide=True, standalone=True, stop_flag=told
        )
    finally:
        waiter.cancel()


async def _pass_on(stop: threading.Event, told: asyncio.Event, streams: Streams) -> None:
    """kopf would leave the waiting to a thread, and a loop whose kopf gave up would wait for that thread without end.

    It asks once which kinds are served, and never watches one that the API server did not know at that moment, unless its definition
    changes: then it ends, and another run begins. A watch that only takes long to be answered is waited for.
    """
    began = streams.now()
    while not stop.is_set():
        await asyncio.sleep(_STOP_POLL)
        if streams.now() - began <= min(_BEGUN * 2**streams.lacked, _LATEST):
            continue
        if lacking := _unwatched():
            streams.lacked += 1
            _log.warning("kopf does not watch %s, which it was not told of; watching begins once more", ", ".join(lacking))
            break
        streams.lacked = 0
    told.set()


def _unwatched() -> tuple[str, ...]:
    """Kinds that no task of kopf watches; none before it has the first one, as that comes when it knows what is served."""
    names = (task.get_name() for task in asyncio.all_tasks())
    watched = {name.removeprefix(_WATCHER).partition("@")[0] for name in names if name.startswith(_WATCHER)}
    return tuple(kind for kind in WATCHED if _name_of(kind) not in watched) if watched else ()


def _name_of(kind: str) -> str:
    """As kopf calls it."""
    group, _, version = RESOURCES[kind].api_version.rpartition("/")
    return f"{RESOURCES[kind].plural}.{version}.{group}".rstrip(".")
