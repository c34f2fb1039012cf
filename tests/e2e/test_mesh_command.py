"""`kubectl mesh` on the real API server and store, with the rights of those who use it: found, asked for, granted, used, ended."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.tools.binaries import get_binary
from tests.e2e.actors import Actors
from tests.e2e.people import Person, may
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_product

PRODUCER, STRANGER, ADMIN = Person("kim", ("sales-owners",)), Person("nobody"), Person("root", ("system:masters",))
CONSUMER, UNTOLD = (Person(name, ("inventory-owners",)) for name in ("finder", "sam"))
"""Of the same team; one may discover products of others."""
PORT = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"maxDuration": "90d"}}
READ = (
    "import os, boto3; from botocore.config import Config;"
    "s3 = boto3.client('s3', config=Config(s3={'addressing_style': 'path'}));"
    "print(s3.get_object(Bucket=os.environ['MESH_BUCKET'], Key=os.environ['MESH_PREFIX'] + 'a')['Body'].read().decode())"
)


@dataclass(frozen=True)
class Terminal:
    """A person's terminal: `out` of a command that succeeds, `refusal` of one that does not."""

    mesh: Actors
    person: Person
    namespace: str

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{get_binary('kubectl').parent}:{os.environ['PATH']}"
        env = {**self.mesh.installed.cluster.env(), "PATH": path, "NO_COLOR": "1"}
        own = ["-n", self.namespace, *self.person.flags]
        at = arguments.index("--") if "--" in arguments else len(arguments)
        command = [sys.executable, "-m", "clouddatamesh", "mesh", arguments[0], *own, *arguments[1:at], *arguments[at:]]
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)

    def out(self, *arguments: str) -> str:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        done = self._run(*arguments)
        assert done.returncode == 1, done
        assert "Traceback" not in done.stderr
        return done.stderr + done.stdout


@pytest.fixture(scope="module")
def terminal(mesh: Actors) -> Callable[[Person, str], Terminal]:
    """Sales' product `terms`, with an object below its port, and inventory's `reader`."""
    bucket = mesh.make("terms", outputPorts=[PORT], tags=["terminal"])["status"]["storage"]["bucket"]
    mesh.s3.put_object(Bucket=bucket, Key="daily/a", Body=b"one row")
    binding = ("clusterrolebinding", "terms-finder", "--clusterrole=clouddatamesh-discover", f"--user={CONSUMER.user}")
    mesh.installed.cluster.kubectl("create", *binding)
    mesh.installed.apply(a_product("reader", "inventory", outputPorts=[]))
    mesh.installed.wait("dataproduct", "reader", "inventory")
    mesh.installed.until(lambda: may(mesh, CONSUMER, "get", "dataproducts", "sales"), what="the right to discover")
    return lambda person, namespace: Terminal(mesh, person, namespace)


def test_from_search_to_revoked(mesh: Actors, terminal: Callable[[Person, str], Terminal]) -> None:
    producer, consumer = terminal(PRODUCER, "sales"), terminal(CONSUMER, "inventory")
    assert "terms" in producer.out("search", "terminal")
    assert "Manual, at most 90d" in producer.out("describe", "sales/terms")
    assert "You may not read DataProduct sales/terms" in terminal(UNTOLD, "inventory").refusal("describe", "sales/terms")
    wish = ("request", "sales/terms", "--for", "reader", "--purpose", "to read in a terminal", "--duration", "30d")
    assert "dry run" in consumer.out(*wish, "--dry-run")
    assert "created" in consumer.out(*wish)
    assert "exists already" in consumer.refusal(*wish)
    mesh.installed.until(lambda: "terms-for-reader" in producer.out("requests"), what="the request in the owner's list")
    mesh.installed.until(lambda: "AwaitingGrant" in consumer.out("why", "areq/terms-for-reader"), what="the status of the request")
    assert "created" in producer.out("approve", "inventory/terms-for-reader")
    mesh.installed.wait("accessrequest", "terms-for-reader", "inventory")
    assert "terms-for-reader" in consumer.out("requests", "--mine")
    assert consumer.out("use", "terms-for-reader", "--", sys.executable, "-c", READ) == "one row\n"
    mesh.installed.until(lambda: "DataProduct inventory/reader" in producer.out("describe", "sales/terms"), what="the inbox")
    assert "Secret terms-for-reader" in consumer.out("tree", "areq/terms-for-reader")
    assert "the permission to list accessgrants" in consumer.refusal("revoke", "inventory/terms-for-reader", "-n", "sales")
    assert "deleted" in producer.out("revoke", "inventory/terms-for-reader")
    mesh.installed.until(lambda: "has no access" in consumer._run("use", "terms-for-reader").stderr, what="the end of access")


def test_a_plan_says_what_the_api_server_would_do_and_does_nothing(
    mesh: Actors, terminal: Callable[[Person, str], Terminal], tmp_path: Path
) -> None:
    producer, file = terminal(PRODUCER, "sales"), tmp_path / "mesh.yaml"
    terms = a_product("terms", outputPorts=[PORT], tags=["terminal"])

    def plan(*manifests: dict[str, Any]) -> tuple[str, ...]:
        file.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
        return ("plan", str(file))

    assert producer.out(*plan(terms)) == ""
    said = producer.out(*plan({**terms, "spec": {**terms["spec"], "lifecycle": "retired"}}, a_product("fresh", outputPorts=[])))
    assert "~ change  spec.lifecycle: active -> retired" in said
    assert "- take    the access of all" in said
    assert "DataProduct sales/fresh  create" in said
    moved = producer.refusal(*plan({**terms, "spec": {**terms["spec"], "storage": {"storeRef": {"name": "other"}}}}))
    assert "spec.storage.storeRef is immutable" in moved
    assert "You may not read Domain fresh, so what would become of it cannot be said" in producer.refusal(*plan(a_domain("fresh")))
    assert mesh.installed.get("dataproduct", "fresh", "sales") == {}
    assert mesh.product("terms")["spec"]["lifecycle"] == "active"


def is_within(part: Any, whole: Any) -> bool:
    """Whether all of a document is in another one, which may say more: defaults of the API server, and what only the mesh knows."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(is_within(inner, whole.get(name)) for name, inner in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(is_within(inner, one) for one in whole) for inner in part)
    return bool(part == whole)


def test_a_descriptor_becomes_a_product_and_comes_back(mesh: Actors, terminal: Callable[[Person, str], Terminal]) -> None:
    admin, file = terminal(ADMIN, "sales"), ROOT / "tests" / "support" / "descriptors" / "orders.odps.yaml"
    assert "applied" in admin.out("import", str(file), "--store", "main", "--apply")
    mesh.installed.wait("dataproduct", "orders-of-the-shop", "sales")
    written, read = yaml.safe_load(file.read_text(encoding="utf-8")), yaml.safe_load(admin.out("export", "orders-of-the-shop"))
    assert [name for name in written if not is_within(written[name], read.get(name))] == []


def test_a_stranger_is_told_what_is_missing_and_shown_nothing(terminal: Callable[[Person, str], Terminal]) -> None:
    stranger = terminal(STRANGER, "sales")
    for command in (("list",), ("describe", "terms"), ("tree", "terms"), ("why", "terms"), ("requests",), ("use", "terms-for-reader")):
        said = stranger.refusal(*command)
        assert "terms " not in said.replace("sales/terms", "")
        assert "You" in said


def test_without_a_cluster_a_sentence_says_so(mesh: Actors, terminal: Callable[[Person, str], Terminal]) -> None:
    done = terminal(PRODUCER, "sales")._run("list", "--kubeconfig", "/nonexistent")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    del mesh
