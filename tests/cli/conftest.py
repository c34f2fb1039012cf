"""A terminal over a mesh on the fakes."""

import sys
from collections.abc import Callable

import pytest

from clouddatamesh.cli import app as application
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh
from tests.support.served import Served

DAILY = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet", "access": {"maxDuration": "90d"}}
Run = Callable[..., str]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """Sales has orders, inventory has forecast and wants to read them; whoever asks is in inventory."""
    mesh = Mesh().apply(
        a_store(),
        a_domain("sales"),
        a_domain("inventory"),
        a_product("orders", "sales", tags=["finance"], outputPorts=[DAILY]),
        a_product("forecast", "inventory"),
    )
    mesh.settle()
    served = Served(mesh)
    monkeypatch.setattr(application, "Kubectl", served)
    monkeypatch.setenv("NO_COLOR", "1")
    return served


@pytest.fixture
def run(served: Served, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("list", "-o", "json")`: standard output of a command that succeeds; with `code`, all that one said that ends so."""
    del served

    def command(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["kubectl-mesh", *arguments])
        with pytest.raises(SystemExit) as ended:
            application.main()
        said = capfd.readouterr()
        assert (ended.value.code or 0) == code, said
        return said.out + said.err if code else said.out

    return command
