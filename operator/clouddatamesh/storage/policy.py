"""Policy documents as values: ours by Sid, the rest carried through untouched. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from clouddatamesh.model.bucket import PREFIX, Statement

_VERSION: Final = "2012-10-17"
_PARTS: Final = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def parse_document(document: Mapping[str, Any]) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Our statements, sorted, and the foreign ones as canonical JSON."""
    ours: list[Statement] = []
    foreign: list[str] = []
    for raw in _listed(document.get("Statement")):
        sid = str(raw.get("Sid", ""))
        if sid.startswith(PREFIX):
            ours.append(_parse(raw, sid))
        else:
            foreign.append(json.dumps(raw, sort_keys=True))
    return tuple(sorted(ours)), tuple(foreign)


def build_document(ours: Iterable[Statement], foreign: Iterable[str] = ()) -> str:
    """The document as JSON, foreign statements first, as they came."""
    statements = [*map(json.loads, foreign), *(_build(statement) for statement in sorted(ours))]
    return json.dumps({"Version": _VERSION, "Statement": statements})


def _parse(raw: Mapping[str, Any], sid: str) -> Statement:
    if set(raw) - _PARTS or raw.get("Effect") not in ("Allow", "Deny"):
        return Statement.unreadable(sid)
    principals = _principals(raw.get("Principal"))
    conditions = _conditions(raw.get("Condition") or {})
    if principals is None or conditions is None:
        return Statement.unreadable(sid)
    actions, resources = (tuple(sorted(map(str, _listed(raw.get(part))))) for part in ("Action", "Resource"))
    return Statement(sid, raw["Effect"], actions, resources, principals, conditions)


def _principals(raw: Any) -> tuple[str, ...] | None:
    """`*` and `{"AWS": "*"}` mean the same; anything but AWS principals is none of our making."""
    if raw is None:
        return ()
    if isinstance(raw, str):
        return (raw,)
    if not isinstance(raw, Mapping) or set(raw) != {"AWS"}:
        return None
    return tuple(sorted(map(str, _listed(raw["AWS"]))))


def _conditions(raw: Any) -> tuple[tuple[str, str, tuple[str, ...]], ...] | None:
    if not isinstance(raw, Mapping) or not all(isinstance(keys, Mapping) for keys in raw.values()):
        return None
    found = [
        (operator, key, tuple(sorted(str(value).lower() if isinstance(value, bool) else str(value) for value in _listed(values))))
        for operator, keys in raw.items()
        for key, values in keys.items()
    ]
    return tuple(sorted(found))


def _build(statement: Statement) -> dict[str, Any]:
    built: dict[str, Any] = {"Sid": statement.sid, "Effect": statement.effect}
    if statement.principals:
        built["Principal"] = "*" if statement.principals == ("*",) else {"AWS": list(statement.principals)}
    built |= {"Action": list(statement.actions), "Resource": list(statement.resources)}
    for operator, key, values in statement.conditions:
        built.setdefault("Condition", {}).setdefault(operator, {})[key] = list(values)
    return built


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
