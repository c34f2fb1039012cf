"""What the official JSON schemas of the standards refuse, in sentences. The schemas are files of packages and never fetched."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Final

from clouddatamesh.cli.errors import Failed

_MOST: Final = 50
_MOST_VALUES: Final = 15_000
"""Values of a document that is checked: a schema takes up to 3 ms for each column. A real contract of 200 kB has 6,000."""
_CONTRACTS: Final = "open_data_contract_standard"
_CLOSED: Final = ("additionalProperties", "unevaluatedProperties")


def check(standard: str, document: Any) -> Iterable[tuple[str, str]]:
    """JSON paths and sentences; at most 50, and how many there are more."""
    if _count(document) > _MOST_VALUES:
        yield "$", f"It has more than {_MOST_VALUES:,} values, too many to be checked against the standard's schema"
        return
    faults = (fault for fault in _validator(standard).iter_errors(document) if not _is_flaw(fault))
    yield from islice((said for fault in faults for said in _sentences(fault)), _MOST)
    if more := sum(1 for _ in faults):
        yield "$", f"It has at least {more:,} more faults"


@cache
def _validator(standard: str) -> Any:
    try:
        from jsonschema import validators
    except ImportError:
        raise Failed("The package jsonschema is missing; pip install 'clouddatamesh[cli]'") from None
    schema = json.loads(_file(standard).read_text(encoding="utf-8"))
    return validators.validator_for(schema)(schema)


def _file(standard: str) -> Path:
    """ODCS's schema is in the package of its authors, ODPS's is with us."""
    if standard == "odps":
        return Path(__file__).parent / "schemas" / "odps-1.1.0.schema.json"
    found = find_spec(_CONTRACTS)
    if found is None or not found.submodule_search_locations:
        raise Failed("The package open-data-contract-standard is missing; pip install 'clouddatamesh[cli]'")
    return Path(found.submodule_search_locations[0]) / "schema.json"


def _count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count, inner))


def _is_flaw(fault: Any) -> bool:
    """ODCS 3.2.0's schema demands `map` of every property that names no logicalType, which documents of 3.0 and 3.1 rarely do."""
    told = fault.instance
    return fault.validator == "required" and fault.message.startswith("'map'") and isinstance(told, dict) and "logicalType" not in told


def _sentences(fault: Any) -> Iterator[tuple[str, str]]:
    path = str(fault.json_path)
    if fault.validator in _CLOSED:
        extra = _extra(fault)
        yield from ((f"{path}.{name}", f"The standard has no key {name} here") for name in extra)
        if not extra:
            yield path, "It has a key that the standard does not have here"
    elif fault.validator == "required":
        yield path, f"{fault.message.split(' is a required', 1)[0]} is missing"
    elif fault.validator == "type":
        yield path, f"It has to be of type {_either(fault.validator_value)}, and is {_cut(fault.instance)}"
    elif fault.validator == "enum":
        yield path, f"{_cut(fault.instance)} is none of {', '.join(map(str, fault.validator_value))}"
    else:
        yield path, f"The standard's schema refuses it: {_cut(_deepest(fault).message)}"


def _extra(fault: Any) -> list[str]:
    """The keys that are too many, sorted; empty where the schema does not say which."""
    allowed = fault.schema.get("properties")
    if fault.validator != "additionalProperties" or not isinstance(allowed, dict) or not isinstance(fault.instance, dict):
        return []
    return sorted(set(fault.instance) - set(allowed))


def _either(types: Any) -> str:
    return " or ".join(types) if isinstance(types, list) else str(types)


def _deepest(fault: Any) -> Any:
    while fault.context:
        fault = max(fault.context, key=lambda inner: len(inner.absolute_path))
    return fault


def _cut(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 120 else f"{said[:120]}…"
