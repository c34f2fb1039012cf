"""The language of policies, as whoever judges asks for it: the operator, and `check` over files."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.model.judging import Answered, Compiled


class Expressions(Protocol):
    """The language of policies. Where the engine does not work at all: Transient."""

    def compile(self, expression: str) -> Compiled:
        """What an expression reads, or the fault for which it is none."""
        ...

    def judge(self, rules: Sequence[tuple[str, Mapping[str, Any]]], data: Mapping[str, Any]) -> tuple[Answered, ...]:
        """The answer of each expression with its params over the other variables; bounded in time and memory, whatever they say."""
        ...

    def is_exhausting(self, expression: str, params: Mapping[str, Any], namespace: str) -> bool:
        """Whether an expression took more time or memory than it may, so that it is not tried again."""
        ...


class NoExpressions:
    """An engine that is not there: who has no policies needs none."""

    def compile(self, expression: str) -> Compiled:
        raise Transient(reasons.INTERNAL, f"This process evaluates no rules, such as {expression[:40]}")

    def judge(self, rules: Sequence[tuple[str, Mapping[str, Any]]], data: Mapping[str, Any]) -> tuple[Answered, ...]:
        raise Transient(reasons.INTERNAL, f"This process evaluates no rules: {len(rules)} over {len(data)} variables")

    def is_exhausting(self, expression: str, params: Mapping[str, Any], namespace: str) -> bool:
        return not (expression, params, namespace)
