"""The API server through `kubectl proxy`: kubectl logs in as the user's kubeconfig says, with its plug-ins, contexts and impersonation.

The proxy listens on a socket in a folder that only this user may open. Nobody else on the machine gets the user's rights.
"""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
import zlib
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from clouddatamesh.cli.arriving import drained, items, texts
from clouddatamesh.cli.errors import Failed
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.transport import JSON
from clouddatamesh.model.objects import Manifest

_START_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 60.0
_NAME: Final = "kubectl-mesh"
_NO_API_SERVER: Final = "What answered is not the API server; check --context and the network"


class _OverSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Kubectl:
    """`with Kubectl(flags) as api:` asks the API server. `flags` are kubectl's own, as `--context`.

    Raises Failed where kubectl is missing or does not start, or where nothing answers.
    """

    def __init__(self, flags: Sequence[str]) -> None:
        self._flags = tuple(flags)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._program = shutil.which("kubectl")
        if self._program is None:
            raise Failed("kubectl is not on the PATH; install it, since it knows how to log in to your cluster")
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mesh-")))
        self._socket, self._log = folder / "api.sock", folder / "log"
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        self._connection = self._stack.enter_context(contextlib.closing(_OverSocket(self._socket)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _start(self) -> None:
        with self._log.open("wb") as log:
            command = [str(self._program), *self._flags, "proxy", f"--unix-socket={self._socket}"]
            proxy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 - kubectl of the PATH
        self._stack.callback(_stop, proxy)
        end = time.monotonic() + _START_SECONDS
        while not self._is_listening():
            if proxy.poll() is not None or time.monotonic() > end:
                raise Failed(self._said() or "kubectl proxy does not start")
            time.sleep(0.005)

    def _is_listening(self) -> bool:
        """The socket is there a moment before anybody listens to it."""
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def _said(self) -> str:
        """The last line of kubectl's own words."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("error: ") if lines else ""

    def ask_kubectl(self, *arguments: str) -> str:
        """The output of another kubectl command with the same flags. Raises Failed with its words."""
        command = [str(self._program), *self._flags, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603 - kubectl of the PATH
        if done.returncode:
            raise Failed(done.stderr.strip().removeprefix("error: ") or f"kubectl {arguments[0]} failed")
        return done.stdout

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer as JSON. Raises ApiError for an answer that is an error, Failed without an answer."""
        sent = {"Accept": JSON, "Content-Type": JSON, "User-Agent": _NAME, **(headers or {})}
        status, data = self._send(method, _url(path, query), json.dumps(body).encode() if body is not None else None, sent)
        if status >= 300:
            raise ApiError(status, data)
        try:
            found = json.loads(data or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Failed(_NO_API_SERVER)
        return found

    def read(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page that is no JSON."""
        return self._send("GET", path, None, {"Accept": "*/*"})

    def page(self, path: str, query: Mapping[str, str]) -> Generator[Manifest, None, str]:
        """The objects of a page as they arrive; returns the token by which the list goes on. Raises as `request` does."""
        try:
            answer = self._ask("GET", _url(path, query), None, {"Accept": JSON, "Accept-Encoding": "gzip", "User-Agent": _NAME})
            arriving = texts(drained(answer.read1), packed=answer.headers.get("Content-Encoding") == "gzip")
            if answer.status >= 300:
                data = "".join(arriving).encode()
                _check_proxy(answer.status, data)
                raise ApiError(answer.status, data)
            return (yield from items(arriving))
        except (OSError, zlib.error, http.client.HTTPException) as error:
            raise _no_answer(error) from error
        except ValueError as error:
            raise Failed(_NO_API_SERVER) from error
        finally:
            self._hang_up()

    def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            answer = self._ask(method, url, body, headers)
            status, data = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise _no_answer(error) from error
        _check_proxy(status, data)
        return status, data

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        self._connection.request(method, url, body=body, headers=dict(headers))
        return self._connection.getresponse()

    def _hang_up(self) -> None:
        """Whoever reads ahead in a thread is woken, and ends."""
        if self._connection.sock:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _check_proxy(status: int, data: bytes) -> None:
    if status == http.client.BAD_GATEWAY and b'"Status"' not in data:
        raise Failed(f"The API server cannot be reached: {data.decode(errors='replace').strip()}; check --context and the network")


def _url(path: str, query: Mapping[str, str] | None) -> str:
    return path + (f"?{urlencode(query)}" if query else "")


def _no_answer(error: Exception) -> Failed:
    return Failed(f"The API server did not answer ({type(error).__name__}); check --context and the network")


class NoCluster(Kubectl):
    """In its place for a command that is told to ask no cluster."""

    def __enter__(self) -> Self:
        return self

    def ask_kubectl(self, *_: str) -> str:
        raise Failed("--offline asks no cluster, so name what it would be asked for", code=2)

    def _ask(self, *_: object) -> http.client.HTTPResponse:
        raise Failed("--offline asks no cluster, so name what it would be asked for", code=2)

    def _hang_up(self) -> None:
        """Nobody is connected."""


def _stop(proxy: subprocess.Popen[bytes]) -> None:
    proxy.terminate()
    try:
        proxy.wait(2)
    except subprocess.TimeoutExpired:
        proxy.kill()
        proxy.wait()
