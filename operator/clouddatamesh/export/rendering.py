"""The text of a document, as its media type has it. A body that is a list is many documents of YAML, or many lines of JSON."""

import json

from clouddatamesh.export.documents import Document
from clouddatamesh.export.writing import to_json, to_yaml


def render(document: Document, *, form: str = "") -> str:
    """The content of the file, as `json` or `yaml` if that is chosen. The same document gives the same text."""
    if not form and document.media_type.endswith("ndjson"):
        # In ASCII: some readers take the line separators of Unicode for the end of a line.
        return "".join(f"{json.dumps(line)}\n" for line in document.body)
    if form == "json" or (not form and document.media_type.endswith("json")):
        return to_json(document.body)
    many = isinstance(document.body, list)
    return to_yaml(document.body if many else [document.body], start=many)
