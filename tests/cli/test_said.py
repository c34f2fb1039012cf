"""What a command says: in which form, to whom, and when it cannot do what was asked."""

import json
from typing import Any

import pytest
import typer
import yaml

from clouddatamesh.cli.output import clean
from tests.cli.conftest import DAILY, Run
from tests.support.manifests import a_product
from tests.support.served import Served

ASK = ("request", "sales/orders", "--purpose", "weekly stock forecast")


PAGES = (("list",), ("search", "daily"), ("describe", "sales/orders"), ("tree", "domain/sales"), ("why", "sales/orders"))


@pytest.mark.parametrize("command", PAGES, ids=" ".join)
def test_every_page_is_there_as_data(run: Run, command: tuple[str, ...]) -> None:
    assert json.loads(run(*command, "-o", "json")) == yaml.safe_load(run(*command, "-o", "yaml"))
    assert run(*command)


def test_names_are_for_scripts(run: Run) -> None:
    assert run("list", "-o", "name").split() == ["dp/inventory/forecast", "dp/sales/orders"]
    assert run("list", "-n", "sales", "-o", "name").split() == ["dp/sales/orders"]


def test_the_best_match_comes_first(run: Run, served: Served) -> None:
    served.mesh.apply(a_product("returns", "sales", description={"purpose": "what of orders came back"}, outputPorts=[])).settle()
    assert run("search", "orders", "-o", "name").split() == ["dp/sales/orders", "dp/sales/returns"]
    assert run("search", "orders", "nowhere", "-o", "name") == ""


def test_whoever_may_not_list_everything_sees_the_own_namespace(run: Run, served: Served) -> None:
    served.refused = frozenset({"DataProduct *"})
    assert run("list", "-o", "name").split() == ["dp/inventory/forecast"]


@pytest.mark.parametrize(
    ("refused", "hidden"),
    [
        ({"AccessInbox"}, "nobody has access"),
        ({"Domain"}, "team"),
        ({"AccessRequest"}, "your request"),
    ],
    ids=["the inbox", "Domains", "requests"],
)
def test_what_is_refused_is_left_out(run: Run, served: Served, refused: set[str], hidden: str) -> None:
    run(*ASK)
    served.refused = frozenset(refused)
    page = run("describe", "sales/orders")
    assert "Output ports" in page
    assert hidden not in page


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("describe", "sales/nothing"), "DataProduct sales/nothing does not exist", 1),
        (("describe", "a/b/c"), "names no DataProduct", 2),
        (("describe", "sales/"), "names no DataProduct", 2),
        (("tree", "domain/a/b"), "names no Domain", 2),
        (("request", "sales/orders", "weekly", "--purpose", "x"), "no port weekly; its ports: daily/1.0.0", 1),
        (("request", "sales/orders", "--purpose", "x", "--mode", "ReadWrite"), "offers ReadOnly, not ReadWrite", 1),
        (("request", "sales/orders", "--purpose", "x", "--permanent"), "gives no permanent access; use --duration 90d", 1),
        (("request", "sales/orders", "--purpose", "x", "--duration", "soon"), "--duration: 'soon' is no duration", 1),
        (("request", "sales/orders", "--purpose", "x", "--duration", "0d"), "--duration is zero", 1),
        (("request", "sales/orders"), "Say with --purpose", 2),
        (("request", "sales/orders", "--purpose", "x", "--for", "sales/forecast"), "names no product of your namespace inventory", 2),
        (("approve", "inventory/nothing"), "No request inventory/nothing waits", 1),
        (("revoke", "inventory/nothing"), "No approval of inventory/nothing", 1),
        (("use", "nothing"), "AccessRequest inventory/nothing does not exist", 1),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_a_wrong_argument_gets_a_sentence_with_the_way_out(run: Run, arguments: tuple[str, ...], said: str, code: int) -> None:
    told = run(*arguments, code=code)
    assert said in told
    assert "Traceback" not in told
    assert told.startswith("kubectl mesh: ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (403, 'accessrequests is forbidden: User "kim" cannot create resource'),
            "You may not create AccessRequest inventory/orders-for-forecast",
        ),
        ((409, "already exists"), "exists already; choose another name"),
        ((422, 'AccessRequest "x" is invalid: spec.purpose: Too long'), "spec.purpose: Too long"),
    ],
    ids=["no right", "it exists", "the API server refuses it"],
)
def test_what_the_api_server_refuses_is_said(run: Run, served: Served, answer: tuple[int, str], said: str) -> None:
    served.answers = {"/apis/clouddatamesh.dev/v1alpha1/namespaces/inventory/accessrequests": answer}
    assert said in run(*ASK, code=1)


HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202eevil\u2066\r\nsecond"


def test_no_text_of_a_tenant_steers_the_terminal(run: Run, served: Served) -> None:
    texts: dict[str, Any] = {
        "displayName": HOSTILE,
        "description": {"purpose": HOSTILE, "usage": HOSTILE},
        "owner": {"name": HOSTILE},
        "tags": [HOSTILE],
    }
    port = {**DAILY, "description": HOSTILE, "format": HOSTILE}
    served.mesh.apply(a_product("orders", "sales", documentation={"text": HOSTILE}, outputPorts=[port], **texts)).settle()
    for command in (("list", "-o", "wide"), ("describe", "sales/orders"), ("tree", "sales/orders"), ("why", "sales/orders")):
        said = run(*command)
        assert not {letter for letter in said if letter != "\n" and (ord(letter) < 32 or letter in "\x7f\u202e\u2066")}
        assert "[red]" not in run(*command).replace(HOSTILE, "")


def test_a_note_does_not_steer_the_terminal_of_who_waits(run: Run, served: Served) -> None:
    run(*ASK)
    served.home = "sales"
    run("deny", "inventory/orders-for-forecast", "--note", HOSTILE)
    served.mesh.delete("AccessRequest", "orders-for-forecast", "inventory")
    served.home = "inventory"
    said = run(*ASK, "--wait", code=1)
    assert "refuses it" in said
    assert not {letter for letter in said if letter != "\n" and (ord(letter) < 32 or letter in "\x7f\u202e\u2066")}


@pytest.mark.parametrize("answer", [True, False], ids=["yes", "no"])
def test_an_owner_confirms_what_is_given_as_it_is_asked_for_now(
    run: Run, served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], answer: bool
) -> None:
    access = {"maxDuration": "90d", "modes": ["ReadOnly", "ReadWrite"]}
    served.mesh.apply(a_product("orders", "sales", outputPorts=[{**DAILY, "access": access}])).settle()
    run(*ASK)
    served.mesh.delete("AccessRequest", "orders-for-forecast", "inventory")
    run(*ASK, "--mode", "ReadWrite")
    served.home = "sales"
    shown: list[str] = []

    def confirm(_: str, **__: Any) -> None:
        shown.append(capfd.readouterr().err)
        if not answer:
            raise typer.Abort

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)}))
    said = run("approve", "inventory/orders-for-forecast", code=0 if answer else 1)
    assert "DataProduct inventory/forecast gets ReadWrite access to daily/1.0.0 of sales/orders until " in shown[0]
    assert ("created" in said) is answer


@pytest.mark.parametrize("text", ["[bold red]x[/]", ":warning:", "https://example.com/[link=javascript:x]y"])
def test_text_is_no_markup(run: Run, served: Served, text: str) -> None:
    served.mesh.apply(a_product("orders", "sales", outputPorts=[DAILY], description={"purpose": text})).settle()
    assert text in run("describe", "sales/orders")


def test_lines_of_one_text_become_one_line() -> None:
    assert clean("a\n  b\tc") == "a b c"
    assert clean("    a\tb", keep_indent=True) == "    a b"
