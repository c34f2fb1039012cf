"""`check`: manifests in files, judged without a cluster."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

import typer

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.kinds import KIND_BY_NAME
from clouddatamesh.checking.faults import Fault
from clouddatamesh.checking.manifest import Definition, Engine, check_manifest
from clouddatamesh.checking.together import check_together
from clouddatamesh.cli.app import app, ends_in_a_sentence
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.files import Found, read_files
from clouddatamesh.cli.judged import judge_files
from clouddatamesh.cli.remarks import Line, Report, print_lines
from clouddatamesh.model.objects import Manifest, key_of

_OURS: Final = f"{GROUP}/{VERSION}"


@app.command("check")
def check(
    files: Annotated[list[str], typer.Argument(help="Files, folders with their subfolders, or - for standard input.")],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of manifests that name none.")] = "default",
    output: Annotated[Report | None, typer.Option("--output", "-o", help="Form of the remarks; in GitHub Actions: github.")] = None,
    policies: Annotated[
        list[str] | None,
        typer.Option("--policies", help="Files or folders with policies, waivers and Domains to judge by; can be repeated."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as errors do.")] = False,
) -> None:
    """Check manifests without a cluster: fields, rules, how they fit together, policies. Exit code 1 where something is wrong."""
    with ends_in_a_sentence():
        found = list(read_files(files))
        looked = look_at(found, namespace)
        around = look_at([one for one in read_files(policies or []) if is_ours(one)], namespace)
        opinion = judge_files(looked.whole, around.whole)
        lines = [*looked.all_lines(), *around.lines, *opinion.lines]
        print_lines(lines, output or (Report.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Report.TEXT))
        errors = sum(line.is_error for line in lines)
        ours = looked.count
        if opinion.note:
            _say(opinion.note)
        _say(f"{ours} manifests, {len(found) - ours} others left out, {errors} errors, {len(lines) - errors} warnings")
        if errors or (strict and lines):
            raise typer.Exit(1)
        if not found:
            raise Failed("The files hold no manifest", code=2)


@dataclass(frozen=True)
class Looked:
    """What was found in files by looking at each manifest by itself."""

    lines: Sequence[Line]
    whole: Sequence[tuple[Found, Manifest]]
    """The manifests of our kinds that are right."""
    count: int
    """How many of the documents are of our kinds."""

    def all_lines(self) -> list[Line]:
        """With what is wrong with the manifests together."""
        return [*self.lines, *_check_all(self.whole)]


def find_remarks(found: Sequence[Found], namespace: str) -> list[Line]:
    """Remarks in the order of the files, then those on the manifests together."""
    return look_at(found, namespace).all_lines()


def is_ours(found: Found) -> bool:
    """Whether a document is of this project, or none at all."""
    return bool(found.fault) or found.manifest["apiVersion"].partition("/")[0] == GROUP


def look_at(found: Sequence[Found], namespace: str) -> Looked:
    """Look at each document by itself, in the order of the files."""
    lines: list[Line] = []
    whole: list[tuple[Found, Manifest]] = []
    count = 0
    for at, one in enumerate(found):
        if one.fault:
            lines.append(Line(one.place, _named(one.manifest), "", one.fault))
        elif is_ours(one):
            count += 1
            faults = list(_check_one(one))
            lines += faults
            if not faults:
                whole.append((one, placed(one.manifest, namespace, number=at)))
        elif one.manifest["kind"] in KIND_BY_NAME and "datamesh" in one.manifest["apiVersion"]:
            why = f"{one.manifest['apiVersion']} is not the group of this project, so the manifest is left out; write {_OURS}"
            lines.append(Line(one.place_of(("apiVersion",)), _named(one.manifest), "apiVersion", why, is_error=False))
    return Looked(lines, whole, count)


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


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
