"""Files that begin with a brace are read as `kubectl apply -f` reads them: JSON, one document after the other."""

from pathlib import Path

import pytest

from clouddatamesh.cli.files import read_files

ONE = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'
TWO = '{"apiVersion":"v1",\n"kind":"ConfigMap","metadata":{"name":"b"}}'


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (f"{ONE}\n{TWO}\n", [("a", 1), ("b", 2)]),
        (f"\n\n  {TWO}{ONE}", [("b", 3), ("a", 4)]),
        ("---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a},}\n", [("a", 2)]),
        (f"# c\n{ONE[:-1]},}}\n", [("a", 2)]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", [("a", 1)]),
        (f"\ufeff{ONE}", [("a", 1)]),
    ],
    ids=["a stream", "without a line between", "flow YAML after ---", "after a comment", "YAML in a .json", "a byte order mark"],
)
def test_what_kubectl_takes(tmp_path: Path, text: str, places: list[tuple[str, int]]) -> None:
    file = tmp_path / "mesh.json"
    file.write_text(text, encoding="utf-8")
    found = list(read_files([str(file)]))
    assert not [one.fault for one in found if one.fault]
    assert [(one.manifest["metadata"]["name"], one.place_of(("apiVersion",)).line) for one in found] == places


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", 1),
        (f"{ONE}\n---\n{TWO}", 2),
        (f"{ONE[:-1]},}}", 1),
        (f"{ONE} # a comment", 1),
        (f"{ONE}\n...\n", 2),
        (f'{ONE}\n{{"a": NaN}}', 2),
    ],
    ids=["flow YAML", "--- between", "a comma too many", "a comment", "an end of YAML", "NaN"],
)
def test_what_kubectl_refuses(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "mesh.yaml"
    file.write_text(text)
    *_, last = read_files([str(file)])
    assert "kubectl reads a file that begins with { as JSON" in last.fault
    assert last.place.line == line


def test_what_is_too_deep_is_said(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_text('{"a":' * 100_000)
    (found,) = read_files([str(file)])
    assert found.fault
