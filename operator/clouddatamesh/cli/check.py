"""`check`: manifests in files, judged without a cluster."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, TextIO

import typer

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.checking.faults import Fault
from clouddatamesh.checking.manifest import Definition, Engine, check_manifest
from clouddatamesh.checking.together import check_together
from clouddatamesh.cli.app import app, ends_in_a_sentence
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import Found, Place, read_files
from clouddatamesh.cli.output import clean
from clouddatamesh.export.writing import to_json
from clouddatamesh.model.objects import Manifest, key_of

_OURS: Final = f"{GROUP}/{VERSION}"


class Report(StrEnum):
    """How remarks are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True)
class Line:
    """One remark: an error, or (a warning) what only the cluster knows."""

    place: Place
    object: str
    field: str
    sentence: str
    is_error: bool = True


@app.command("check")
def check(
    files: Annotated[list[str], typer.Argument(help="Files, folders with their subfolders, or - for standard input.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of manifests that name none.")] = "default",
    output: Annotated[Report | None, typer.Option("--output", "-o", help="Form of the remarks; in GitHub Actions: github.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as errors do.")] = False,
) -> None:
    """Check manifests without a cluster: fields, rules, and how they fit together. Exit code 1 where something is wrong."""
    with ends_in_a_sentence():
        found = list(read_files(files))
        lines, ours = find_remarks(found, namespace)
        _print(lines, output or (Report.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Report.TEXT))
        errors = sum(line.is_error for line in lines)
        _say(f"{ours} manifests, {len(found) - ours} others left out, {errors} errors, {len(lines) - errors} warnings")
        if errors or (strict and lines):
            raise typer.Exit(1)
        if not found:
            raise Failed("The files hold no manifest", code=2)


def find_remarks(found: Sequence[Found], namespace: str) -> tuple[list[Line], int]:
    """Remarks in the order of the files, and how many of the documents are of our kinds."""
    lines: list[Line] = []
    whole: dict[int, tuple[Found, Manifest]] = {}
    count = 0
    for at, one in enumerate(found):
        if one.fault:
            lines.append(Line(one.place, _named(one.manifest), "", one.fault))
        elif one.manifest["apiVersion"].partition("/")[0] == GROUP:
            count += 1
            faults = list(_check_one(one))
            lines += faults
            if not faults:
                whole[at] = one, placed(one.manifest, namespace, number=at)
        elif one.manifest["kind"] in KIND_BY_NAME and "datamesh" in one.manifest["apiVersion"]:
            why = f"{one.manifest['apiVersion']} is not the group of this project, so the manifest is left out; write {_OURS}"
            lines.append(Line(one.place_of(("apiVersion",)), _named(one.manifest), "apiVersion", why, is_error=False))
    return [*lines, *_check_all(list(whole.values()))], count


def _check_one(one: Found) -> Iterator[Line]:
    manifest, name = one.manifest, _named(one.manifest)
    kind = KIND_BY_NAME.get(manifest["kind"])
    if manifest["apiVersion"] != _OURS:
        yield Line(one.place_of(("apiVersion",)), name, "apiVersion", f"{manifest['apiVersion']} is not served; write {_OURS}")
    elif kind is None:
        yield Line(
            one.place_of(("kind",)), name, "kind", f"There is no kind {manifest['kind']} in {_OURS}; kinds: {', '.join(KIND_BY_NAME)}"
        )
    else:
        faults = find_faults(manifest)
        yield from (Line(one.place_of(fault.path), name, fault.field, fault.message) for fault in faults)


def find_faults(manifest: Manifest) -> list[Fault]:
    """What the API server would say of one object of our kinds."""
    return check_manifest(manifest, definitions()[manifest["kind"]], _engine())


def _check_all(whole: Sequence[tuple[Found, Manifest]]) -> Iterator[Line]:
    places: dict[Any, list[Found]] = {}
    for one, manifest in whole:
        places.setdefault(key_of(manifest), []).append(one)
    for remark in check_together([manifest for _, manifest in whole]):
        one = places[remark.key][-1]
        yield Line(one.place_of(remark.path), str(remark.key), remark.field, remark.sentence, remark.is_error)


def placed(manifest: Manifest, namespace: str, *, number: int = 0) -> Manifest:
    """With the namespace that kubectl would give it; objects of the cluster have none. A name to be made is one by its number."""
    kind, metadata = KIND_BY_NAME[manifest["kind"]], manifest["metadata"]
    given = {"namespace": metadata.get("namespace") or namespace} if kind.scope == "Namespaced" else {}
    name = metadata.get("name") or f"{metadata['generateName']}{number}…"
    return {**manifest, "metadata": {**{key: part for key, part in metadata.items() if key != "namespace"}, **given, "name": name}}


@cache
def definitions() -> Mapping[str, Definition]:
    """Of each kind, as its CRD has it."""
    from clouddatamesh.generate.crds import build_crd

    def define(kind: Any) -> Definition:
        version = build_crd(kind)["spec"]["versions"][-1]
        return Definition(version["schema"]["openAPIV3Schema"], kind.scope == "Namespaced")

    return {name: define(kind) for name, kind in KIND_BY_NAME.items()}


def _engine() -> Engine:
    from clouddatamesh.cel.engine import judge, match

    return Engine(match, judge)


def _named(manifest: Mapping[str, Any]) -> str:
    metadata = manifest.get("metadata")
    place = metadata if isinstance(metadata, Mapping) else {}
    name = "/".join(str(place[part]) for part in ("namespace", "name") if place.get(part))
    return f"{manifest.get('kind', '')} {name}".strip()


def _print(lines: Sequence[Line], report: Report) -> None:
    if report is Report.JSON:
        items = [
            {"file": line.place.file, "line": line.place.line, "object": line.object, "field": line.field, "message": line.sentence}
            | {"level": _level(line)}
            for line in lines
        ]
        sys.stdout.write(to_json({"items": items}))
        return
    print_lines(lines, report)


def print_lines(lines: Sequence[Line], report: Report = Report.TEXT, *, to: TextIO | None = None) -> None:
    """Remarks as lines, or as annotations of GitHub; to standard output unless it is for data."""
    out = to or sys.stdout
    for line in lines:
        said = ": ".join(part for part in (line.object, line.field, line.sentence) if part)
        if report is Report.GITHUB:
            out.write(f"::{_level(line)} file={_property(line.place.file)},line={line.place.line}::{_escaped(said)}\n")
        else:
            out.write(f"{clean(str(line.place))}: {_level(line)}: {clean(said)}\n")


def _level(line: Line) -> str:
    return "error" if line.is_error else "warning"


def _escaped(text: str) -> str:
    """As a workflow command of GitHub wants it: no text can end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
