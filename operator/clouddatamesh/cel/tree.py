"""The tree of a compiled expression, from the only view of it that the library gives: a CheckedExpr in Protocol Buffers' wire format."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Fields = dict[int, list[int | bytes]]
"""A message: the values of each field by its number."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTH: Final = {_FIXED64: 8, _FIXED32: 4}
_VALUE: Final = 2
"""Of Any, in which the CheckedExpr is."""
_TYPE_MAP, _EXPR = 3, 4
"""Of CheckedExpr."""
_ID, _CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = range(2, 10)
"""Of Expr."""
_NULL, _DOUBLE, _STRING = 1, 5, 6
"""Of Constant."""


@dataclass(frozen=True)
class Node:
    """One node, as far as it is asked for; `children` are in the order of the source."""

    kind: str
    """const, ident, select, has, call, list, map or loop."""
    name: str = ""
    """Of an ident, of a selected field, of a function."""
    children: tuple["Node", ...] = ()
    type: bytes = b""
    """The type as a message; two types are equal where these are."""
    const: bytes = b""
    """The constant as a message."""

    @property
    def text(self) -> str:
        """The text that a constant is; empty where it is none."""
        found = read(self.const).get(_STRING, [b""])[-1]
        return found.decode() if isinstance(found, bytes) else ""

    @property
    def is_null(self) -> bool:
        """Whether it is the constant null."""
        return _NULL in read(self.const)

    @property
    def is_key(self) -> bool:
        """Whether it is a constant that no map has as a key."""
        return not {_NULL, _DOUBLE} & read(self.const).keys()

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children


def read_tree(serialized: bytes) -> Node:
    """The tree of a compiled expression."""
    whole = read(_inner(read(serialized), _VALUE))
    types = {_number(read(entry), 1): _inner(read(entry), 2) for entry in _messages(whole, _TYPE_MAP)}
    return _node(read(_inner(whole, _EXPR)), types)


def _node(expr: Fields, types: dict[int, bytes]) -> Node:
    type_ = types.get(_number(expr, _ID), b"")

    def below(parts: Sequence[bytes]) -> tuple[Node, ...]:
        return tuple(_node(read(part), types) for part in parts if part)

    if _CONST in expr:
        return Node("const", type=type_, const=_inner(expr, _CONST))
    if _IDENT in expr:
        return Node("ident", _inner(read(_inner(expr, _IDENT)), 1).decode(), type=type_)
    if _SELECT in expr:
        select = read(_inner(expr, _SELECT))
        return Node("has" if _number(select, 3) else "select", _inner(select, 2).decode(), below([_inner(select, 1)]), type_)
    if _CALL in expr:
        call = read(_inner(expr, _CALL))
        return Node("call", _inner(call, 2).decode(), below([_inner(call, 1), *_messages(call, 3)]), type_)
    if _LIST in expr:
        return Node("list", "", below(_messages(read(_inner(expr, _LIST)), 1)), type_)
    if _STRUCT in expr:
        entries = [read(entry) for entry in _messages(read(_inner(expr, _STRUCT)), 2)]
        return Node("map", "", below([_inner(entry, field) for entry in entries for field in (3, 4)]), type_)
    loop = read(_inner(expr, _COMPREHENSION))
    return Node("loop", "", below([_inner(loop, field) for field in (2, 4, 5, 6, 7)]), type_)


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [one for one in fields.get(number, ()) if isinstance(one, bytes)]


def _inner(fields: Fields, number: int) -> bytes:
    return next(reversed(_messages(fields, number)), b"")


def _number(fields: Fields, number: int) -> int:
    return next((one for one in reversed(fields.get(number, [])) if isinstance(one, int)), 0)


def read(message: bytes) -> Fields:
    """The fields of a message."""
    fields: Fields = defaultdict(list)
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            fields[number].append(value)
            continue
        size = _WIDTH.get(kind, 0)
        if kind == _BYTES:
            size, at = _varint(message, at)
        fields[number].append(message[at : at + size])
        at += size
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
