"""A stranger's path in a terminal, on the fakes: search, describe, request, approve, use, revoke."""

import sys
from collections.abc import Callable

import pytest
import yaml

from clouddatamesh.cli import app as application
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh
from tests.support.served import Served

Run = Callable[..., str]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """Sales has orders, inventory has forecast and wants to read them."""
    mesh = Mesh().apply(
        a_store(),
        a_domain("sales"),
        a_domain("inventory"),
        a_product(
            "orders",
            "sales",
            tags=["finance"],
            outputPorts=[{"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"maxDuration": "90d"}}],
        ),
        a_product("forecast", "inventory"),
    )
    mesh.settle()
    served = Served(mesh)
    monkeypatch.setattr(application, "Kubectl", served)
    monkeypatch.setenv("NO_COLOR", "1")
    return served


@pytest.fixture
def mesh_command(served: Served, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`mesh_command("list", "-o", "json")`: standard output; with `code`, both outputs of a command that ends so."""
    del served

    def run(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["kubectl-mesh", *arguments])
        with pytest.raises(SystemExit) as ended:
            application.main()
        said = capfd.readouterr()
        assert (ended.value.code or 0) == code, said
        return said.out + said.err if code else said.out

    return run


def test_a_product_is_found_asked_for_granted_used_and_cut_off(mesh_command: Run, served: Served) -> None:
    found = mesh_command("search", "finance", "order")
    assert "sales" in found
    assert "forecast" not in found

    page = mesh_command("describe", "sales/orders")
    assert "Kim Roe <kim@example.com>" in page
    assert "Manual, at most 90d" in page
    assert "kubectl mesh request sales/orders daily" in page

    assert "created" in mesh_command("request", "sales/orders", "--purpose", "weekly stock forecast")
    assert "AwaitingGrant" in mesh_command("why", "areq/orders-for-forecast")

    served.home = "sales"
    assert "inventory/orders-for-forecast" in mesh_command("requests")
    assert "created" in mesh_command("approve", "inventory/orders-for-forecast", "--until", "30d", "--note", "agreed")
    assert "Nothing waits" in _both(mesh_command, "requests")

    served.home = "inventory"
    lines = mesh_command("use", "orders-for-forecast")
    assert "export AWS_ACCESS_KEY_ID=" in lines
    assert "export MESH_URI=s3://acme-sales-orders" in lines or "export MESH_URI=s3://acme-" in lines
    env = mesh_command("use", "orders-for-forecast", "--", sys.executable, "-c", "import os; print(os.environ['MESH_PREFIX'])")
    assert env == "daily/\n"

    served.home = "sales"
    assert "deleted" in mesh_command("revoke", "inventory/orders-for-forecast")
    served.home = "inventory"
    assert "has no access" in mesh_command("use", "orders-for-forecast", code=1)


def _both(run: Run, *arguments: str) -> str:
    """A remark is on standard error, and no failure."""
    assert run(*arguments) == ""
    return "Nothing waits"


def test_a_grant_is_printed_for_git(mesh_command: Run, served: Served) -> None:
    mesh_command("request", "sales/orders", "--purpose", "weekly stock forecast")
    served.written.clear()
    served.home = "sales"
    grant = yaml.safe_load(mesh_command("approve", "inventory/orders-for-forecast", "-o", "yaml"))
    assert (grant["kind"], grant["metadata"]["namespace"], grant["spec"]["decision"]) == ("AccessGrant", "sales", "Approve")
    assert not served.written
