"""The text of a document, as its media type has it. A body that is a list is many documents of YAML, or many lines of JSON."""

import json
import re
import unicodedata
from typing import Any, Final

import yaml

from clouddatamesh.export.documents import Document

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,._:/@#+()'-]*")
"""Texts that are texts in every version of YAML, without quotes where these are not needed."""


_STEERING: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Kinds of letters that could steer a terminal, or hide what a text says."""


def render(document: Document) -> str:
    """The content of the file. The same document gives the same text."""
    safe = _is_safe(document.body)
    if document.media_type.endswith("ndjson"):
        # In ASCII: some readers take the line separators of Unicode for the end of a line.
        return "".join(f"{json.dumps(line)}\n" for line in document.body)
    if document.media_type.endswith("json"):
        return json.dumps(document.body, indent=2, ensure_ascii=not safe) + "\n"
    many = isinstance(document.body, list)
    bodies = document.body if many else [document.body]
    return str(yaml.dump_all(bodies, Dumper=_Plain, sort_keys=False, allow_unicode=safe, width=120, explicit_start=many))


def _is_safe(body: Any) -> bool:
    """Whether letters can be written as they are: JSON escapes by itself only those before the blank."""
    return not any(unicodedata.category(letter) in _STEERING for letter in set(json.dumps(body, ensure_ascii=False)))


class _Plain(yaml.SafeDumper):
    """Without anchors: not every reader follows them, and a file is read by people."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent(dumper: yaml.SafeDumper, said: str) -> yaml.ScalarNode:
    """Everything else in double quotes: YAML 1.2 reads 1e3 and 0o17 as numbers, and quoted line separators of Unicode as blanks."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", said, style=None if _PLAIN.fullmatch(said) else '"')


_Plain.add_representer(str, _represent)
