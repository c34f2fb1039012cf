"""Documents as texts that come back the same. Characters that could steer a terminal, or that YAML folds, are escaped."""

import json
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

import yaml

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_PLAIN: Final = frozenset("\n\t")


def to_yaml(documents: Iterable[Any]) -> str:
    """A stream of documents, without anchors."""
    bodies = list(documents)
    return str(yaml.dump_all(bodies, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, explicit_start=len(bodies) > 1))


def to_json(value: Any) -> str:
    """One document with a line end."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"{json.dumps(value, indent=2) if _is_unsafe(text) else text}\n"


def _is_unsafe(text: str) -> bool:
    return not text.isascii() and any(unicodedata.category(letter) in _UNSAFE for letter in text if letter not in _PLAIN)


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
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _is_unsafe(text) else None)


_Dumper.add_representer(str, _text)
