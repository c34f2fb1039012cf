"""Policy documents as values: ours by Sid, the rest carried through untouched. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clouddatamesh.model.bucket import PREFIX, Statement

VERSION: Final = "2012-10-17"
_PARTS: Final = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
_ACCOUNT: Final = re.compile(r"\d{12}")


def parse_policy(text: str) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Our statements, sorted, and the foreign ones as canonical JSON. Raises ValueError where the text is no policy."""
    document = json.loads(text)
    if not isinstance(document, Mapping):
        raise ValueError("not a JSON object")
    return parse_document(document)


def parse_document(document: Mapping[str, Any]) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """The same for a document that was decoded already."""
    ours: list[Statement] = []
    foreign: list[str] = []
    for raw in listed(document.get("Statement")):
        if not isinstance(raw, Mapping):
            raise ValueError("a statement is not a JSON object")
        sid = str(raw.get("Sid", ""))
        if sid.startswith(PREFIX):
            ours.append(_parse(raw, sid))
        else:
            foreign.append(json.dumps(raw, sort_keys=True))
    return tuple(sorted(ours)), tuple(sorted(foreign))


def parse_frame(text: str) -> tuple[str, str]:
    """Version and Id of a document, empty where it has none: without a Version it is read by the rules of 2008."""
    document = json.loads(text)
    return str(document.get("Version") or ""), str(document.get("Id") or "")


def build_document(ours: Iterable[Statement], foreign: Iterable[str] = (), *, version: str = VERSION, id_: str = "") -> str:
    """The document as JSON, foreign statements first, as they came, under the Version and Id that it had."""
    statements = [*map(json.loads, foreign), *(_build(statement) for statement in sorted(ours))]
    frame = {name: value for name, value in (("Version", version), ("Id", id_)) if value}
    return json.dumps({**frame, "Statement": statements})


def _parse(raw: Mapping[str, Any], sid: str) -> Statement:
    if set(raw) - _PARTS or raw.get("Effect") not in ("Allow", "Deny"):
        return Statement.unreadable(sid)
    principals = _principals(raw.get("Principal"))
    conditions = _conditions(raw.get("Condition") or {})
    if principals is None or conditions is None:
        return Statement.unreadable(sid)
    return Statement(sid, raw["Effect"], _words(raw.get("Action")), _words(raw.get("Resource")), principals, conditions)


def _principals(raw: Any) -> tuple[str, ...] | None:
    """`*` and `{"AWS": "*"}` mean the same, as do an account's number and its root; others than AWS principals we never write."""
    if raw is None:
        return ()
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, Mapping) or set(raw) != {"AWS"}:
        return None
    named = (f"arn:aws:iam::{one}:root" if _ACCOUNT.fullmatch(one) else one for one in map(str, listed(raw["AWS"])))
    return tuple(sorted(set(named)))


def _conditions(raw: Any) -> tuple[tuple[str, str, tuple[str, ...]], ...] | None:
    if not isinstance(raw, Mapping) or not all(isinstance(keys, Mapping) for keys in raw.values()):
        return None
    return tuple(sorted((operator, key, _words(values)) for operator, keys in raw.items() for key, values in keys.items()))


def _words(values: Any) -> tuple[str, ...]:
    """One string and a list of it mean the same, in any order; JSON's true is IAM's "true"."""
    return tuple(sorted({str(value).lower() if isinstance(value, bool) else str(value) for value in listed(values)}))


def _build(statement: Statement) -> dict[str, Any]:
    built: dict[str, Any] = {"Sid": statement.sid, "Effect": statement.effect}
    if statement.principals:
        built["Principal"] = "*" if statement.principals == ("*",) else {"AWS": list(statement.principals)}
    built |= {"Action": list(statement.actions), "Resource": list(statement.resources)}
    for operator, key, values in statement.conditions:
        built.setdefault("Condition", {}).setdefault(operator, {})[key] = list(values)
    return built


def listed(value: Any) -> list[Any]:
    """One value and a list of it mean the same."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
