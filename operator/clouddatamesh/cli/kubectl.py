"""The API server through `kubectl proxy`: kubectl logs in as the user's kubeconfig says, with its plug-ins, contexts and impersonation.

The proxy listens on a socket in a folder that only this user may open. Nobody else on the machine gets the user's rights.
"""

import contextlib
import gzip
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from clouddatamesh.cli.errors import Failed
from clouddatamesh.kube.errors import ApiError

_START_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 60.0
_METADATA: Final = b'"metadata":{'
_TAIL: Final = 16_384
"""Bytes at the end of a page within which the API server says how to go on: metadata comes after the items."""


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
        self._asked = ""

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
        sent = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "kubectl-mesh", **(headers or {})}
        ask = partial(self._ask, method, body=json.dumps(body).encode() if body is not None else None, headers=sent)
        url = _url(path, query)
        status, data = self._answer(url, ask)
        if status >= 300:
            raise ApiError(status, data)
        if method == "GET" and "continue" in (query or {}) and (token := _continuation(data)):
            self._ask_ahead(_url(path, {**(query or {}), "continue": token}), ask)
        try:
            found = json.loads(data or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Failed("What answered is not the API server; check --context and the network")
        return found

    def read(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page that is no JSON."""
        return self._answer(path, partial(self._ask, "GET", body=None, headers={"Accept": "*/*"}))

    def _ask(self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str]) -> None:
        self._connection.request(method, url, body=body, headers={"Accept-Encoding": "gzip", **headers})

    def _ask_ahead(self, url: str, ask: Callable[[str], None]) -> None:
        """Whoever asked for a second page asks for the third as well: the server works on it while this one is decoded and shown."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            ask(url)
            self._asked = url

    def _answer(self, url: str, ask: Callable[[str], None]) -> tuple[int, bytes]:
        asked, self._asked = self._asked, ""
        try:
            if asked != url:
                if asked:
                    self._connection.close()
                ask(url)
            answer = self._connection.getresponse()
            status, data = answer.status, answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
            self._connection.close()
            raise Failed(f"The API server did not answer ({type(error).__name__}); check --context and the network") from error
        if status == http.client.BAD_GATEWAY and b'"Status"' not in data:
            raise Failed(f"The API server cannot be reached: {data.decode(errors='replace').strip()}; check --context and the network")
        return status, data


def _url(path: str, query: Mapping[str, str] | None) -> str:
    return path + (f"?{urlencode(query)}" if query else "")


def _continuation(page: bytes) -> str:
    """How a page says to go on, read without its items; empty where it cannot be seen so, as where metadata comes first.

    Inside of a text the quotes of `"metadata":{` would be escaped: no tenant can write it.
    """
    start = page.rfind(_METADATA, len(page) - _TAIL)
    try:
        return str(json.loads(page[start + len(_METADATA) - 1 :].rstrip()[:-1]).get("continue") or "") if start >= 0 else ""
    except ValueError:
        return ""


class NoCluster(Kubectl):
    """In its place for a command that is told to ask no cluster."""

    def __enter__(self) -> Self:
        return self

    def ask_kubectl(self, *_: str) -> str:
        raise Failed("--offline asks no cluster, so name what it would be asked for", code=2)

    def _answer(self, *_: object) -> tuple[int, bytes]:
        raise Failed("--offline asks no cluster, so name what it would be asked for", code=2)


def _stop(proxy: subprocess.Popen[bytes]) -> None:
    proxy.terminate()
    try:
        proxy.wait(2)
    except subprocess.TimeoutExpired:
        proxy.kill()
        proxy.wait()
