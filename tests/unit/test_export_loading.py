"""Texts of strangers become data, or a sentence, in bounded time and memory."""

import time
import tracemalloc
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clouddatamesh.checking import documents
from clouddatamesh.export.bitol.loading import Unreadable, load
from clouddatamesh.export.documents import Document
from clouddatamesh.export.rendering import render
from clouddatamesh.export.writing import to_json, to_yaml

LETTERS = "abcdefghi"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{former}'] * 10)}]\n" for former, name in pairwise(LETTERS)
)
HOSTILE = {
    "aliases that explode": (BOMB, "more than 200,000 values"),
    "merges that explode": ("a: &a {x: 1}\n" + "b: {" + ", ".join(f"k{place}: *a" for place in range(150_000)) + "}", "values"),
    "an alias of itself": ("a: &a [*a]", "no anchor before it"),
    "ten megabytes": ("a: " + "x" * documents.MOST_BYTES, "larger than 10 MiB"),
    "many small values": ("- 1\n" * 2_000_000, "more than 200,000 values"),
    "many keys": ("".join(f"k{place}: v\n" for place in range(700_000)), "more than 200,000 values"),
    "many documents": ("--- 1\n" * 5_000, "more than 1,000 documents"),
    "brackets": ("[" * 1_000_000, "nested deeper than 64 levels, line 1"),
    "dashes": ("- " * 100_000, "nested deeper than 64 levels"),
    "code of Python": ("a: !!python/object/apply:os.system [id]", "python/object/apply:os.system is not allowed; write plain YAML, line 1"),
    "a tag of somebody": ("a: !include /etc/passwd", "The tag !include is not allowed"),
    "a tag on a key": ("!include a: b", "The tag !include is not allowed"),
    "a binary": ("a: !!binary aGk=", "is not allowed"),
    "a key twice": ("a: 1\nb:\n  c: 1\n  c: 2", "The key c is there twice; remove one, line 4"),
    "no YAML": ("a: [1", "This is not YAML"),
    "a control character": ("a: \x01", "that YAML does not allow"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_text_ends_with_a_sentence(case: str) -> None:
    text, said = HOSTILE[case]
    began = time.process_time()
    with pytest.raises(Unreadable) as refused:
        load(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert time.process_time() - began < 5


def test_aliases_take_no_memory() -> None:
    tracemalloc.start()
    with pytest.raises(Unreadable):
        load(BOMB)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("1.10", 1.1),
        ("'1.10'", "1.10"),
        ("1.0.0", "1.0.0"),
        ("12:30:00", "12:30:00"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("-3", -3),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("1" * 5000, "1" * 5000),
        ("yes", True),
        ("'yes'", "yes"),
        ("~", None),
        ("!!str 12", "12"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("{}", {}),
        ("[]", []),
        ("${VERSION}", "${VERSION}"),
    ],
)
def test_a_scalar_is_what_it_looks_like_and_a_date_is_a_text(text: str, value: Any) -> None:
    assert load(f"a: {text}") == ({"a": value},)


def test_aliases_and_merges_are_written_out() -> None:
    text = "base: &base {a: 1, b: [1]}\nmore: &more {c: 3}\none: {<<: *base, b: 2}\n"
    text += "two: {<<: [*more, *base]}\nthree: &x\n  - *base\nfour: *x\n"
    (found,) = load(text)
    assert found["one"] == {"a": 1, "b": 2}
    assert found["two"] == {"a": 1, "b": [1], "c": 3}
    assert found["four"] == [{"a": 1, "b": [1]}]


def test_several_documents_and_json_are_read() -> None:
    assert load("--- {a: 1}\n---\n---\nb: 2\n") == ({"a": 1}, {"b": 2})
    assert load('{"a": [1, true, null, "x"]}') == ({"a": [1, True, None, "x"]},)
    assert load("") == load("# nothing\n") == ()


def test_keys_are_texts_as_they_were_written() -> None:
    assert load("1: a\non: b\n2026-01-01: c\n? d\n") == ({"1": "a", "on": "b", "2026-01-01": "c", "d": None},)


ODD = [
    "\x85",
    "a\u2028b",
    "\ufeff",
    "\u202eevil",
    "\x1b[2J",
    "\x00",
    "ü",
    "a\n\nb\n",
    " lead",
    "trail ",
    "2026-01-01",
    "yes",
    "1.10",
    "1e3",
    "0o17",
    "012",
    "y",
    "No",
    "12:30",
    "null",
    "'",
    '"',
    "\\",
    "é" * 200,
]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=st.text(st.sampled_from("ab 01e.-:#\n\t'\"\\${}[]&*!|>%@`~yn\x85\u2028é"), max_size=12))
def test_any_text_comes_back_from_yaml(text: str) -> None:
    for read in (
        load,
        lambda written: tuple(one.value for one in documents.read_documents(written)),
        lambda w: tuple(yaml.safe_load_all(w)),
    ):
        assert read(to_yaml([{"a": text, "b": [text]}])) == ({"a": text, "b": [text]},)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_what_is_written_comes_back_and_steers_no_terminal(text: str) -> None:
    for written in (to_yaml([{text: [text]}]), to_json({text: [text]})):
        assert load(written) == ({text: [text]},)
        assert not set(written) & set("\x1b\x00\u202e\x85\u2028\ufeff")


def test_the_media_type_decides_how_a_body_is_written() -> None:
    body = [{"a": 1}, {"a": 2}]
    assert render(Document("x.ndjson", "application/x-ndjson", body)) == '{"a": 1}\n{"a": 2}\n'
    assert load(render(Document("x.yaml", "application/yaml", body))) == tuple(body)
    assert load(render(Document("x.jsonld", "application/ld+json", body)))[0] == body
    assert load(render(Document("x.yaml", "application/yaml", {"a": 1}), form="json")) == ({"a": 1},)
