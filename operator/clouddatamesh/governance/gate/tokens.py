"""The words of a CEL expression: enough to tell names from texts, members and comments. It judges no grammar and no types."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<space>   \s+ )
    | (?P<comment> //[^\n]* )
    | (?P<text>    (?: [rR][bB]? | [bB][rR]? )? (?: \"\"\" | ''' | " | ' ) )
    | (?P<escaped> ` [^`\n]* ` )
    | (?P<number>  0[xX][0-9a-fA-F]+[uU]? | (?: [0-9]+ (?: \.[0-9]+ )? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? [uU]? )
    | (?P<name>    [_a-zA-Z][_a-zA-Z0-9]* )
    | (?P<sign>    \.\? | \[\? | \{\? | && | \|\| | [=!<>]= | [-+*/%.,:?!<>()\[\]{}] )
    """,
    re.VERBOSE,
)
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_OPENS: Final = {"(": "(", "[": "[", "[?": "[", "{": "{", "{?": "{"}
_MEMBER: Final = (".", ".?")


class Unsafe(Exception):
    """An expression that cannot be put into an admission policy without a doubt; the message is the end of a sentence."""


@dataclass(frozen=True)
class Token:
    """One word. `kind` is text, escaped, number, name or sign."""

    kind: str
    text: str
    before: str = field(default="", compare=False)
    """The space before it, without comments."""


_START: Final = Token("sign", "(")


def read(expression: str) -> tuple[Token, ...]:
    """All words. Raises Unsafe where one has no end, is none of CEL's, or brackets do not match."""
    found = tuple(_words(expression))
    _check_brackets(found)
    return found


def _words(expression: str) -> Iterator[Token]:
    at, before = 0, ""
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:
            raise Unsafe(f"has the character {expression[at]!r}, which CEL does not know outside of texts")
        kind = str(found.lastgroup)
        end = _end_of_text(expression, found.group(), found.end()) if kind == "text" else found.end()
        if kind == "space":
            before += found.group()
        elif kind != "comment":
            yield Token(kind, expression[at:end], before)
            before = ""
        at = end


def _end_of_text(expression: str, opening: str, at: int) -> int:
    """Where a text ends that begins so. In a raw one a backslash is a letter; before a quote, the API server's CEL ends the text and the
    operator's goes on.
    """
    quote = opening.lstrip("rRbB")
    raw = "r" in opening[: -len(quote)].lower()
    while not expression.startswith(quote, at):
        if raw and expression.startswith(f"\\{quote[0]}", at):
            raise Unsafe("has a backslash before a quote in a raw text, which the operator and the API server read differently")
        at += 2 if not raw and expression.startswith("\\", at) else 1
        if at >= len(expression) or (len(quote) == 1 and expression[at - 1] == "\n"):
            raise Unsafe(f"has a text that begins with {opening} and does not end")
    return at + len(quote)


def _check_brackets(tokens: tuple[Token, ...]) -> None:
    opened: list[str] = []
    for token in tokens:
        if token.kind == "sign" and token.text in _OPENS:
            opened.append(_OPENS[token.text])
        if token.kind == "sign" and token.text in _CLOSES and (not opened or opened.pop() != _CLOSES[token.text]):
            raise Unsafe(f"closes a bracket by {token.text} that it did not open")
    if opened:
        raise Unsafe(f"opens a bracket by {opened[-1]} that it does not close")


def is_member(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether a name is selected of something, as `name` in `object.name`."""
    return at > 0 and tokens[at - 1].kind == "sign" and tokens[at - 1].text in _MEMBER


def check_dots(tokens: tuple[Token, ...]) -> None:
    """Raises Unsafe for a name that begins with a dot, which means the same without it, and for `. ?`: both hide names."""
    for before, dot, after in zip((_START, *tokens), tokens, (*tokens[1:], _START), strict=False):
        if dot.kind != "sign" or dot.text not in _MEMBER:
            continue
        if before.kind == "sign" and before.text not in _CLOSES:
            raise Unsafe("has a dot with nothing before it; remove the dot")
        if after.kind not in ("name", "escaped"):
            raise Unsafe(f"has a dot before {after.text}; write a name behind it, or .? without a space")
