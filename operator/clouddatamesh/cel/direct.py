"""The port Expressions in this very process: for tests, and for who judges only rules of their own. Nothing bounds its memory."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from clouddatamesh.cel.process import read_answer
from clouddatamesh.cel.rules import compile_rule, evaluate, read_json
from clouddatamesh.model.judging import Answered, Compiled


class DirectExpressions:
    """Stateless."""

    def compile(self, expression: str) -> Compiled:
        found = compile_rule(expression)
        return Compiled(frozenset(found.get("reads") or ()), str(found.get("fault") or ""))

    def judge(self, rules: Sequence[tuple[str, Mapping[str, Any]]], data: Mapping[str, Any]) -> tuple[Answered, ...]:
        given = read_json(json.dumps(data))
        return tuple(read_answer(evaluate(expression, {**given, "params": read_json(json.dumps(params))})) for expression, params in rules)

    def is_exhausting(self, expression: str, params: Mapping[str, Any], namespace: str) -> bool:
        return not (expression, params, namespace)

    def close(self) -> None:
        """Nothing runs."""
