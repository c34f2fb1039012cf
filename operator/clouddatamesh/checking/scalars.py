"""What a plain word of YAML is: kubectl's reading, in which `on` is true, a date is text and 012 is ten."""

import math
import re
from typing import Any, Final

_WORDS: Final = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CORE: Final = "tag:yaml.org,2002:"
_LONGEST: Final = 300
"""Digits; no number of ours has as many, and long ones take long to convert."""


def resolve(text: str, tag: str | None, *, is_plain: bool) -> Any:
    """The value of a scalar. Raises ValueError with a sentence."""
    if tag in (None, "!") and not is_plain:
        return text
    kind = (tag or "").removeprefix(_CORE)
    if tag and tag != "!" and (kind == tag or kind not in ("str", "int", "float", "bool", "null", "timestamp")):
        raise ValueError(f"The tag {tag} is not allowed; write plain YAML")
    if kind in ("str", "timestamp") or tag == "!":
        return text
    return _plain(text)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Any:
    """The number that a text is, else the text."""
    digits = text.replace("_", "")
    if _INFINITE.fullmatch(text):
        raise ValueError(f"{text} is not a number that JSON knows; write another one, or quote it")
    if len(digits) > _LONGEST:
        return text
    if _INTEGER.fullmatch(digits):
        return _integer(digits)
    if _FLOAT.fullmatch(digits):
        found = float(digits)
        if math.isinf(found):
            raise ValueError(f"{text} is too large for a number; quote it to make it text")
        return int(found) if found.is_integer() and abs(found) < 2**53 else found
    return text


def _integer(digits: str) -> int | float:
    sign, body = (-1 if digits[0] == "-" else 1), digits.lstrip("+-")
    octal = len(body) > 1 and body[0] == "0" and body[1] in "01234567"
    found = sign * int(body[1:] if octal else body, 8 if octal else 0)
    return found if -(2**63) <= found < 2**63 else float(found)
