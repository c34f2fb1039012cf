"""CEL as the API server has it in the rules of CRDs: the common language, its extension of strings, and what Kubernetes adds."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_optional, ext_strings

from clouddatamesh.checking.rules import RuleError
from clouddatamesh.plan.diff import parse_quantity

_TEXT, _INT, _DYN = cel.Type.STRING, cel.Type.INT, cel.Type.DYN


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group(0) if found else ""


def _quantity(text: Any) -> str:
    found = parse_quantity(text)
    if found is None:
        raise ValueError(f"{text} is no quantity")
    return str(found)


def _compare(one: str, other: str) -> int:
    difference = Decimal(one) - Decimal(other)
    return (difference > 0) - (difference < 0)


_FUNCTIONS: Final = [
    cel.FunctionDecl("find", [cel.Overload("find_string", _TEXT, [_TEXT, _TEXT], is_member=True, impl=_find)]),
    cel.FunctionDecl(
        "quantity",
        [
            cel.Overload("quantity_string", _TEXT, [_TEXT], is_member=False, impl=_quantity),
            cel.Overload("quantity_int", _TEXT, [_INT], is_member=False, impl=_quantity),
        ],
    ),
    cel.FunctionDecl("compareTo", [cel.Overload("compare_quantities", _INT, [_TEXT, _TEXT], is_member=True, impl=_compare)]),
]
"""Quantities are texts here: the rules compare them, and do nothing else with them."""


@lru_cache(maxsize=1)
def _environment() -> Any:
    return cel.NewEnv(
        variables={"self": _DYN, "text": _TEXT},
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_bindings.ExtBindings()],
        functions=_FUNCTIONS,
    )


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    return _environment().compile(expression)


def judge(rule: str, value: Any) -> bool:
    """Whether `self` keeps a rule, with `oldSelf` an empty optional. Raises RuleError."""
    return _evaluate(f"cel.bind(oldSelf, optional.none(), {rule})" if "oldSelf" in rule else rule, {"self": value})


def match(text: str, pattern: str) -> bool:
    """Whether a text has a match of a pattern of RE2, the syntax of the API server. Raises RuleError."""
    quoted = pattern.replace("\\", "\\\\").replace("'", "\\'")
    return _evaluate(f"text.matches('{quoted}')", {"text": text.replace("\0", "\N{REPLACEMENT CHARACTER}")})  # NUL would end it


def _evaluate(expression: str, data: dict[str, Any]) -> bool:
    try:
        found = _compiled(expression).eval(data=data).value()
    except Exception as error:  # the library raises bare Exceptions
        raise RuleError(str(error)) from error
    if not isinstance(found, bool):
        raise RuleError(str(found))
    return found
