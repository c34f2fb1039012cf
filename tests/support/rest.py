"""The Kubernetes API as plain JSON over HTTP for the tests' own stand-ins, as the user of a kubeconfig."""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config

Manifest = dict[str, Any]


class ApiError(Exception):
    """The server refused; `code` is its HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.body = code, message


class Api:
    """`get`, `post`, `patch` (merge) and `watch` of paths. Raises ApiError; urllib3's HTTPError where nobody answers."""

    def __init__(self, kubeconfig: Path) -> None:
        client = config.new_client_from_config(config_file=str(kubeconfig))
        self._pool: urllib3.PoolManager = client.rest_client.pool_manager
        token = client.configuration.auth_settings().get("BearerToken", {}).get("value")
        self._headers = {"Accept": "application/json", **({"Authorization": token} if token else {})}
        self.server = str(client.configuration.host)
        self.ca = Path(client.configuration.ssl_ca_cert)

    def get(self, path: str) -> Manifest:
        return self.ask("GET", path)

    def post(self, path: str, body: Manifest) -> Manifest:
        return self.ask("POST", path, body)

    def patch(self, path: str, body: Manifest) -> Manifest:
        return self.ask("PATCH", path, body, kind="application/merge-patch+json")

    def watch(self, path: str, version: str, *, seconds: int = 60) -> Generator[Manifest, None, None]:
        """Watch events since a resourceVersion, until the server ends the watch."""
        url = f"{self.server}{path}?watch=true&resourceVersion={version}&timeoutSeconds={seconds}"
        timeout = urllib3.Timeout(connect=5, read=seconds + 5)
        answer = self._pool.request("GET", url, headers=self._headers, preload_content=False, timeout=timeout, retries=False)
        try:
            if answer.status != 200:
                raise ApiError(answer.status, answer.read().decode())
            yield from map(json.loads, _lines(answer))
        finally:
            answer.close()

    def ask(
        self, method: str, path: str, body: Manifest | None = None, *, kind: str = "application/json", headers: Manifest | None = None
    ) -> Manifest:
        """One request; the object of its answer."""
        answer = self._pool.request(
            method,
            f"{self.server}{path}",
            headers={**self._headers, "Content-Type": kind, **(headers or {})},
            body=None if body is None else json.dumps(body),
            timeout=30.0,
            retries=False,
        )
        if answer.status >= 300:
            raise ApiError(answer.status, answer.data.decode())
        found: Manifest = json.loads(answer.data)
        return found

    def warnings(self, path: str, body: Manifest) -> tuple[str, ...]:
        """What the server warns of when it takes a POST."""
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = self._pool.request("POST", f"{self.server}{path}", headers=headers, body=json.dumps(body), timeout=10.0, retries=False)
        if answer.status >= 300:
            raise ApiError(answer.status, answer.data.decode())
        return tuple(answer.headers.getlist("Warning"))


def message_of(error: ApiError) -> str:
    """What the Status says that came with a refusal."""
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from filter(None, lines)
