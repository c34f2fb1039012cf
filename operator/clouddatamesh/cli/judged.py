"""What policies in files say of the other manifests in files, for `check`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clouddatamesh.checking.policies import Judged, Violated, check_policies, has_policies
from clouddatamesh.checking.schema import with_defaults
from clouddatamesh.cli.files import Found
from clouddatamesh.cli.remarks import Line
from clouddatamesh.model.expressions import Expressions
from clouddatamesh.model.judging import POLICY_KINDS, WAIVER
from clouddatamesh.model.objects import Key, Manifest, key_of

_AROUND: Final = (*POLICY_KINDS, WAIVER, "Domain")
"""Kinds that files named by --policies give."""
_NAMED: Final = 5
Placed = tuple[Found, Manifest]


@dataclass(frozen=True)
class Opinion:
    """The remarks, and a note on what was not asked; empty where all was."""

    lines: tuple[Line, ...] = ()
    note: str = ""


def judge_files(whole: Sequence[Placed], around: Sequence[Placed]) -> Opinion:
    """Judge manifests that are right one by one, by the policies among them and around them. Without any the engine does not start."""
    around = [one for one in around if one[1]["kind"] in _AROUND]
    manifests, others = ([_stored(manifest) for _, manifest in part] for part in (whole, around))
    if not has_policies((*manifests, *others)):
        return Opinion()
    with _language() as language:
        judged = check_policies(manifests, others, language, datetime.now(UTC))
    places: dict[Key, Found] = {key_of(manifest): found for found, manifest in reversed([*whole, *around])}
    return Opinion(tuple(_lines(judged, places)), _note(judged))


def find_policy_faults(manifests: Sequence[Manifest]) -> Mapping[Key, str]:
    """Why policies that can be read count for nothing: a rule that is none, or one that contradicts or loosens what is above it."""
    with _language() as language:
        judged = check_policies((), [_stored(one) for one in manifests], language, datetime.now(UTC))
    faults = (remark for remark in reversed(judged.remarks) if remark.is_error and remark.key.kind in POLICY_KINDS)
    return {remark.key: f"{remark.field}: {remark.sentence}" for remark in faults}


def _lines(judged: Judged, places: Mapping[Key, Found]) -> Iterator[Line]:
    for remark in judged.remarks:
        verdict = remark.verdict if isinstance(remark, Violated) else None
        place = places[remark.key].place_of(remark.path)
        yield Line(place, str(remark.key), remark.field, remark.sentence, remark.is_error, verdict)


def _stored(manifest: Manifest) -> Manifest:
    """As the API server stores it: with defaults, and without the status that somebody wrote."""
    from clouddatamesh.cli.check import definitions

    given = {name: part for name, part in manifest.items() if name != "status"}
    stored: Manifest = with_defaults(given, definitions()[manifest["kind"]].schema)
    return stored


@contextmanager
def _language() -> Iterator[Expressions]:
    from clouddatamesh.cel.process import CelProcess

    process = CelProcess()
    try:
        yield process
    finally:
        process.close()


def _note(judged: Judged) -> str:
    parts = (
        (judged.unasked, "reads live or training, which only the cluster knows", "read live or training, which only the cluster knows"),
        (judged.unplaced, "needs the Domain, which is not among the files", "need the Domain, which is not among the files"),
    )
    return "\n".join(_not_asked(rules, one if len(rules) == 1 else more) for rules, one, more in parts if rules)


def _not_asked(rules: Sequence[str], why: str) -> str:
    some = f"{', '.join(rules[:_NAMED])}{', …' if len(rules) > _NAMED else ''}"
    return f"1 rule {why}, and was not asked: {some}" if len(rules) == 1 else f"{len(rules)} rules {why}, and were not asked: {some}"
