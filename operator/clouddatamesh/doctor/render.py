"""A report as text for people, or as JSON for programs."""

import json
from collections.abc import Iterator
from typing import Any

from clouddatamesh.doctor.findings import ALL_WELL, TO_DO, Finding, Report
from clouddatamesh.doctor.subject import Subject

_RESULTS = {
    ALL_WELL: "Nothing needs to be done",
    TO_DO: "Something needs to be done",
}


def as_text(report: Report, subject: Subject) -> str:
    """What needs to be done first, then remarks, then what was not checked."""
    return "\n".join(map(_plain, _lines(report, subject))) + "\n"


def _plain(line: str) -> str:
    """Annotations and the words of stores are written by others, and a terminal obeys control characters."""
    return "".join(character if character.isprintable() else "?" for character in line)


def _lines(report: Report, subject: Subject) -> Iterator[str]:
    yield f"clouddatamesh doctor {subject.version}: namespace {subject.namespace}, as {subject.user}. It only reads."
    for title, found in (("To do", report.to_do), ("Remarks", report.remarks)):
        if found:
            yield from ("", f"{title}:")
        for number, one in enumerate(found, start=1):
            yield from _finding(number, one)
    if report.unchecked:
        yield from ("", "Not checked:")
        yield from (f"  - [{one.check}] {one.what}: not checked: {_why(one.missing, by_design=one.by_design)}" for one in report.unchecked)
    if report.checked:
        yield from ("", "Checked:")
        yield from (f"  - [{one.check}] {one.what}" for one in report.checked)
    yield ""
    result = _RESULTS.get(report.exit_code, "No fault was found, and not everything could be checked")
    counts = (len(report.to_do), len(report.remarks), len(report.unchecked))
    yield "{}: {} to do, {} remarks, {} not checked".format(result, *counts)


def _finding(number: int, found: Finding) -> Iterator[str]:
    yield f"  {number}. [{found.check}] {found.object}: {found.what}"
    yield f"     why: {found.why}"
    yield f"     do:  {found.do}"


def _why(missing: str, *, by_design: bool) -> str:
    words = f"{missing} is missing" if missing.startswith("the permission to ") else missing
    return f"{words}. The operator does not have it by design; run doctor from outside" if by_design else words


def as_json(report: Report, subject: Subject) -> str:
    """The same for programs; the names of the fields are stable."""
    document: dict[str, Any] = {
        "version": subject.version,
        "namespace": subject.namespace,
        "user": subject.user,
        "exitCode": report.exit_code,
        "findings": [
            {"check": one.check, "level": one.level, "object": one.object, "what": one.what, "why": one.why, "do": one.do}
            for one in (*report.to_do, *report.remarks)
        ],
        "notChecked": [
            {"check": one.check, "what": one.what, "missing": one.missing, "byDesign": one.by_design} for one in report.unchecked
        ],
        "checked": [{"check": one.check, "what": one.what} for one in report.checked],
    }
    return json.dumps(document, indent=2) + "\n"
