"""`init` as a program: what it writes is taken by the API server as it is, and over nothing that exists."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clouddatamesh.checking.documents import read_documents
from clouddatamesh.cli.check import find_remarks
from clouddatamesh.cli.complete import complete
from clouddatamesh.cli.files import Found, Place
from clouddatamesh.cli.starters import DomainStart, ProductStart, start_domain, start_product, start_profile
from tests.cli.conftest import Run
from tests.support.installation import ROOT

DOMAIN = ("init", "domain", "sales", "--purpose", "orders", "--owner", "sales-owners")
PRODUCT = ("init", "product", "orders", "-n", "sales", "--purpose", "orders", "--owner", "Kim Roe")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def remarks(text: str) -> list[str]:
    found = [Found(Place("x", 1), document.value, document) for document in read_documents(text)]
    return [f"{line.field} {line.sentence}" for line in find_remarks(found, "default") if line.is_error]


def uncommented(text: str) -> str:
    """Every line that is commented out for later, as if the user took the marks away; `…` becomes a word."""
    plain = re.sub("^# .*\n", "", text, flags=re.MULTILINE)
    lines = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") and ":" in line else line for line in plain.splitlines()]
    return "\n".join(lines).replace("https://…", "https://example.com").replace("email: …", "email: kim@example.com").replace("…", "x")


@pytest.mark.parametrize("command", [DOMAIN, PRODUCT], ids=["domain", "product"])
def test_it_is_written_and_passes(run: Run, command: tuple[str, ...]) -> None:
    run(*command)
    files = sorted(Path().iterdir(), reverse=True)
    assert [remarks(file.read_text()) for file in files] == [[]] * len(files)
    assert run(*command, "-f", "-") == "---\n".join(file.read_text() for file in files)


def test_a_profile_is_written_beside_its_domain_and_over_none(run: Run) -> None:
    run(*DOMAIN, "--team", "Sales Data")
    profile = yaml.safe_load(Path("sales-profile.yaml").read_text())
    assert (profile["kind"], profile["metadata"]) == ("DomainProfile", {"name": "sales", "namespace": "sales"})
    assert profile["spec"] == {"description": {"purpose": "orders"}, "team": {"name": "Sales Data"}}
    Path("sales.yaml").unlink()
    assert "sales-profile.yaml exists already" in run(*DOMAIN, code=1)
    assert not Path("sales.yaml").exists()


@pytest.mark.parametrize("command", [DOMAIN, PRODUCT], ids=["domain", "product"])
def test_what_is_commented_passes_as_well(run: Run, command: tuple[str, ...]) -> None:
    text = uncommented(run(*command, "-f", "-"))
    assert remarks(text) == [], text
    assert all(len(found["spec"]) > 5 for found in yaml.safe_load_all(text))


def test_it_writes_over_nothing(run: Run) -> None:
    Path("sales.yaml").write_text("mine")
    assert "sales.yaml exists already; choose another one with --file" in run(*DOMAIN, code=1)
    assert Path("sales.yaml").read_text() == "mine"
    run(*DOMAIN, "--force")
    assert "kind: Domain" in Path("sales.yaml").read_text()
    assert "cannot be written" in run(*DOMAIN, "-f", "no/such/folder/x.yaml", code=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "domain", "sales"), "Give --purpose; there is no terminal to ask in"),
        (("init", "domain", "sales", "-p", "x"), "Give --owner"),
        (("init", "product", "orders", "-p", "x", "--owner", "y"), "Give --namespace"),
        (("init", "product", "Orders", "-n", "s", "-p", "x", "--owner", "y"), "metadata.name: Invalid value"),
        ((*PRODUCT, "--classification", "secret"), "spec.classification: Unsupported value"),
        ((*PRODUCT, "--port", "a", "--port", "a"), "spec.outputPorts[1]: Duplicate value"),
        (("init", "domain", "default", "-p", "x", "--owner", "y"), "No namespace can have the name of this Domain"),
    ],
)
def test_what_would_be_refused_is_not_written(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in run(*arguments, code=2)
    assert list(Path().iterdir()) == []


def test_groups_are_parted_by_commas(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clouddatamesh.cli.init._ask", lambda *_: "Sales Team, others")
    written = next(yaml.safe_load_all(run("init", "domain", "sales", "--purpose", "x", "-f", "-")))
    assert [one["name"] for one in written["spec"]["access"]["owners"]] == ["Sales Team", "others"]


texts = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["a\u2028evil: x", "a\x85evil: x", "a\nsuspend: true", "a'\"b", "x # y", "{a: b}", "\U0001f600"]
)


@given(texts, texts, texts)
def test_a_text_is_a_text_and_nothing_more(name: str, purpose: str, who: str) -> None:
    """No text that is given makes another field."""
    for text, fields in (
        (start_domain(DomainStart(name, purpose, [who], [who], who)), {"displayName", "description", "team", "access"}),
        (start_profile(DomainStart(name, purpose, [who], [who], who)), {"description", "team"}),
        (start_product(ProductStart(name, name, purpose, who, who, who, [who], who, who, True)), None),
    ):  # fmt: skip
        try:
            (document,) = read_documents(text)
        except Exception as error:
            assert "character that YAML does not allow" in str(error)
            continue
        spec: dict[str, Any] = document.value["spec"]
        assert fields is None or set(spec) == fields
        assert spec["description"] == {"purpose": purpose}
        assert "suspend" not in spec


@pytest.mark.parametrize(
    ("words", "expected", "directive"),
    [
        (["de"], ["describe", "deny"], 4),
        (["init", ""], ["domain", "product"], 4),
        (["list", "--out"], ["--output"], 4),
        (["list", "-o", ""], ["table", "wide", "json", "yaml", "name"], 4),
        (["check", ""], [], 0),
        (["plan", "-n", ""], [], 4),
        (["nonsense", "x"], [], 4),
        ([], ["list", "why", "use"], 4),
    ],
)
def test_kubectl_completes(words: list[str], expected: list[str], directive: int) -> None:
    *lines, last = complete(words)
    found = [line.partition("\t")[0] for line in lines]
    assert set(expected) <= set(found)
    assert last == f":{directive}"
    assert all(word.startswith(words[-1] if words else "") for word in found)


def test_kubectl_finds_the_program() -> None:
    program = ROOT / ".venv" / "bin" / "kubectl_complete-mesh"
    done = subprocess.run([program, "sea"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("search\tSearch products")
