"""Documents as texts that come back the same, in every version of YAML. Characters that could steer a terminal are escaped."""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

import yaml

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_PLAIN: Final = re.compile(r"[A-Za-z$][A-Za-z0-9 ,._:/@#+()'${}-]*|[0-9]+\.[0-9]+\.[0-9]+")
"""Texts that are texts to all readers without quotes, where PyYAML itself asks for none."""
_BOOLEANS: Final = frozenset("yYnN")
"""Booleans to kubectl, and texts to PyYAML."""


def to_yaml(documents: Iterable[Any], *, start: bool = False) -> str:
    """A stream of documents, without anchors; each begins with `---` where there are several, or `start` is given."""
    bodies = list(documents)
    marked = start or len(bodies) > 1
    return str(yaml.dump_all(bodies, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, explicit_start=marked))


def to_json(value: Any) -> str:
    """One document with a line end."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"{json.dumps(value, indent=2) if _is_unsafe(text) else text}\n"


def _is_unsafe(text: str) -> bool:
    return any(unicodedata.category(letter) in _UNSAFE for letter in set(text) - {"\n"})


class _Dumper(yaml.SafeDumper):
    """Writes what is unsafe in double quotes, wholly escaped."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        former, self.allow_unicode = self.allow_unicode, not _is_unsafe(text)
        super().write_double_quoted(text, split)
        self.allow_unicode = former


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    """Lines as a block, words without quotes, everything else in double quotes."""
    is_plain = _PLAIN.fullmatch(text) and text not in _BOOLEANS
    style = None if is_plain else "|" if "\n" in text.strip("\n") and not _is_unsafe(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
