"""docs/security.md lists every hostile case; its last part is written from the tables that the tests run."""

import os

from tests.e2e.refusals_access import ACCESS_RULES
from tests.e2e.test_access_matrix import RULE
from tests.security.attempts import ATTEMPTS, BY_RULE
from tests.security.hostile import HOSTILE
from tests.security.hostile_adoption import THEFTS
from tests.security.hostile_endings import ENDINGS
from tests.security.hostile_secrets import SECRETS
from tests.security.stolen import ACTS
from tests.security.stolen_gate import ACTS as GATE_ACTS
from tests.support.installation import ROOT

PAGE = ROOT / "docs" / "security.md"
UPDATE = "UPDATE=1 pytest tests/security/test_page.py"
HEAD = "## Every case\n"


def keys() -> list[tuple[str, str]]:
    """What a key of a ReadOnly grant may not do, as the matrix of access has it."""
    rows = [line.rsplit(maxsplit=3) for line in RULE.strip("\n").splitlines()[1:]]
    return [(f"with the key of a ReadOnly grant: {what.strip()}", "the principal's policy") for what, read, *_ in rows if read == "-"]


def cases() -> dict[str, list[tuple[str, str]]]:
    """Act and what stops it, by the test that tries it."""
    return {
        "On the API server and RGW, with and without the policies of the chart (`tests/security/test_attempts.py`)": [
            (attempt.what, attempt.by + (" (nothing without it)" if attempt.needs_policy else "")) for attempt in ATTEMPTS
        ],
        "On the API server, with a token of the operator (`tests/e2e/test_stolen_token.py`)": [(act.what, act.by) for act in ACTS],
        "On the API server, with a token of the gate program (`tests/e2e/test_stolen_gate.py`)": [
            (f"the gate program's token {act.what}", act.by) for act in GATE_ACTS
        ],
        "On the fakes, where there are no policies (`tests/security/test_hostile.py`)": [
            (case.what, case.by) for case in (*HOSTILE, *ENDINGS, *SECRETS)
        ],
        "On the fakes, against buckets of others (`tests/security/test_hostile_adoption.py`)": [(theft.what, theft.by) for theft in THEFTS],
        "On RGW, and on moto except for the differences in Object stores (`tests/e2e/test_access_matrix.py`)": keys(),
        "On the API server (`tests/e2e/test_crds.py`)": [(refusal.what, BY_RULE) for refusal in ACCESS_RULES if refusal.after],
    }


def listed() -> str:
    """The part of the page."""
    parts = [f"### {where}\n\n| act | what stops it |\n|---|---|\n{_lines(rows)}" for where, rows in cases().items()]
    count = sum(len(rows) for rows in cases().values())
    return "\n\n".join([HEAD.rstrip(), f"{count} cases. This part is generated from the tables of the tests by `{UPDATE}`.", *parts]) + "\n"


def _lines(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"| {act} | {by} |" for act, by in rows)


def test_no_case_is_told_twice() -> None:
    told = [act for rows in cases().values() for act, _ in rows]
    assert sorted(told) == sorted(set(told))
    assert len(told) >= 350


def test_the_page_is_fresh() -> None:
    told = PAGE.read_text(encoding="utf-8")
    want = told.partition(HEAD)[0].rstrip() + "\n\n" + listed()
    if os.environ.get("UPDATE"):
        PAGE.write_text(want, encoding="utf-8")
        told = want
    assert told == want, f"run {UPDATE}"
