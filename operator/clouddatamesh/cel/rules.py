"""The language of policies: CEL with its extensions of strings and optionals, as far as the API server has the same functions.

What is here runs in a process of its own (`cel.worker`): the library bounds iterations and depth, and not the memory of texts.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from clouddatamesh.cel.differences import find_difference

VARIABLES: Final = ("object", "oldObject", "params", "domain", "live")
"""What a rule may read. `object` is the manifest; `oldObject` the one before, null where nothing changes; `domain` the Domain, with
`training` of its profile; `live` what the operator read of the world: the bucket, consumers, ages in days."""
_DYN: Final = cel.Type.DYN
_LONGEST: Final = 300
"""Characters of a fault that are told."""


@lru_cache(maxsize=len(VARIABLES) + 1)
def _environment(without: str = "") -> Any:
    return cel.NewEnv(
        variables={name: _DYN for name in VARIABLES if name != without},
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
    )


def compile_rule(expression: str) -> dict[str, Any]:
    """`reads`: the variables that an expression needs; or `fault`: position and reason for which it is none."""
    fault = _fault_of(expression)
    if fault:
        return {"fault": fault}
    return {"reads": [name for name in VARIABLES if _fault_of(expression, without=name)]}


def _fault_of(expression: str, without: str = "") -> str:
    try:
        found = _environment(without).compile(expression)
    except MemoryError:
        raise  # the process may be full of other rules: that is no fault of this one
    except Exception as error:  # the library raises bare RuntimeErrors
        return _in_words(error)
    kind = found.return_type()
    if kind not in (cel.Type.BOOL, _DYN):
        return f"it gives {kind.name().lower()}, not true or false"
    return "" if without else find_difference(found.serialize())


def read_json(line: str) -> Any:
    """JSON as the API server reads it: a whole number of 64 bits is an integer, also where it is written 2.0, and others are none."""
    return json.loads(line, parse_int=_number, parse_float=_number)


def _number(text: str) -> int | float:
    number = float(text)
    whole = int(text) if text.lstrip("-").isdigit() else int(number) if number.is_integer() else None
    return whole if whole is not None and -(2**63) <= whole < 2**63 else number


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return _environment().compile(expression)


def prepare(expression: str) -> None:
    """Compile a rule ahead, so that its evaluation takes no time for that; one that is none says so when it is evaluated."""
    try:
        _compiled(expression)
    except MemoryError:
        raise
    except Exception:  # the library raises bare RuntimeErrors
        return


def evaluate(expression: str, data: Mapping[str, Any]) -> bool | str:
    """Whether a rule holds; a text says why that cannot be told, which counts as a violation."""
    try:
        found = _compiled(expression).eval(data=dict(data)).value()
    except MemoryError:
        raise  # it ends the process, as for what the library itself cannot get
    except Exception as error:  # the library raises bare RuntimeErrors
        return _in_words(error)
    return found if isinstance(found, bool) else f"it gave {str(found)[:_LONGEST]}, not true or false"


def _in_words(error: Exception) -> str:
    """The first line of an error of the library, without what only its own trace needs."""
    lines = str(error).splitlines() or [type(error).__name__]
    words = lines[0].removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:").replace(" (in container '')", "")
    return words[:_LONGEST].strip()
