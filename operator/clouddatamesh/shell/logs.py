"""Logging: one line an entry, as text or JSON. Libraries that print headers and bodies stay quiet; what looks like a secret is masked."""

import json
import logging
import re
import sys
from typing import Final

from clouddatamesh.reconcile.trail import Trail, current

_CHATTY: Final = ("boto3", "botocore", "urllib3", "s3transfer", "kubernetes", "aiohttp", "asyncio", "kopf")
MASK: Final = "***"
_NAMED: Final = re.compile(
    r"""(?ix)
    ( (?: secret[-_ ]?access[-_ ]?key | aws_secret\w* | session[-_ ]?token | password | authorization
        | x-amz-(?: signature | credential | security-token ) )
      ["']? \s* [:=] \s* (?: (?: bearer | basic ) \s+ )? ["']? )
    [^\s"',&}]+
    """
)
_LOOSE: Final = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"  # a JSON web token
    r"|(?<=[Bb]earer )[\w.~+/=-]{8,}"
    r"|\b(?:Signature|Credential)=[^\s,&]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|(?<![\w/+=-])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*[0-9])[A-Za-z0-9/+]{40}(?![\w/+=-])",  # a secret access key
    re.DOTALL,
)


def redact(text: str) -> str:
    """The text without what looks like a secret. The last net: code upstream never logs one."""
    return _LOOSE.sub(MASK, _NAMED.sub(rf"\1{MASK}", text))


class TextFormatter(logging.Formatter):
    """Time, level, logger and message; line ends within them are shown as \\n."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record)).replace("\r", "\\r").replace("\n", "\\n")


class JsonFormatter(logging.Formatter):
    """One JSON object a line. What is written during a reconciliation says of which object, at which step, and in which reconciliation."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        fields = {**_fields_of(current()), **getattr(record, "fields", {})}
        entry |= {name: redact(value) for name, value in fields.items() if value}
        if record.exc_info:
            entry["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry)


def _fields_of(trail: Trail | None) -> dict[str, str]:
    if trail is None:
        return {}
    key = trail.key
    named = {"kind": key.kind, "namespace": key.namespace, "name": key.name, "key": str(key)}
    return {**named, "step": trail.step, "part": trail.part, "reconcileID": trail.id}


def configure(*, level: str, style: str) -> None:
    """Send everything to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
