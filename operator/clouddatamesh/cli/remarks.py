"""Remarks on files: their places, and how they are printed."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TextIO

from clouddatamesh.cli.files import Place
from clouddatamesh.cli.output import clean
from clouddatamesh.export.writing import to_json
from clouddatamesh.model.judging import Verdict

_OF_POLICIES: Final = ("policy", "rule", "enforcement", "severity", "remediation")


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
    verdict: Verdict | None = None
    """Where it is a rule of a policy that the object breaks."""


def print_lines(lines: Sequence[Line], report: Report = Report.TEXT, *, to: TextIO | None = None) -> None:
    """Remarks as lines, as data, or as annotations of GitHub; to standard output unless it is for data."""
    out = to or sys.stdout
    if report is Report.JSON:
        sys.stdout.write(to_json({"items": [_item(line) for line in lines]}))
        return
    for line in lines:
        said = ": ".join(part for part in (line.object, line.field, line.sentence) if part)
        if report is Report.GITHUB:
            out.write(f"::{_level(line)} file={_property(line.place.file)},line={line.place.line}::{_escaped(said)}\n")
        else:
            out.write(f"{clean(str(line.place))}: {_level(line)}: {clean(said)}\n")


def _item(line: Line) -> dict[str, Any]:
    place, verdict = line.place, line.verdict
    item = {"file": place.file, "line": place.line, "object": line.object, "field": line.field, "message": line.sentence}
    broken = {} if verdict is None else {name: getattr(verdict, name) for name in _OF_POLICIES}
    return {**item, "level": _level(line), **{name: said for name, said in broken.items() if said}}


def _level(line: Line) -> str:
    return "error" if line.is_error else "warning"


def _escaped(text: str) -> str:
    """As a workflow command of GitHub wants it: no text can end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
