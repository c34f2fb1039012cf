"""A list is read while it arrives: all of its objects, whatever its parts are, and one sentence where it is no list."""

import json
import threading
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clouddatamesh.cli.arriving import NoList, drained, items, texts

LISTED = [
    {"metadata": {"name": f"orders-{n}", "note": '"items":[ "metadata":{'}, "spec": {"tags": ["ä", "\U0001f4c8"], "n": n}} for n in range(5)
]
AS_OUR_KINDS = {"apiVersion": "clouddatamesh.dev/v1alpha1", "items": LISTED, "kind": "DataProductList", "metadata": {"continue": "next"}}
AS_CORE = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"continue": "next", "resourceVersion": "7"}, "items": LISTED}


def read(arriving: Iterator[str]) -> tuple[list[Any], str]:
    """The objects, and the token."""
    reading, found = items(arriving), []
    while True:
        try:
            found.append(next(reading))
        except StopIteration as end:
            return found, str(end.value)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds) if start < end]


@settings(deadline=None, max_examples=60)
@given(
    places=st.lists(st.integers(0, 10_000), max_size=20),
    whole=st.sampled_from((AS_OUR_KINDS, AS_CORE)),
    indent=st.sampled_from((None, 2)),
    escaped=st.booleans(),
    packed=st.booleans(),
)
def test_a_list_is_the_same_however_it_is_cut(
    places: list[int], whole: dict[str, Any], indent: int | None, escaped: bool, packed: bool
) -> None:
    data = json.dumps(whole, indent=indent, ensure_ascii=escaped).encode()
    if packed:
        pack = zlib.compressobj(wbits=31)
        data = pack.compress(data) + pack.flush()
    assert read(texts(iter(cut(data, places)), packed=packed)) == (LISTED, "next")


@pytest.mark.parametrize(
    ("said", "token"),
    [
        ('{"items":[],"metadata":{}}', ""),
        ('{"items":null,"metadata":{"continue":"x"}}', "x"),
        ('{"metadata":null,"items":[ ] }', ""),
        ('{"items":[],"metadata":{"continue":null}}', ""),
    ],
)
def test_a_list_without_objects(said: str, token: str) -> None:
    assert read(iter([said])) == ([], token)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "<html>Sign in</html>",
        '{"kind":"Status"}',
        '{"items":[{"a":1}',
        '{"items":[{"a":1}]',
        '{"items":[7],"metadata":{}}',
        '{"items":["text"],"metadata":{}}',
        '[{"items":[]}]',
        '{"items":[{"a":1},',
        '{"items":[' + "[" * 100_000,
    ],
)
def test_what_is_no_list_is_said(said: str) -> None:
    with pytest.raises(NoList):
        read(iter([said]))


def test_an_object_without_end_is_given_up_in_time() -> None:
    def endless() -> Iterator[str]:
        yield '{"items":[{"a":"'
        while True:
            yield "a" * 1_048_576

    with pytest.raises(NoList, match="too long"):
        read(endless())


def test_what_explodes_is_unpacked_a_megabyte_at_a_time() -> None:
    pack = zlib.compressobj(wbits=31)
    bomb = pack.compress(b" " * 50_000_000) + pack.flush()
    assert max(map(len, texts(iter([bomb]), packed=True))) <= 1_048_576


def test_what_goes_wrong_in_the_thread_is_raised_where_it_is_read() -> None:
    parts = iter([b"first"])

    def broken(_: int) -> bytes:
        part = next(parts, None)
        if part is None:
            raise ConnectionResetError("gone")
        return part

    arriving = drained(broken)
    assert next(arriving) == b"first"
    with pytest.raises(ConnectionResetError):
        next(arriving)


def test_the_rest_is_read_while_nobody_takes_it() -> None:
    read_all = threading.Event()
    parts = iter([b"one", b"two"])

    def read_part(_: int) -> bytes:
        part = next(parts, b"")
        if not part:
            read_all.set()
        return part

    arriving = drained(read_part)
    assert next(arriving) == b"one"
    assert read_all.wait(10)
    assert list(arriving) == [b"two"]
