"""Names by Backstage's rules: at most 63 of its letters, unique without case in a kind and a namespace."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from clouddatamesh.plan.names import hash80

_LENGTH: Final = 63
Identity = tuple[str, ...]


def assign(wanted: Iterable[tuple[Identity, str]]) -> Mapping[Identity, str]:
    """A name for each identity, near to the text that is wanted. Those that cannot have it alone get a hash of their identity."""
    asked = sorted(set(wanted))
    plain = {identity: _plain(said) for identity, said in asked}
    taken = Counter(name.casefold() for name in plain.values())
    return {
        identity: plain[identity] if _fits(plain[identity], said) and taken[plain[identity].casefold()] == 1 else _hashed(identity, said)
        for identity, said in asked
    }


def _fits(name: str, said: str) -> bool:
    return bool(name) and len(name) <= _LENGTH and len(name) >= len(said.strip()) / 2


def _plain(said: str) -> str:
    letters = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", letters).strip("-_.")


def _hashed(identity: Identity, said: str) -> str:
    tail = hash80("backstage", *identity)
    readable = _plain(said)[: _LENGTH - len(tail) - 1].rstrip("-_.")
    return f"{readable}-{tail}" if readable else tail


def tag(said: str) -> str:
    """A tag of lower-case letters, digits and `+ # : -`; empty where nothing of the text can be one."""
    letters = unicodedata.normalize("NFKD", said.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9+#:]+", "-", letters).strip("-")[:_LENGTH].rstrip("-")
