"""Transport: the `kubernetes` client's login and connection pool, raw JSON in and out, one HTTP request per call."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config
from yaml import YAMLError

from clouddatamesh import reasons
from clouddatamesh.errors import Away, Transient
from clouddatamesh.kube.bounded import read_json
from clouddatamesh.kube.errors import ApiError, is_of_object
from clouddatamesh.kube.patience import Patience
from clouddatamesh.kube.skew import Skew
from clouddatamesh.kube.transport import JSON

_WAITS: Final = 2.0
"""Seconds that a caller waits because of Retry-After. Where it is more he is told, and comes again by his own backoff."""
_ERROR: Final = 400
_LOGIN_SECONDS: Final = 60.0
LOGIN_ERRORS: Final = (kubernetes_config.ConfigException, OSError)
"""What making a Client may raise."""
_MALFORMED: Final = (TypeError, ValueError, AttributeError, LookupError, YAMLError)
"""What the library raises for a file that is no kubeconfig."""


@dataclass(frozen=True)
class Manner:
    """How a client behaves. `gate` is called in the moment before anything but a GET is sent, and raises where it must not be."""

    agent: str = "clouddatamesh"
    """Who asks, for the API server's log."""
    gate: Callable[[], object] = lambda: None
    patience: Patience = field(default_factory=Patience)
    connections: int = 32
    timeout: tuple[float, float] = (5.0, 30.0)
    """Seconds for the connection, and for the answer to go on: a slow admission webhook may take ten before it begins."""


class Client:
    """Requests to one API server. Thread-safe; credentials are read again every minute, since a projected token rotates.

    Logs in by `kubeconfig` and its `context`, else KUBECONFIG, else from within the cluster. `skew` is told of the time of each list's
    answer. `report` is called with method and HTTP status of each request, `<error>` if there was no answer.
    """

    def __init__(
        self,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        skew: Skew | None = None,
        report: Callable[[str, str], object] = lambda _method, _code: None,
        manner: Manner | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kubeconfig, self._context = kubeconfig, context
        self._skew, self._report, self._monotonic = skew or Skew(), report, monotonic
        self._manner = manner or Manner()
        configuration = self._log_in()
        configuration.connection_pool_maxsize = self._manner.connections
        self._api = kubernetes_client.ApiClient(configuration)

    def _log_in(self) -> Any:
        self._logged_in = self._monotonic()
        configuration = kubernetes_client.Configuration()
        # Path.expanduser fails where the user has neither HOME nor an entry in /etc/passwd.
        default = Path(os.path.expanduser(kubernetes_config.KUBE_CONFIG_DEFAULT_LOCATION.split(":")[0]))  # noqa: PTH111
        if self._kubeconfig is not None or self._context is not None or default.exists():
            given = str(self._kubeconfig) if self._kubeconfig is not None else None
            try:
                kubernetes_config.load_kube_config(config_file=given, context=self._context, client_configuration=configuration)
            except _MALFORMED as error:
                raise kubernetes_config.ConfigException(f"{given or default} is no kubeconfig ({type(error).__name__})") from None
        else:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
        return configuration

    def _authorize(self, headers: dict[str, str]) -> None:
        """The library reads a kubeconfig's tokenFile only once; so the token is taken from a fresh login now and then."""
        if self._monotonic() - self._logged_in >= _LOGIN_SECONDS:
            with contextlib.suppress(*LOGIN_ERRORS):
                self._api.configuration.api_key = self._log_in().api_key
        headers.update({"Authorization": token} if (token := self._token()) else {})

    def _token(self) -> str:
        return str(self._api.configuration.api_key.get("BearerToken", ""))

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer as JSON. Raises ApiError for an answer that is one, Away where there is none or where it is too early to ask."""
        self._wait()
        if method != "GET":
            self._manner.gate()
        began = self._monotonic()
        url = path + (f"?{urlencode(query)}" if query else "")
        answer = self._send(method, url, body=json.dumps(body).encode() if body is not None else None, headers=headers or {})
        if query and "limit" in query:
            self._skew.look(answer.headers.get("Date"), self._monotonic() - began)
        if answer.status >= 300:
            raise ApiError(answer.status, answer.data)
        return _object_in(answer.data)

    def read(self, path: str) -> tuple[int, bytes]:
        """HTTP status and body of a page that is no JSON, as of a proxied Pod, whatever the status. Raises Transient without an answer."""
        answer = self._send("GET", path, headers={"Accept": "*/*"})
        return answer.status, answer.data

    def watch(self, path: str, *, seconds: int) -> Iterator[dict[str, Any]]:
        """The events of a collection, what exists first, until the server ends it. Raises ApiError, or Transient where it breaks off."""
        self._wait()
        query = urlencode({"watch": "true", "timeoutSeconds": str(seconds)})
        answer = self._send("GET", f"{path}?{query}", headers={}, lasting=float(seconds))
        try:
            if answer.status >= 300:
                raise ApiError(answer.status, answer.read())
            yield from map(_object_in, _lines(answer))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, f"A watch of {path} broke off: {type(error).__name__}") from error
        finally:
            answer.close()

    def _wait(self) -> None:
        """A worker that fails in the middle of an object costs more calls than one that waits a moment, and no more than that."""
        latest = self._monotonic() + _WAITS
        while left := self._manner.patience.left():
            if self._monotonic() + left > latest:
                raise Away(reasons.CLUSTER_UNAVAILABLE, "The API server asked by Retry-After not to be asked for a while")
            time.sleep(left)

    def _send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, lasting: float = 0.0
    ) -> urllib3.BaseHTTPResponse:
        """With `lasting` seconds the answer is read by the caller, line by line."""
        wire = {"Accept": JSON, "Content-Type": JSON, "User-Agent": self._manner.agent, **headers}
        self._authorize(wire)
        connect, read = self._manner.timeout
        place, timeout = self._api.configuration.host + url, urllib3.Timeout(connect=connect, read=read + lasting)
        try:
            answer: urllib3.BaseHTTPResponse = self._api.rest_client.pool_manager.request(
                method, place, body=body, headers=wire, timeout=timeout, retries=False, preload_content=not lasting
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._report(method, "<error>")
            raise Away(reasons.CLUSTER_UNAVAILABLE, f"The API server did not answer: {type(error).__name__}") from error
        self._report(method, str(answer.status))
        if lasting or not (answer.status >= _ERROR and is_of_object(ApiError(answer.status, answer.data))):
            self._manner.patience.heed(answer.status, answer.headers)
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._api.rest_client.pool_manager.clear()


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from filter(None, lines)


def _object_in(data: bytes) -> dict[str, Any]:
    try:
        found = read_json(data or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server's answer is no JSON object; something between answered")
    return found
