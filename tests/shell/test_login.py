"""The session that kopf gets: each watch's answer, what it brings and how it ends are told, and nothing of it is changed."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from clouddatamesh.kube import bounded
from clouddatamesh.kube.patience import Patience
from clouddatamesh.shell import login
from clouddatamesh.shell.login import Listener
from clouddatamesh.shell.streams import SILENT, Streams
from tests.shell.hand import Hand

BOOKMARK = b'{"type":"BOOKMARK","object":{"kind":"Domain","metadata":{"resourceVersion":"42"}}}\n'
EVENT = b'{"type":"ADDED","object":{"kind":"Domain","metadata":{"name":"a","resourceVersion":"7"}}}\n'
WATCH = "/apis/clouddatamesh.dev/v1alpha1/domains?watch=true"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class World:
    """A server that answers as told, a session with the listener, and what the streams say."""

    def __init__(self, answer: Answer) -> None:
        self.clock = Hand()
        self.streams = Streams(("Domain",), now=self.clock)
        self.patience = Patience()
        self._answer = answer

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            listener = Listener(self.streams, ("Domain",), self.patience)
            async with aiohttp.ClientSession(f"http://{host}:{port}", middlewares=(listener,), response_class=login.Answer) as session:
                yield session
        finally:
            await runner.cleanup()


def sending(*chunks: bytes, code: int = 200, then: float = 0.0) -> Answer:
    """An answer of these chunks that stays open for some seconds."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=code)
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        await asyncio.sleep(then)
        return response

    return answer


async def read(world: World, path: str) -> bytes:
    async with world.session() as session, session.get(path) as answer:
        return b"".join([chunk async for chunk in answer.content.iter_chunked(1024)])


FORGED = b'{"type":"BOOKMARK","url":"x"}],"tags":{"resourceVersion":"99"}}}\n'


@pytest.mark.parametrize("chunks", [[EVENT[:-1] + FORGED], [EVENT[:-1], FORGED]], ids=["in one chunk", "at the beginning of a chunk"])
def test_the_text_of_an_object_is_no_bookmark(chunks: list[bytes]) -> None:
    world = World(sending(*chunks))
    asyncio.run(read(world, WATCH))
    assert world.streams.delivered("Domain") == 0


def test_a_bookmark_after_an_event_is_taken_in() -> None:
    world = World(sending(EVENT, BOOKMARK))
    asyncio.run(read(world, WATCH))
    assert world.streams.delivered("Domain") == 42


def test_a_watch_is_told_and_passed_on_unchanged() -> None:
    world = World(sending(EVENT, BOOKMARK))
    assert world.streams.describe() == ("the watch of Domain has not begun",)
    assert asyncio.run(read(world, WATCH)) == EVENT + BOOKMARK
    assert world.streams.describe() == ()
    world.streams.expect("Domain", 42)
    world.clock.time += SILENT
    assert world.streams.describe() == (), "the bookmark's version is not taken in"


def test_lists_other_kinds_and_refusals_are_no_watches() -> None:
    for path, code in ((WATCH.replace("?watch=true", "?limit=500"), 200), ("/api/v1/pods?watch=true", 200), (WATCH, 403)):
        world = World(sending(b"{}", code=code))
        asyncio.run(read(world, path))
        assert world.streams.describe() == ("the watch of Domain has not begun",)


def test_a_stream_that_is_given_up_after_silence_is_barren() -> None:
    world = World(sending(BOOKMARK, then=30))

    async def give_up() -> None:
        async with world.session() as session, session.get(WATCH) as answer:
            async for _ in answer.content.iter_chunked(1024):
                world.clock.time += 70
                break
            try:
                async with asyncio.timeout(0.1):
                    async for _ in answer.content.iter_chunked(1024):
                        raise AssertionError("nothing more was to come")
            except TimeoutError:
                pass

    asyncio.run(give_up())
    world.streams.open("Domain")
    world.clock.time += SILENT - 70 + 1
    assert world.streams.describe() == (f"the watch of Domain has brought nothing for {SILENT + 1:.0f} s",)


DEEP = b'{"type":"ADDED","object":{"kind":"Domain","metadata":{"name":"b"},"params":' + b"[" * 5000 + b"]" * 5000 + b"}}\n"


def test_an_object_that_nobody_can_read_hides_no_other_in_a_watch() -> None:
    world = World(sending(EVENT + DEEP[:3000], DEEP[3000:], BOOKMARK))
    lines = asyncio.run(read(world, WATCH)).splitlines()
    assert [json.loads(line)["object"]["metadata"].get("name") for line in lines] == ["a", "b", None]
    assert lines[0] + b"\n" == EVENT


def test_nor_in_a_list() -> None:
    body = b'{"items":[' + EVENT[:-1] + b"," + DEEP[:-1] + b"]}"

    async def names() -> list[str]:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=body, content_type="application/json")

        async with World(answer).session() as session, session.get(WATCH.partition("?")[0]) as found:
            return [item["object"]["metadata"]["name"] for item in (await found.json())["items"]]

    assert asyncio.run(names()) == ["a", "b"]
    with pytest.raises(RecursionError):
        json.loads(body)
    assert bounded.read_json(body)["items"][0] == json.loads(EVENT)
