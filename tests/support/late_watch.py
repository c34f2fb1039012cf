"""The API server with watches that can be held back, as a slow stream does: lists, reads and writes pass, news of some kinds does not."""

import asyncio
import contextlib
import re
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import yaml

from hack.tools.controlplane import ControlPlane

_REQUEST = re.compile(rb"^[A-Z]+ (\S+) HTTP/1\.1\r\n")
_LOOK = 0.05


class LateWatch:
    """`with LateWatch(cluster) as late:` has the cluster's kubeconfig lead through here; `hold("namespaces")` until `release()`."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._cluster = cluster
        target = urlsplit(cluster.endpoint.server)
        self._target = (target.hostname or "127.0.0.1", target.port or 443)
        self._held: tuple[bytes, ...] = ()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.Task[None]] = set()
        tls = cluster.endpoint.ca.parent
        self._front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._front.load_cert_chain(tls / "apiserver.crt", tls / "apiserver.key")
        self._back = ssl.create_default_context(cafile=str(cluster.endpoint.ca))
        self._thread = threading.Thread(target=self._loop.run_forever, name="late-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        port = self._server.sockets[0].getsockname()[1]
        self._cluster.kubeconfig = self._write_kubeconfig(self._cluster.kubeconfig, port)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hold(self, *plurals: str) -> None:
        """No event of these kinds arrives from now on."""
        self._held = tuple(plural.encode() for plural in plurals)

    def release(self) -> None:
        self._held = ()

    def _write_kubeconfig(self, kubeconfig: Path, port: int) -> Path:
        config = yaml.safe_load(kubeconfig.read_text())
        for entry in config["clusters"]:
            entry["cluster"]["server"] = f"https://127.0.0.1:{port}"
        path = self._cluster.dir / "late.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
        return path

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._front)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for stream in tuple(self._streams):
            stream.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            with contextlib.suppress(OSError):
                await self._relay(reader, writer)
        except asyncio.CancelledError:
            return
        finally:
            self._streams.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both ways, until either side ends."""
        answers, questions = await asyncio.open_connection(*self._target, ssl=self._back)
        asked = _Asked()
        ways = [asyncio.ensure_future(self._ask(reader, questions, asked)), asyncio.ensure_future(self._answer(answers, writer, asked))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            questions.transport.abort()

    async def _ask(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asked: "_Asked") -> None:
        while data := await source.read(65536):
            asked.note(data)
            sink.write(data)
            await sink.drain()

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, asked: "_Asked") -> None:
        while data := await source.read(65536):
            while asked.is_watch_of(self._held):
                await asyncio.sleep(_LOOK)
            sink.write(data)
            await sink.drain()


class _Asked:
    """The request that a connection is busy with."""

    def __init__(self) -> None:
        self._path = b""

    def note(self, data: bytes) -> None:
        if found := _REQUEST.match(data):
            self._path = found[1]

    def is_watch_of(self, plurals: tuple[bytes, ...]) -> bool:
        path, _, query = self._path.partition(b"?")
        return b"watch=" in query and path.rsplit(b"/", 1)[-1] in plurals
