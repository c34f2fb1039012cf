"""The text of a document, as its media type has it. A body that is a list is many documents of YAML, or many lines of JSON."""

import json
from typing import Any

import yaml

from clouddatamesh.export.documents import Document


def render(document: Document) -> str:
    """The content of the file. The same document gives the same text."""
    if document.media_type.endswith("ndjson"):
        # In ASCII: some readers take the line separators of Unicode for the end of a line.
        return "".join(f"{json.dumps(line)}\n" for line in document.body)
    if document.media_type.endswith("json"):
        return json.dumps(document.body, indent=2, ensure_ascii=False) + "\n"
    many = isinstance(document.body, list)
    bodies = document.body if many else [document.body]
    return str(yaml.dump_all(bodies, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120, explicit_start=many))


class _Plain(yaml.SafeDumper):
    """Without anchors: not every reader follows them, and a file is read by people."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
