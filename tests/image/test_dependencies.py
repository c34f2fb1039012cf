"""What is installed is locked by hash, and what the package index knows of faults in it fails here."""

import re
from pathlib import Path
from typing import Any

import pytest

from hack.tools.advisories import SHIPPED, Advisories, ask, read_answer
from hack.tools.children import ROOT
from tests.image.licences import refused

LOCKS = sorted({*ROOT.glob("requirements*.txt"), *ROOT.glob("docs/requirements.txt"), *SHIPPED, *(ROOT / "hack" / "tools").glob("*.txt")})


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_requirement_is_pinned_by_hash_and_names_no_host(lock: Path) -> None:
    text = re.sub(r"\\\n", "", lock.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert all(re.match(r"^[A-Za-z0-9._-]+(\[[a-z,0-9]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert "://" not in text


def test_the_makefile_locks_every_file() -> None:
    command = (ROOT / "Makefile").read_text()
    names = {str(lock.relative_to(ROOT).with_suffix("")) for lock in LOCKS}
    (listed,) = re.findall(r"for name in ([^;]+); do", command.replace("\\\n", " "))
    assert set(listed.split()) == names
    assert all((ROOT / f"{name}.in").is_file() for name in names)


def test_no_shipped_version_has_a_known_vulnerability() -> None:
    advisories = ask()
    assert advisories.found == ()
    if advisories.unchecked:
        pytest.skip(
            f"the package index did not answer for {len(advisories.unchecked)} packages, so they were not checked for vulnerabilities"
        )


def test_an_index_that_does_not_answer_is_not_taken_for_a_clean_one() -> None:
    silent = {"name": "a", "skip_reason": "Dependency not found on PyPI and could not be audited: a (1.0)"}
    clean = {"name": "b", "version": "1.0", "vulns": []}
    faulty = {"name": "c", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}, {"id": "PYSEC-2", "fix_versions": []}]}
    assert read_answer({"dependencies": [silent, clean, faulty]}) == Advisories(
        found=("c 1.0: PYSEC-1, fixed in 1.1", "c 1.0: PYSEC-2, fixed in no version yet"), unchecked=("a",)
    )


def test_licences_that_ask_more_than_attribution_are_refused() -> None:
    def component(name: str, *licences: str) -> dict[str, Any]:
        return {"name": name, "licenses": [{"license": {"id": licence}} for licence in licences]}

    fine: list[dict[str, Any]] = [
        component("a", "MIT"),
        component("certifi", "MPL-2.0"),
        {"name": "b", "licenses": [{"expression": "Apache-2.0 AND MIT"}]},
    ]
    wrong = [component("c", "GPL-3.0-only"), component("d", "MIT", "MPL-2.0"), component("e")]
    assert refused(fine) == {}
    assert set(refused([*fine, *wrong])) == {"c", "d", "e"}
