"""Files as kubectl reads them, and hostile ones: a sentence with a line, in bounded time and memory."""

import time
import tracemalloc

import pytest

from clouddatamesh.checking.documents import MOST_BYTES, MOST_DEPTH, MOST_VALUES, Unreadable, read_documents

SECONDS, MEMORY = 10.0, 400 * 1024 * 1024


def values(text: str) -> list[object]:
    return [document.value for document in read_documents(text)]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("on", True), ("No", False), ("y", True), ("~", None), ("null", None), ("nUll", "nUll"), ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"), ("012", 10), ("0o17", 15), ("0x1F", 31), ("0b11", 3), ("1_000", 1000),
        ("1e3", 1000), ("1.5", 1.5), ("1.0", 1), (".5", 0.5), ("1:30", "1:30"), ("1.2.3", "1.2.3"), ("-7", -7), ("+7", 7), ("09", 9),
        ('"on"', "on"), ("'12'", "12"), ("!!str 12", "12"), ('! "a"', "a"), ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2.0**64), ("=", "="), ("-", [None]),
    ],
)  # fmt: skip
def test_a_word_is_what_kubectl_takes_it_for(word: str, value: object) -> None:
    text = word if word == "-" else f"a: {word}"
    assert values(text) == ([value] if word == "-" else [{"a": value}])


def test_documents_lines_and_merges() -> None:
    text = "# head\na: &x\n  b: 1\n  c: [1, {d: 2}]\n---\n---\ne: 1\n"
    first, second = read_documents(text)
    assert [first.line_of(path) for path in ((), ("a",), ("a", "c", 1, "d"), ("a", "b"), ("a", "gone"))] == [2, 2, 4, 3, 2]
    assert second.line_of(("e",)) == 7
    assert values("a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\ne:\n  <<: [{b: 9}, *x]\n")[0] == {
        "a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": {"b": 9, "c": 2}
    }, "as kubectl merges: over the keys before, under those after"  # fmt: skip
    assert values("a: &x {c: 2}\nd: {<<: *x, c: 3}\ne: {c: 1, '<<': 4}\n")[0] == {"a": {"c": 2}, "d": {"c": 3}, "e": {"c": 1, "<<": 4}}
    assert values("a: &x {c: 2}\nb: &y {c: 3}\nd: {<<: *x, <<: *y}\n")[0]["d"] == {"c": 3}  # type: ignore[index]
    assert values('{"a": [1, true, null, "x"]}') == [{"a": [1, True, None, "x"]}]
    assert values("1: a\ntrue: b\n") == [{"1": "a", "true": "b"}]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(f'*{former}' for _ in range(9))}]\n" for former, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "m0: &m0 {k: 1}\n" + "".join(f"m{n}: &m{n} {{<<: [{','.join([f'*m{n - 1}'] * 20)}], k{n}: 1}}\n" for n in range(1, 12))
HOSTILE = {
    "anchors that explode": (BOMB, f"more than {MOST_VALUES:,} values"),
    "merges that explode": (MERGES, "values"),
    "aliases of a long text": (f"a: &a {'x' * 30_000}\nb: [{','.join(['*a'] * 500)}]\n", "aliases counted with what they repeat"),
    "an alias of itself": ("a: &a [*a]", "no anchor before it"),
    "deep lists": ("[" * 100_000, f"deeper than {MOST_DEPTH}"),
    "deep maps": ("{a: " * 100_000, f"deeper than {MOST_DEPTH}"),
    "deep indents": ("".join(f"{' ' * n}a:\n" for n in range(3000)), f"deeper than {MOST_DEPTH}"),
    "a file that is too large": ("a" * (MOST_BYTES + 1), "larger than 10 MiB"),
    "many values": ("- {a: [1, 2, 3]}\n" * 100_000, "divide it"),
    "a tag that runs code": ("a: !!python/object/apply:os.system [ls]", "python/object/apply:os.system is not allowed; write plain YAML"),
    "a tag that makes an object": ("!!python/object/new:os.system {}", "is not allowed"),
    "a tag of a name": ("a: !!python/name:os.system x", "is not allowed"),
    "a tag of one's own": ("a: !Ref x", "is not allowed"),
    "binary": ("a: !!binary aGk=", "is not allowed"),
    "a key twice": ("a: 1\na: 2", "The key a is there twice"),
    "a key twice, in other words": ("1: a\n'1': b", "twice"),
    "null as key": ("~: a", "a key must be text"),
    "a list as key": ("? [a]\n: b", "a key must be text"),
    "an alias as key": ("a: &a [x]\n? *a\n: b", "a key must be text"),
    "an unknown alias": ("a: *b", "no anchor before it"),
    "a merge of text": ("a:\n  <<: b", "<< merges maps"),
    "not a number": ("a: .nan", "not a number that JSON knows"),
    "an infinite exponent": ("a: 1e999", "too large"),
    "a control character": ("a: \x00", "character that YAML does not allow"),
    "a tab": ("a:\n\t- b", "This is not YAML"),
    "no end": ("a: [1, 2", "This is not YAML"),
    "a template": ("a: {{ .Values.x }}", "a key must be text"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(what: str) -> None:
    text, sentence = HOSTILE[what]
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(Unreadable, match=r"\A[^\n]{10,250}\Z") as caught:
            values(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sentence in str(caught.value)
    assert caught.value.line >= 1
    assert time.process_time() - began < SECONDS
    assert peak < MEMORY


def test_a_long_number_costs_nothing() -> None:
    began = time.process_time()
    assert values(f"a: {'9' * 1_000_000}") == [{"a": "9" * 1_000_000}]
    assert time.process_time() - began < SECONDS
