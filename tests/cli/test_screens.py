"""What each command prints, as files: help, table, data, a mistake, no rights, no cluster.

`pytest tests/cli --update-golden` writes them again.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from clouddatamesh.cli import app as application
from clouddatamesh.cli.errors import Failed
from tests.cli.conftest import Run
from tests.support.installation import ROOT
from tests.support.manifests import a_product, a_profile, a_team
from tests.support.served import Served

SCREENS: Final = Path(__file__).parent / "screens"
TIME: Final = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
KEY: Final = re.compile(r"(AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY)=).*")
KINDS: Final = (
    "DataProduct",
    "Domain",
    "AccessRequest",
    "AccessGrant",
    "AccessInbox",
    "ObjectStore",
    "Secret",
    "Namespace",
    "DomainProfile",
)
RETAIL: Final = str((ROOT / "examples" / "retail").relative_to(ROOT))
PROFILE: Final = a_profile(
    team=a_team(("kim", "owner", "2025-01-01", ""), ("lee", "engineer", "", "2026-12-31")),
    training=[{"name": "gdpr", "requiredFor": ["owner"], "validFor": "365d"}, {"name": "s3"}],
    stakeholders=[{"name": "Robin Doe", "role": "Head of Sales"}],
)
DESCRIPTORS: Final = "tests/support/descriptors"
ASKED: Final = "request sales/orders --for forecast --purpose 'weekly stock forecast' --duration 30d"
WORKS: Final[dict[str, tuple[str, ...]]] = {
    "list": ("list", "list -o wide", "list -o json", "list -o yaml", "list -o name", "list -n nowhere"),
    "search": ("search orders", "search orders -o name", "search nothing"),
    "describe": (
        "describe sales/orders",
        "describe sales/orders -o yaml",
        "describe sales/orders -o name",
        "describe domain/sales",
        "describe domain/inventory",
    ),
    "tree": ("tree domain/sales", "tree sales/orders -o json"),
    "why": ("why inventory/lost", "why areq/inventory/second -o json", "why sales/orders"),
    "map": ("map", "map -o json", "map -n inventory", "map -o name", "map -n nowhere"),
    "requests": ("requests", "requests --mine", "requests -o json", "requests --mine -o yaml", "requests -o name"),
    "request": (f"{ASKED} --name third -o yaml", f"{ASKED} --name third --dry-run", f"{ASKED} --name third -o name"),
    "renew": ("renew first --reason 'it goes on' -o yaml", "renew first"),
    "approve": ("approve inventory/second --until 7d -o json", "approve inventory/second --dry-run"),
    "deny": ("deny inventory/second --note 'use returns' -o yaml", "deny inventory/second"),
    "revoke": ("revoke inventory/first --dry-run", "revoke inventory/first -n sales"),
    "use": ("use first",),
    "check": (f"check {RETAIL}", f"check {RETAIL} -o json"),
    "plan": (f"plan {RETAIL}", f"plan {RETAIL}/30-requests.yaml -o yaml"),
    "export": (
        "export sales/orders",
        "export sales/orders --odps-version 1.0.0 -o json",
        "export sales/orders --format odcs",
        "export -A --format backstage -o name",
    ),
    "import": (
        f"import {DESCRIPTORS}/changes.odcs.yaml -n sales",
        f"import {DESCRIPTORS}/orders.odps.yaml {DESCRIPTORS}/orders-daily.odcs.yaml -n sales --store main",
        f"import {DESCRIPTORS}/changes.odcs.yaml -n sales --dry-run",
    ),
    "init": (
        "init domain retail -p shops --owner retail-owners -f -",
        "init product orders -n sales -p 'order lines' --owner 'Kim Roe' -f -",
    ),
}
FAILS: Final[dict[str, tuple[str, ...]]] = {
    "list": ("list --output xml",),
    "search": ("search",),
    "describe": ("describe sales/gone", "describe a/b/c"),
    "tree": ("tree domain/gone",),
    "why": ("why areq/gone",),
    "map": ("map sales",),
    "requests": ("requests --yours",),
    "request": ("request sales/orders hourly --purpose x",),
    "renew": ("renew gone",),
    "approve": ("approve inventory/gone",),
    "deny": ("deny inventory/gone",),
    "revoke": ("revoke inventory/gone",),
    "use": ("use gone", "use second"),
    "check": ("check gone.yaml", "check WRONG"),
    "plan": ("plan gone.yaml", "plan WRONG"),
    "export": ("export sales/gone", "export --format xml"),
    "import": ("import gone.yaml -n sales", "import WRONG -n sales --report json"),
    "init": ("init domain retail", "init product Orders -n sales -p x --owner y"),
}
OFFLINE: Final = ("check", "init")


@pytest.fixture
def screen(run: Run, served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """One request is granted, another waits; `screen("list")` is all that the command says, and its exit code."""
    lost = {"name": "in", "from": {"namespace": "sales", "dataProduct": "gone", "outputPort": {"name": "daily", "version": "1.0.0"}}}
    served.mesh.apply(a_product("lost", "inventory", inputPorts=[lost], outputPorts=[]), PROFILE).settle()
    run(*shlex.split(ASKED), "--name", "first")
    run("approve", "inventory/first")
    run(*shlex.split(ASKED), "--name", "second")
    wrong = tmp_path / "WRONG"
    wrong.write_text(
        "apiVersion: clouddatamesh.dev/v1alpha1\nkind: DataProduct\nmetadata: {name: wrong, namespace: sales}\nspec: {lifecycle: live}\n"
    )
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "120")

    def screen(typed: str, *, code: int | None = None) -> str:
        given = [str(wrong) if word == "WRONG" else word for word in shlex.split(typed)]
        for wanted in (0, 1, 2, 3) if code is None else (code,):
            try:
                said = run(*given, code=wanted)
            except AssertionError as error:
                if code is not None or "CaptureResult" not in str(error):
                    raise
                continue
            text = KEY.sub(r"\1<key>", TIME.sub("<time>", said.replace(str(wrong), "WRONG")))
            return f"$ kubectl mesh {typed}\n{text}{f'[{wanted}]' if wanted else ''}\n"
        raise AssertionError(typed)

    return screen


def everything(command: str, screen: Callable[..., str], served: Served, monkeypatch: pytest.MonkeyPatch) -> str:
    """One section a run. First the help, at last without rights and without a cluster."""
    parts = [screen(f"{command} --help", code=0)]
    parts += [screen(typed, code=0) for typed in WORKS[command]]
    parts += [screen(typed) for typed in FAILS[command]]
    first = WORKS[command][0]
    served.refused = frozenset(KINDS)
    parts.append("# without rights\n" + screen(first))
    monkeypatch.setattr(application, "Kubectl", _no_cluster)
    parts.append("# without a cluster\n" + screen(first))
    return "\n".join(parts)


def _no_cluster(_: object) -> None:
    raise Failed("kubectl is not on the PATH; install it, since it knows how to log in to your cluster")


@pytest.mark.parametrize("command", WORKS)
def test_each_command_prints_what_it_did(
    request: pytest.FixtureRequest, screen: Callable[..., str], served: Served, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    said = everything(command, screen, served, monkeypatch)
    file = SCREENS / f"{command}.txt"
    if request.config.getoption("--update-golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")
    assert "Traceback" not in said
    without = said.partition("# without rights\n")[2]
    assert command in OFFLINE or re.search(r"\[[12]\]", without), "no rights and no cluster are no success"


def test_every_command_has_its_screens() -> None:
    from typer.main import get_command

    application.load_commands()
    commands = set(getattr(get_command(application.app), "commands"))  # noqa: B009 - typer's own type has it
    assert commands - {"doctor", "policies"} == set(WORKS) == set(FAILS)
