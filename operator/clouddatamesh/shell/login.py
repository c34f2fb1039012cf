"""kopf's HTTP session, made here so that each watch's answer can be listened to as it comes in. It changes nothing of what passes, except
what is too deep or too large to be read, and lets no request pass before the time that the API server asked for.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final, cast

import aiohttp
import kopf
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, StreamReader

from clouddatamesh.kube.bounded import cut_down, read_json
from clouddatamesh.kube.patience import Patience
from clouddatamesh.kube.resources import collection
from clouddatamesh.shell.streams import Streams

_BOOKMARK: Final = b'\n{"type":"BOOKMARK"'
"""At the beginning of a line: no text within an object holds a line feed that is not escaped."""
_VERSION: Final = re.compile(rb'"resourceVersion":"(\d+)"')


class Login:
    """Of one run of kopf: the `kubernetes` client's credentials in a session of ours.

    The same credentials are given once: kopf asks again where they were refused, and would do so without a pause. It ends then.
    """

    def __init__(self, streams: Streams, kinds: tuple[str, ...], patience: Patience) -> None:
        self._listener = Listener(streams, kinds, patience)
        self._given: kopf.ConnectionInfo | None = None

    async def log_in(self, **given: Any) -> kopf.AiohttpSession | None:
        """kopf's login handler; None where there are no credentials, or only those that were given before."""
        info = kopf.login_via_client(**given)
        if info is None or info == self._given:
            return None
        self._given = info
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            proxy=info.proxy_url,
            trust_env=bool(info.trust_env),
            middlewares=(self._listener,),
            response_class=Answer,
        )
        return kopf.AiohttpSession(server=info.server, default_namespace=info.default_namespace, aiohttp_session=session)


class Answer(ClientResponse):
    """One whose JSON has its bounds; kopf reads lists by it."""

    async def json(self, **how: Any) -> Any:
        return await super().json(**{**how, "loads": lambda text: read_json(text.encode())})


class Listener:
    """An aiohttp middleware that tells `streams` of each watch that is answered, and of what it brings."""

    def __init__(self, streams: Streams, kinds: tuple[str, ...], patience: Patience) -> None:
        self._streams, self._patience = streams, patience
        self._kinds: Mapping[str, str] = {collection(kind): kind for kind in kinds}

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        while left := self._patience.left():
            await asyncio.sleep(left)
        answer = await handler(request)
        self._patience.heed(answer.status, answer.headers)
        kind = self._kinds.get(request.url.path)
        if kind and request.url.query.get("watch") == "true" and answer.status == 200:
            self._streams.open(kind)
            answer.content = cast(StreamReader, _Tap(answer.content, self._streams, kind))
        return answer


class _Tap:
    """The body of a watch's answer; what is not about chunks is the body's own."""

    def __init__(self, body: StreamReader, streams: Streams, kind: str) -> None:
        self._body, self._streams, self._kind = body, streams, kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """In whole lines, of which each is an event."""
        torn = b""
        async with contextlib.aclosing(self._chunks(size)) as chunks:
            async for chunk in chunks:
                *lines, torn = (torn + chunk).split(b"\n")
                if lines:
                    yield b"".join(cut_down(line) + b"\n" for line in lines)
        yield torn

    async def _chunks(self, size: int) -> AsyncGenerator[bytes, None]:
        by_server, before = False, b"\n"
        try:
            async for chunk in self._body.iter_chunked(size):
                self._streams.hear(self._kind, bookmark=_bookmark_in(before + chunk))
                before = b"\n" if chunk.endswith(b"\n") else b""
                yield chunk
            by_server = True
        except aiohttp.ClientError:
            by_server = True
            raise
        finally:
            self._streams.close(self._kind, by_server=by_server)


def _bookmark_in(chunk: bytes) -> int:
    """The version of the last bookmark in a chunk; 0 where there is none, or where it was torn apart."""
    _, found, rest = chunk.rpartition(_BOOKMARK)
    version = _VERSION.search(rest.partition(b"\n")[0]) if found else None
    return int(version[1]) if version else 0
