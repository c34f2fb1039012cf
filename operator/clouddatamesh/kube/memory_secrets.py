"""Who holds which field of a Secret in the fake's API server, as managedFields of the real one tell it."""

from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.kube.secrets import encode

_ANNOTATIONS: Final = "metadata.annotations."
_DATA: Final = "data."


def own(old: Mapping[str, Any], new: dict[str, Any], *, manager: str, claims: frozenset[str] = frozenset()) -> None:
    """Put a Secret's data together, and write down who changed which field of it last; None removes a field.

    Who writes the value that is there already takes nothing, unless he claims it: then both hold it.
    """
    written = {**(new.pop("data", None) or {}), **{k: v if v is None else encode(v) for k, v in new.pop("stringData", {}).items()}}
    new["data"] = {name: value for name, value in {**(old.get("data") or {}), **written}.items() if value is not None}
    before, after = _fields(old), _fields(new)
    changed = {field for field in after if before.get(field) != after[field]}
    held = {entry["manager"]: _held(entry) for entry in new["metadata"].get("managedFields", ())}
    others = {name: (fields - changed) & set(after) for name, fields in held.items()}
    others[manager] = others.get(manager, set()) | changed | {f"{_DATA}{name}" for name in claims}
    new["metadata"]["managedFields"] = [_entry(name, fields) for name, fields in others.items() if fields]


def _fields(secret: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody can hold, by path: data, annotations, and the two fields next to them."""
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    return {
        **{f"{_DATA}{name}": value for name, value in (secret.get("data") or {}).items()},
        **{f"{_ANNOTATIONS}{name}": value for name, value in annotations.items()},
        **{name: secret[name] for name in ("type", "immutable") if name in secret},
    }


def _held(entry: Mapping[str, Any]) -> set[str]:
    fields = entry["fieldsV1"]
    data = {f"{_DATA}{name[2:]}" for name in fields.get("f:data", {}) if name != "."}
    noted = {f"{_ANNOTATIONS}{name[2:]}" for name in (fields.get("f:metadata") or {}).get("f:annotations", {}) if name != "."}
    return data | noted | {name for name in ("type", "immutable") if f"f:{name}" in fields}


def _entry(manager: str, fields: set[str]) -> dict[str, Any]:
    data: dict[str, Any] = {f"f:{name.removeprefix(_DATA)}": {} for name in sorted(fields) if name.startswith(_DATA)}
    noted: dict[str, Any] = {f"f:{name.removeprefix(_ANNOTATIONS)}": {} for name in sorted(fields) if name.startswith(_ANNOTATIONS)}
    told: dict[str, Any] = {
        **({"f:data": {".": {}, **data}} if data else {}),
        **({"f:metadata": {"f:annotations": {".": {}, **noted}}} if noted else {}),
        **{f"f:{name}": {} for name in ("type", "immutable") if name in fields},
    }
    return {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": told}
