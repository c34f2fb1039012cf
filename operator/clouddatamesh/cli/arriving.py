"""A list of the API server, an object at a time, while the rest of it is on its way.

A list of 10,000 objects in one answer costs the API server a fifth of what it costs in pages: it has the first page of a list in its
cache, and reads those that follow from etcd. One answer may be large, so no more of it is held than one object and what has arrived.
"""

import codecs
import json
import queue
import re
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Final

from clouddatamesh.model.objects import Manifest

_READ: Final = 65_536
_WAITING: Final = 1024
"""Parts that wait at most: whoever pages through a table stops reading, and the API server ends an answer that nobody takes."""
_TEXT: Final = 1_048_576
_OBJECT: Final = 64 * _TEXT
"""Characters of one object at most. etcd takes 1.5 MB."""
_ITEMS: Final = re.compile(r'"items"\s*:\s*(\[|null)')
"""Inside of a text its quotes would be escaped: no tenant can write it."""
_SPACE: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder()


class NoList(ValueError):
    """What arrives is no list of the API server."""


def drained(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What `read` gives, read ahead in a thread: neither waits for the other. Raises what `read` raises."""
    parts: queue.Queue[bytes | BaseException] = queue.Queue(_WAITING)

    def drain() -> None:
        try:
            while part := read(_READ):
                parts.put(part)
            parts.put(b"")
        except BaseException as error:
            parts.put(error)

    threading.Thread(target=drain, name="drain", daemon=True).start()
    while part := parts.get():
        if isinstance(part, BaseException):
            raise part
        yield part


def texts(parts: Iterator[bytes], *, packed: bool) -> Iterator[str]:
    """The parts as text, no more than a megabyte at a time; `packed` by gzip. Raises zlib.error and UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for part in _unpacked(parts) if packed else parts:
        yield decoder.decode(part)
    yield decoder.decode(b"", final=True)


def _unpacked(parts: Iterator[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(31)
    for part in parts:
        rest = part
        while rest:
            yield unpack.decompress(rest, _TEXT)
            rest = unpack.unconsumed_tail
    yield unpack.flush()


def items(arriving: Iterator[str]) -> Generator[Manifest, None, str]:
    """The objects of a list; returns the token by which it goes on, empty at its end. Raises NoList."""
    text = _Arriving(arriving)
    while (begin := _ITEMS.search(text.here)) is None:
        text.more()
    head, text.at = text.here[: begin.start()], begin.end()
    while begin[1] == "[" and (mark := text.skip(_SPACE)) != "]":
        text.at += mark == ","
        if text.skip(_SPACE) != "]":
            yield text.take()
    text.at += begin[1] == "["
    return _continuation(f'{head}"items":[]{text.rest()}')


class _Arriving:
    """Text that grows at its end; `here` is what is there of it, `at` how much of this was read."""

    def __init__(self, arriving: Iterator[str]) -> None:
        self._arriving, self.here, self.at = arriving, "", 0

    def more(self) -> None:
        """At least as much as is held unread, so that what is tried again costs no more than twice."""
        held = [self.here[self.at :]]
        self.at, length = 0, 0
        while length <= len(held[0]):
            part = next(self._arriving, None)
            if part is None:
                break
            held.append(part)
            length += len(part)
        if not length:
            raise NoList("it ends too early")
        self.here = "".join(held)
        if len(self.here) > _OBJECT + _TEXT:
            raise NoList("an object is too long")

    def skip(self, letters: str) -> str:
        """The first letter that is none of these."""
        while True:
            while self.at < len(self.here) and self.here[self.at] in letters:
                self.at += 1
            if self.at < len(self.here):
                return self.here[self.at]
            self.more()

    def take(self) -> Manifest:
        """The next object."""
        while True:
            try:
                found, self.at = _DECODER.raw_decode(self.here, self.at)
            except ValueError:
                self.more()
                continue
            except RecursionError:
                raise NoList("it is nested too deeply") from None
            if not isinstance(found, dict):
                raise NoList("it holds no objects")
            return found

    def rest(self) -> str:
        """All that follows."""
        return self.here[self.at :] + "".join(self._arriving)


def _continuation(around: str) -> str:
    """Of a list without its items."""
    try:
        return str((json.loads(around).get("metadata") or {}).get("continue") or "")
    except (ValueError, AttributeError):
        raise NoList("it ends too early") from None
