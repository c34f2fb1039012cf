"""What a status, an event or an annotation says is explained to whoever meets it at night, and every link of the pages leads somewhere."""

import re
from pathlib import Path

import pytest

from clouddatamesh.advice import ADVICE
from clouddatamesh.generate import reasons as generated
from clouddatamesh.generate.schema import Refused
from clouddatamesh.plan import marks
from tests.support.installation import ROOT

DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / ".github").glob("*.md")})
ANNOTATIONS = (DOCS / "operations" / "annotations.md").read_text(encoding="utf-8")
OF_PEOPLE = (
    marks.RECONCILE_ANNOTATION,
    marks.ROTATE_ANNOTATION,
    marks.RECREATE_ANNOTATION,
    marks.APPLY_PLAN_ANNOTATION,
    marks.FORCE_ANNOTATION,
    marks.ORPHAN_ANNOTATION,
    marks.CUT_OFF_ANNOTATION,
    marks.ACCOUNT_ANNOTATION,
    marks.END_TAKEN_OVER_ANNOTATION,
    marks.ADOPT_ANNOTATION,
    marks.ADOPT_TAG,
    marks.TRANSFER_TAG,
    marks.ADOPTED_TAG,
    marks.RELEASED_TAG,
)


def test_every_reason_has_a_meaning_and_advice() -> None:
    meanings = generated.read_meanings()
    assert len(meanings) > 80
    assert all(f"| `{reason}` | {meaning} |" in generated.reasons_page() for reason, meaning in meanings.items())
    assert [said for said in meanings.values() if not said.endswith(".")] == []
    assert [said for rows in ADVICE.values() for said in rows.values() if not said.endswith(".")] == []


def test_a_reason_without_advice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = {subject: {reason: said for reason, said in rows.items() if reason != "NotOwned"} for subject, rows in ADVICE.items()}
    monkeypatch.setattr(generated, "ADVICE", rest)
    with pytest.raises(Refused, match=r"NotOwned is either not in reasons\.py or has no advice"):
        generated.reasons_page()


def test_a_reason_with_two_kinds_of_advice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "ADVICE", {**ADVICE, "Again": {"NotOwned": "Nothing."}})
    with pytest.raises(Refused, match="two subjects"):
        generated.reasons_page()


@pytest.mark.parametrize("mark", sorted(set(OF_PEOPLE)))
def test_every_mark_that_people_set_is_in_the_page_on_annotations(mark: str) -> None:
    assert f"`{mark}=" in ANNOTATIONS


def slugs(page: Path) -> set[str]:
    """The anchors of a page, as GitHub and MkDocs make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", head.replace("`", "")).strip().lower()) for head in heads}


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [link for link in re.findall(r"\[[^\]]+\]\(([^)\s]+)\)", text) if "://" not in link]


def is_broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in slugs(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    assert [link for link in links(page) if is_broken(page, link)] == []


def test_a_planted_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One head\n[b](b.md) [a](#one-head) [c](#two)\n", encoding="utf-8")
    assert [link for link in links(tmp_path / "a.md") if is_broken(tmp_path / "a.md", link)] == ["b.md", "#two"]


def test_every_page_can_be_found_from_the_navigation() -> None:
    shown = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2])
    decisions = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(DOCS)): page.name for page in DOCS.rglob("*.md")}
    assert [path for path, name in pages.items() if path not in shown and f"({name})" not in decisions] == []
    assert [path for path in shown if path not in pages] == []
