"""`check` as a program: places, forms, exit codes; and that it needs no cluster."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.cli.kubectl import Kubectl
from tests.cli.conftest import Run
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_product, a_store

RETAIL = ROOT / "examples" / "retail"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cluster, no kubectl, an empty folder, and not in a workflow of GitHub."""
    monkeypatch.setattr(Kubectl, "__enter__", lambda _: pytest.fail("check asked for a cluster"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.chdir(tmp_path)


def write(name: str, *manifests: Any) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(manifests, sort_keys=False))
    return name


def test_a_mesh_that_is_whole(run: Run) -> None:
    assert run("check", str(RETAIL)) == ""
    assert json.loads(run("check", str(RETAIL), "-o", "json")) == {"items": []}


def test_each_fault_has_its_line(run: Run) -> None:
    wrong = a_product("orders", lifecycle="live")
    file = write(
        "a/products.yaml", a_store(), a_domain(), wrong, {**wrong, "spec": {**wrong["spec"], "lifecyle": "live", "lifecycle": "draft"}}
    )
    lines = Path(file).read_text().splitlines()
    said = run("check", "a", code=1)
    at = [number for number, line in enumerate(lines, 1) if "lifecycle: live" in line or "lifecyle" in line]
    assert f'{file}:{at[0]}: error: DataProduct sales/orders: spec.lifecycle: Unsupported value: "live"' in said
    assert f'{file}:{at[1]}: error: DataProduct sales/orders: spec.lifecyle: unknown field "spec.lifecyle"' in said
    assert "4 manifests, 0 others left out, 2 errors, 0 warnings" in said


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"apiVersion": "clouddatamesh.dev/v1", "kind": "Domain"}, "clouddatamesh.dev/v1 is not served; write clouddatamesh.dev/v1alpha1"),
        ({"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "Dataproduct"}, "There is no kind Dataproduct in"),
        ({"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "Domain"}, "metadata: Invalid value"),
        ({"kind": "Domain"}, "it needs apiVersion and kind, as texts"),
        ({"kind": ["Domain"], "apiVersion": "v1"}, "it needs apiVersion and kind, as texts"),
        (["a"], "This is no manifest; a manifest is a map"),
        ("{{ template }}", "This is no manifest"),
    ],
)
def test_what_is_no_manifest_of_ours(run: Run, manifest: Any, said: str) -> None:
    assert said in run("check", write("x.yaml", manifest), code=1)


def test_other_kinds_are_left_out_and_lists_are_opened(run: Run) -> None:
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    whole = {"apiVersion": "v1", "kind": "List", "items": [other, a_store(), a_domain(), a_product(lifecycle="live")]}
    said = run("check", write("x.yaml", whole), code=1)
    line = next(number for number, text in enumerate(Path("x.yaml").read_text().splitlines(), 1) if "lifecycle: live" in text)
    assert f"x.yaml:{line}: error: DataProduct sales/orders: spec.lifecycle" in said
    assert "3 manifests, 1 others left out, 1 errors" in said


def test_a_list_in_a_list_and_a_foreign_group(run: Run) -> None:
    inner = {"apiVersion": "v1", "kind": "List", "items": [a_store()]}
    assert "A list is in a list" in run("check", write("x.yaml", {"apiVersion": "v1", "kind": "List", "items": [inner]}), code=1)
    foreign = {**a_store(), "apiVersion": "clouddatamesh.io/v1alpha1"}
    said = run("check", write("x.yaml", a_store(), foreign), "--strict", code=1)
    assert "clouddatamesh.io/v1alpha1 is not the group of this project, so the manifest is left out" in said


def test_names_to_be_made_are_no_twins(run: Run) -> None:
    made = [{**a_domain(), "metadata": {"generateName": "team-"}, "spec": {"namespaces": [{"name": name}]}} for name in ("a", "b")]
    assert run("check", write("x.yaml", *made)) == ""


def test_warnings_fail_only_when_strict(run: Run) -> None:
    file = write("x.yaml", a_product())
    assert "warning" in run("check", file)
    assert "0 errors, 2 warnings" in run("check", file, "--strict", code=1)


def test_a_namespace_that_is_not_named_is_given(run: Run) -> None:
    homeless = a_product()
    del homeless["metadata"]["namespace"]
    file = write("x.yaml", a_store(), a_domain(), homeless)
    assert run("check", file, "-n", "sales", "--strict") == ""
    assert "No Domain among the files has namespace default" in run("check", file, "--strict", code=1)


def test_workflows_of_github_get_annotations_that_no_text_ends(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    name = "a,b:c.yaml"
    said = run("check", write(name, a_store(), a_domain(), a_product(lifecycle="50%\n::error::forged")), code=1)
    (line,) = (line for line in said.splitlines() if line.startswith("::"))
    assert line.startswith("::error file=a%2Cb%3Ac.yaml,line=")
    assert "50%25" in line
    assert "\n::error::forged" not in said


def test_texts_cannot_steer_the_terminal(run: Run) -> None:
    said = run("check", write("x.yaml", a_store(), a_domain(), a_product(lifecycle="\x1b[2J\u202egone")), code=1)
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.yaml",), "There is no file gone.yaml"),
        (("empty",), "Folder empty has no file that ends in .yaml, .yml, .json"),
        (("nothing.yaml",), "The files hold no manifest"),
    ],
)
def test_nothing_to_check_is_a_mistake(run: Run, arguments: tuple[str, ...], said: str) -> None:
    Path("empty").mkdir()
    Path("nothing.yaml").write_text("# nothing\n---\n")
    assert said in run("check", *arguments, code=2)


def test_a_file_is_read_whole_or_not_at_all(run: Run) -> None:
    Path("x.yaml").write_bytes(b"# " + "\u00e9".encode() * 6_000_000 + b"\n" + yaml.safe_dump(a_product(lifecycle="live")).encode())
    assert "The file is larger than 10 MiB; divide it" in run("check", "x.yaml", code=1)


def test_names_and_words_that_no_terminal_makes(run: Run) -> None:
    assert "There is no file" in run("check", "x" * 5000, code=2)
    said = run("init", "domain", "x", "-p", "caf\udce9", "--owner", "y", "-f", "-", code=2)
    assert "cannot be written as YAML" in said


@pytest.mark.parametrize(("body", "said"), [(b"\xff\xfe\x00", "it is not text in UTF-8"), (b"a: [", "x.yaml:2: error: This is not YAML")])
def test_a_file_that_is_no_text(run: Run, body: bytes, said: str) -> None:
    Path("x.yaml").write_bytes(body)
    assert said in run("check", "x.yaml", code=1)
