"""Two domains of a running mesh, one that offers and one that asks; what they do many at a time, and one deadline for all of it."""

import json
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hack.tools.children import ToolError
from tests.e2e.access import BODY, Access, Deal, Manifest, a_deal
from tests.e2e.actors import Actors
from tests.support.manifests import a_domain, a_product

CONSUMER = {"serviceAccountRef": {"name": "default"}}
"""It exists in every namespace."""
SET_UP = 120.0
"""Seconds in which what is made before anything happens is Ready, however busy the machine is; nothing is promised about it."""


def in_seconds(seconds: float) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Place:
    """`makers` is the namespace of products and grants, `users` that of requests; each is a Domain of the same name."""

    mesh: Actors
    makers: str
    users: str

    @classmethod
    def opened(cls, mesh: Actors, makers: str, users: str) -> "Place":
        domains = sorted({makers, users})
        mesh.installed.apply(*(a_domain(name) for name in domains))
        for name in domains:
            mesh.installed.wait("domain", name, seconds=SET_UP)
        return cls(mesh, makers, users)

    def kubectl(self, *args: str) -> str:
        return self.mesh.installed.cluster.kubectl(*args)

    def says(self, *args: str, stdin: str | None = None) -> str:
        """What kubectl says against it; empty where it is done."""
        try:
            self.mesh.installed.cluster.kubectl(*args, stdin=stdin)
        except ToolError as error:
            return str(error)
        return ""

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        self.mesh.installed.apply(*manifests)

    def offer(self, products: Mapping[str, Mapping[str, Any]], **spec: Any) -> None:
        """Products by name with the access of their port `daily`; an object is in each when all are Ready."""
        self.apply(*(self.product_manifest(name, access, **spec) for name, access in products.items()))
        self.mesh.installed.wait_all("dp", products, self.makers, seconds=SET_UP)
        for found in self.items("dp", self.makers):
            if found["metadata"]["name"] in products:
                self.mesh.s3.put_object(Bucket=found["status"]["storage"]["bucket"], Key="daily/seed", Body=BODY)

    def product_manifest(self, name: str, access: Mapping[str, Any], **spec: Any) -> Manifest:
        port = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": dict(access)}
        return a_product(name, self.makers, outputPorts=[port], **spec)

    def deal(self, name: str, product: str, **terms: Any) -> Deal:
        return a_deal(name, f"{self.makers}/{product}", consumer=CONSUMER, namespace=self.users, **terms)

    def give(self, *deals: Deal, answered: bool = True) -> dict[str, Access]:
        """Apply requests, and grants unless the ports answer by themselves; the access that stands, by the name of its request."""
        grants = [deal.grant for deal in deals] if answered else []
        self.apply(*(deal.request for deal in deals), *grants)
        self.mesh.installed.wait_all("areq", (deal.name for deal in deals), self.users, seconds=SET_UP)
        return self.standing(*deals)

    def standing(self, *deals: Deal) -> dict[str, Access]:
        """Access that stands, read in one look at all requests and Secrets."""
        statuses = {found["metadata"]["name"]: found["status"] for found in self.items("areq", self.users)}
        secrets = {found["metadata"]["name"]: found.get("data") or {} for found in self.items("secrets", self.users)}
        return {
            deal.name: Access(
                self.mesh,
                self.mesh.store,
                deal,
                {key: b64decode(value).decode() for key, value in secrets[statuses[deal.name]["binding"]["name"]].items()},
                statuses[deal.name]["principal"],
            )
            for deal in deals
        }

    def items(self, kind: str, namespace: str) -> list[Manifest]:
        """All objects of a kind in a namespace."""
        return self.mesh.installed.all(kind, namespace)

    def patch(self, kind: str, name: str, spec: Mapping[str, Any], *flags: str, namespace: str = "") -> str:
        """What the API server says against a change of a spec; empty where it is done."""
        change = json.dumps({"spec": dict(spec)})
        return self.says("patch", kind, name, "-n", namespace or self.makers, "--type=merge", "-p", change, *flags)

    def delete(self, kind: str, *names: str, namespace: str = "") -> None:
        self.kubectl("delete", kind, *names, "-n", namespace or self.makers, "--wait=false", "--ignore-not-found")

    def grants_of(self, request: str) -> list[Manifest]:
        """Every AccessGrant that names a request, in the order of their names."""
        asked = {"namespace": self.users, "name": request}
        return sorted(
            (g for g in self.items("agrant", self.makers) if g["spec"].get("requestRef") == asked), key=lambda g: str(g["metadata"]["name"])
        )

    def vanish(self, kind: str, *names: str, namespace: str) -> None:
        """Objects without finalizers go at once. One that the operator held again meanwhile goes as soon as it may."""
        self.kubectl("patch", kind, *names, "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        self.delete(kind, *names, namespace=namespace)
        self.kubectl("wait", kind, *names, "-n", namespace, "--for=delete", "--timeout=60s")


@dataclass(frozen=True)
class Acted:
    """What was done at one moment. Every expectation is held against that moment, so that many of them wait together."""

    place: Place
    access: Mapping[str, Access]
    facts: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)

    def within(self, seconds: float, true: Callable[[], object], what: str) -> None:
        """Holds at the latest so many seconds after the moment; looked at once at least. Raises TimeoutError."""
        left = max(self.at + seconds - time.monotonic(), 0.0)
        self.place.mesh.installed.until(true, seconds=left, what=what)

    def is_taken(self, name: str, seconds: float) -> None:
        """The key is refused, and nothing of the access is left in store and cluster."""
        access = self.access[name]
        self.within(seconds, lambda: not access.reads(), f"the refusal of {name}")
        self.within(seconds, lambda: not access.remains(), f"the end of {name}")
        assert not access.reads()

    def is_gone(self, kind: str, name: str, namespace: str, seconds: float) -> None:
        self.within(seconds, lambda: not self.place.mesh.installed.get(kind, name, namespace), f"the end of {kind} {namespace}/{name}")
