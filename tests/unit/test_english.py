"""Pages, messages, chart comments and field descriptions use plain words; docs/contributing/style.md says which to use instead of ours."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from clouddatamesh.advice import ADVICE
from clouddatamesh.api.kinds import KINDS
from clouddatamesh.generate.crds import build_crd
from clouddatamesh.generate.reasons import read_meanings
from tests.support.installation import CHART, ROOT

STYLE: Final = ROOT / "docs" / "contributing" / "style.md"
PRIVATE: Final = re.compile(
    r"\b(mend(s|ed|ing)?|(made|make|makes|making) (anew|again|whole)|beside|gifts?|worklists?|(what )?(came|comes|come) of (it|that|this)"
    r"|stands (in|on|for itself|there|still)|(what|still) stands|so long|a wish)\b",
    re.IGNORECASE,
)
CODE: Final = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
PAGES: Final = sorted({*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")} - {STYLE})


def private_words(text: str) -> list[str]:
    return [found[0].lower() for found in PRIVATE.finditer(text)]


def descriptions(found: Any) -> Iterator[str]:
    """Every description in a CRD."""
    if isinstance(found, dict) and isinstance(found.get("description"), str):
        yield found["description"]
    for child in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from descriptions(child)


def messages(path: Path) -> list[str]:
    """What a module says to people: its texts with a blank in them, docstrings aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(found.value) for found in ast.walk(tree) if isinstance(found, ast.Expr)}
    texts = [found for found in ast.walk(tree) if isinstance(found, ast.Constant) and id(found) not in docstrings]
    return [found.value for found in texts if isinstance(found.value, str) and " " in found.value]


def comments(path: Path) -> str:
    """The comments of a template or of the values, and what NOTES say."""
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".txt" else "\n".join(re.findall(r"(?:^|\s)#[^\n]*|{{-? ?/\*.*?\*/", text, re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_no_private_words(page: Path) -> None:
    assert private_words(CODE.sub("", page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_kubectl_explains_has_no_private_words(kind: Any) -> None:
    said = [kind.description, *descriptions(build_crd(kind))]
    assert len(said) > 10
    assert [text for text in said if private_words(text)] == []


def test_messages_have_no_private_words() -> None:
    said = {path: messages(path) for path in (ROOT / "operator").rglob("*.py")}
    assert sum(len(texts) for texts in said.values()) > 1000
    assert [(path.name, text) for path, texts in said.items() for text in texts if private_words(text)] == []


def test_meanings_and_advice_have_no_private_words() -> None:
    said = [*read_meanings().values(), *(advice for rows in ADVICE.values() for advice in rows.values())]
    assert [text for text in said if private_words(text)] == []


@pytest.mark.parametrize(
    "path", sorted([*(CHART / "templates").rglob("*.*"), CHART / "values.yaml", CHART / "Chart.yaml"]), ids=lambda path: path.name
)
def test_the_comments_of_the_chart_have_no_private_words(path: Path) -> None:
    assert private_words(comments(path)) == []


def test_the_description_of_the_chart_has_no_private_words() -> None:
    assert private_words(yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["description"]) == []


@pytest.mark.parametrize(
    "sentence",
    ["Mend the Secret", "A bucket is made anew", "A key beside the old one", "What stands in the store", "The owner's worklist", "so long"],
)
def test_a_planted_word_is_found(sentence: str) -> None:
    assert private_words(sentence)


@pytest.mark.parametrize("sentence", ["A standard term", "It recommends a limit", "The amendment", "A long sentence"])
def test_plain_words_pass(sentence: str) -> None:
    assert private_words(sentence) == []
