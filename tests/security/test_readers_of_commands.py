"""Each command of `kubectl mesh`, asked by five readers: it shows nothing that `kubectl auth can-i` refuses, and what it allows.

Every name and text of the world is a word of its own. A word may be shown where its reader may get an object that holds it.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.cli import app as application
from hack.tools.binaries import get_binary
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.people import Person
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

PORT = {"name": "daily", "version": "1.0.0"}
OFFERED = {**PORT, "path": "daily/", "access": {"maxDuration": "90d"}}
SPACES = ("sales", "inventory", "vault")
KINDS = "objectstores,domains,dataproducts,accessrequests,accessgrants,accessinboxes,secrets"
WORD = re.compile(r"mark-[a-z]+")
NOBODY, FINDER = Person("nobody"), Person("finder")
VIEWER, ENGINEER, OWNER = Person("vera", ("sales-viewers",)), Person("eve", ("inventory-engineers",)), Person("oscar", ("sales-owners",))
READERS = (NOBODY, FINDER, VIEWER, ENGINEER, OWNER)
HOMES = {ENGINEER: "inventory"}
Place = tuple[str, str, str]
"""Kind, namespace and name."""


def team(name: str) -> dict[str, Any]:
    roles = {role: [{"kind": "Group", "name": f"{name}-{role}"}] for role in ("owners", "engineers", "viewers")}
    return a_domain(name, access=roles, description={"purpose": f"mark-domain{name}"})


def product(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    what = {"description": {"purpose": f"mark-about{name}"}, "tags": [f"mark-tag{name}"], "outputPorts": [OFFERED]}
    return a_product(f"mark-{name}", namespace, **{**what, "displayName": f"mark-title{name}", **spec})


def wish(name: str, namespace: str, consumer: str, of: tuple[str, str]) -> dict[str, Any]:
    target = {"dataProductRef": {"namespace": of[0], "name": f"mark-{of[1]}"}, "outputPort": PORT}
    who, secret = {"dataProductRef": {"name": f"mark-{consumer}"}}, f"mark-key{name}"
    return a_request(f"mark-{name}", namespace, **target, consumer=who, purpose=f"mark-why{name}", secretName=secret)


def answer(name: str, of: tuple[str, str], to: tuple[str, str], consumer: str) -> dict[str, Any]:
    asked = {"dataProductRef": {"name": f"mark-{of[1]}"}, "requestRef": {"namespace": to[0], "name": f"mark-{to[1]}"}}
    return a_grant(f"mark-{name}", of[0], **asked, consumer={"dataProductRef": {"name": f"mark-{consumer}"}}, note=f"mark-note{name}")


PRODUCTS = (
    product("orders", "sales"),
    product("forecast", "inventory", outputPorts=[]),
    product(
        "levels", "inventory", inputPorts=[{"name": "in", "from": {"namespace": "vault", "dataProduct": "mark-ledger", "outputPort": PORT}}]
    ),
    product("ledger", "vault", outputPorts=[{**OFFERED, "contractId": "c-ledger"}]),
    product("audit", "vault", outputPorts=[]),
)
WORLD = (
    *PRODUCTS,
    wish("granted", "inventory", "forecast", ("sales", "orders")),
    answer("yes", ("sales", "orders"), ("inventory", "granted"), "forecast"),
    wish("waiting", "inventory", "levels", ("sales", "orders")),
    wish("hidden", "vault", "audit", ("sales", "orders")),
    wish("inside", "vault", "audit", ("vault", "ledger")),
    answer("secretly", ("vault", "ledger"), ("vault", "inside"), "audit"),
    wish("outward", "sales", "orders", ("vault", "ledger")),
)
READY = (("inventory", "mark-granted"), ("vault", "mark-inside"))

DESCRIPTOR = {
    "apiVersion": "v1.1.0",
    "kind": "DataProduct",
    "id": "read-the-ledger",
    "status": "draft",
    "inputPorts": [{"name": "in", "version": "1.0.0", "contractId": "c-ledger"}],
}
"""Its input is a port of the vault, whose name only they learn who may read it."""

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("search", "mark"),
    ("describe", "sales/mark-orders"),
    ("describe", "vault/mark-ledger"),
    ("tree", "domain/vault"),
    ("tree", "dp/sales/mark-orders"),
    ("tree", "ostore/main"),
    ("tree", "areq/inventory/mark-granted"),
    ("map",),
    ("map", "-n", "sales"),
    ("map", "-n", "vault", "-o", "json"),
    ("why", "inventory/mark-levels"),
    ("why", "areq/inventory/mark-waiting"),
    ("why", "areq/vault/mark-hidden"),
    ("why", "agrant/vault/mark-secretly"),
    ("requests",),
    ("requests", "--mine"),
    ("use", "inventory/mark-granted"),
    ("use", "vault/mark-inside"),
    ("request", "vault/mark-ledger", "--for", "x", "--purpose", "why not"),
    ("renew", "inventory/mark-granted"),
    ("approve", "inventory/mark-waiting"),
    ("deny", "vault/mark-hidden"),
    ("revoke", "vault/mark-inside", "--dry-run"),
    ("plan", "WORLD"),
    ("plan", "WORLD", "--delete"),
    ("export", "-A"),
    ("export", "-A", "--format", "odcs"),
    ("export", "-A", "--format", "dcat"),
    ("export", "-A", "--format", "backstage"),
    ("export", "-A", "--format", "openlineage"),
    ("export", "-A", "-o", "name"),
    ("export", "vault/mark-ledger"),
    ("export", "sales/mark-orders", "--odps-version", "1.0.0"),
    ("import", "DESCRIPTOR"),
    ("import", "DESCRIPTOR", "--store", "main", "--lenient", "--dry-run"),
)


@dataclass
class Shown:
    """The world as its administrator sees it, what each reader may see of it, and what the commands show."""

    installed: Installation
    run: Callable[..., str]
    objects: dict[Place, str] = field(default_factory=dict)
    """Each as JSON; of Secrets with the keys that they hold."""
    keys: set[str] = field(default_factory=set)
    allowed: dict[tuple[Person, str, Place], bool] = field(default_factory=dict)

    def look(self) -> None:
        for one in self.installed.all(KINDS):
            where = (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
            held = {name: base64.b64decode(coded).decode(errors="replace") for name, coded in (one.get("data") or {}).items()}
            keys = [said for name, said in held.items() if "key" in name.lower() and len(said) >= 16]
            self.objects[where] = json.dumps([one, keys])
            self.keys.update(keys)

    def may(self, who: Person, verb: str, place: Place) -> bool:
        """What `kubectl auth can-i` says; without a name of all objects of the kind."""
        if (who, verb, place) not in self.allowed:
            kind, namespace, name = place
            target = {"AccessInbox": "accessinboxes"}.get(kind, f"{kind.lower()}s") + (f"/{name}" if name else "")
            where = ("-n", namespace) if namespace else ("--all-namespaces",)
            try:
                said = self.installed.cluster.kubectl("auth", "can-i", verb, target, *where, *who.flags)
            except ToolError:
                said = "no"
            self.allowed[who, verb, place] = said.startswith("yes")
        return self.allowed[who, verb, place]

    def words(self, text: str) -> set[str]:
        """Words of the world, and keys of its Secrets, that a text holds."""
        return {*WORD.findall(text), *(key for key in self.keys if key in text)}

    def holders(self, word: str) -> list[Place]:
        return [place for place, one in self.objects.items() if word in self.words(one)]


@pytest.fixture(scope="module")
def shown(moto: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """One cluster; the commands run in this process, and log in through kubectl as they do in a terminal."""
    with ControlPlane() as cluster, Installation(cluster, mesh="seen") as installed, pytest.MonkeyPatch.context() as patch:
        for name, said in cluster.env().items():
            patch.setenv(name, said)
        patch.setenv("PATH", f"{get_binary('kubectl').parent}:{os.environ['PATH']}")
        patch.setenv("NO_COLOR", "1")
        patch.chdir(tmp_path_factory.mktemp("reader"))
        Path("WORLD").write_text(yaml.safe_dump_all(PRODUCTS), encoding="utf-8")
        Path("DESCRIPTOR").write_text(json.dumps(DESCRIPTOR), encoding="utf-8")
        installed.give_credentials(moto)
        installed.apply(a_store(endpointUrl=moto.endpoint), *(team(name) for name in SPACES))
        for name in SPACES:
            installed.wait("domain", name, seconds=90)
        installed.apply(*WORLD)
        for namespace, name in READY:
            installed.wait("accessrequest", name, namespace, seconds=60)
        cluster.kubectl(
            "create",
            "clusterrolebinding",
            "finders",
            "--clusterrole=clouddatamesh-discover",
            f"--user={FINDER.user}",
            f"--user={ENGINEER.user}",
        )
        wanted = {f"mark-why{name}" for name in ("hidden", "waiting", "granted")}
        told = lambda: wanted <= {*WORD.findall(json.dumps(installed.get("accessinbox", "mark-orders", "sales")))}  # noqa: E731
        installed.until(told, seconds=60, what="the inbox")
        installed.rests()  # no status gets another word after the look
        found = Shown(installed, _runner(patch))
        found.look()
        yield found


def _runner(patch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(capfd: pytest.CaptureFixture[str], who: Person, *arguments: str, everywhere: bool = False) -> str:
        groups = ("--as-group", "system:authenticated", *(part for group in who.groups for part in ("--as-group", group)))
        own = (*(() if everywhere else ("-n", HOMES.get(who, "sales"))), "--as", who.user, *groups)
        patch.setattr(sys, "argv", ["kubectl-mesh", arguments[0], *own, *arguments[1:]])
        with pytest.raises(SystemExit):
            application.main()
        said = capfd.readouterr()
        return said.out + said.err

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("who", READERS, ids=lambda who: who.user)
def test_nothing_is_shown_that_may_not_be_read(
    shown: Shown, capfd: pytest.CaptureFixture[str], who: Person, command: tuple[str, ...]
) -> None:
    said = shown.run(capfd, who, *command)
    given = shown.words(" ".join(command) + (json.dumps(PRODUCTS) if command[0] == "plan" else ""))
    leaked = [word for word in shown.words(said) - given if not any(shown.may(who, "get", place) for place in shown.holders(word))]
    assert leaked == [], said
    assert "Traceback" not in said


@pytest.mark.parametrize("who", READERS, ids=lambda who: who.user)
def test_everything_is_listed_that_may_be_read(shown: Shown, capfd: pytest.CaptureFixture[str], who: Person) -> None:
    """Else the probes would pass on commands that show nothing."""
    home = HOMES.get(who, "sales")
    for where, namespace in ((True, ""), (False, home)):
        listed = set(re.findall(r"dp/(\S+)", shown.run(capfd, who, "list", "-o", "name", everywhere=where)))
        may = shown.may(who, "list", ("DataProduct", namespace, ""))
        held = {place[1:] for place in shown.objects if place[0] == "DataProduct" and namespace in ("", place[1])}
        assert listed == ({"/".join(place) for place in held} if may else set())
    inbox = shown.run(capfd, who, "describe", "sales/mark-orders")
    assert ("mark-whygranted" in inbox) == shown.may(who, "get", ("AccessInbox", "sales", "mark-orders"))
    secret = ("Secret", "inventory", "mark-keygranted")
    may_use = shown.may(who, "get", secret) and shown.may(who, "get", ("AccessRequest", "inventory", "mark-granted"))
    used = shown.words(shown.run(capfd, who, "use", "inventory/mark-granted")) & shown.keys
    assert len(used) == (2 if may_use else 0)
    assert used <= shown.words(shown.objects[secret])


def test_there_are_readers_of_all_sorts(shown: Shown) -> None:
    """At least sixty probes, and the five see different things."""
    assert len(READERS) * len(COMMANDS) >= 60
    seen = {who: frozenset(place for place in shown.objects if shown.may(who, "get", place)) for who in READERS}
    assert len(set(seen.values())) == len(READERS)
    assert seen[NOBODY] == frozenset()
