"""The actions that Argo CD's API server offers at an object and runs, as the web pages do it."""

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.api.fields import GROUP

_VERSION: Final = "v1alpha1"


@dataclass(frozen=True)
class Desk:
    """Argo CD's API at a URL, for the objects of one Application."""

    url: str
    application: str

    def actions(self, kind: str, name: str, namespace: str = "") -> dict[str, bool]:
        """What is offered at an object: name -> whether it can be run now."""
        query = urllib.parse.urlencode(_target(kind, name, namespace))
        found = self._ask(f"resource/actions?{query}").get("actions") or ()
        return {one["name"]: not one.get("disabled", False) for one in found}

    def run(self, action: str, kind: str, name: str, namespace: str = "") -> None:
        """Run an action as somebody who clicks. Raises HTTPError where it is refused."""
        self._ask("resource/actions/v2", {"name": self.application, "action": action, **_target(kind, name, namespace)})

    def _ask(self, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        url = f"{self.url}/api/v1/applications/{self.application}/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 - always http://127.0.0.1
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            found: dict[str, Any] = json.load(answer)
        return found


def _target(kind: str, name: str, namespace: str) -> dict[str, str]:
    return {"group": GROUP, "version": _VERSION, "kind": kind, "namespace": namespace, "resourceName": name}
