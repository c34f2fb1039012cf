"""One rule for admission: which names it reads, and the same expression with `params` as a variable of the admission policy.

What cannot be rewritten without a doubt is refused with a sentence: an expression must mean the same in the operator and at the API server.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from clouddatamesh.governance.gate.tokens import Token, Unsafe, check_dots, is_member, read

MESH_NAMES: Final = ("domain", "live")
"""What only the operator knows; a rule that reads one is judged in the running mesh alone."""
_OF_RULES: Final = ("object", "oldObject", "params", *MESH_NAMES)
_OF_ADMISSION: Final = ("request", "authorizer", "namespaceObject", "variables")
"""Names that the API server defines and the operator does not."""
_BINDING: Final = frozenset(
    {"all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap", "transformMapEntry"}
    | {"optMap", "optFlatMap", "bind", "sortBy"}
)
"""Macros whose first arguments are names for what the following ones are about."""
_OBJECTS: Final = ("object", "oldObject")
_OF_SPEC: Final = ("spec", "kind", "apiVersion")


@dataclass(frozen=True)
class Rewritten:
    """An expression as an admission policy takes it, and what it reads."""

    expression: str
    reads: frozenset[str]
    """Of object, oldObject, params, domain and live."""
    reads_metadata: bool
    """Whether more of the objects than their spec and kind may be read."""
    reads_status: bool


@lru_cache(maxsize=1024)
def rewrite(expression: str) -> Rewritten:
    """Raises Unsafe; its message goes on after `Its expression`."""
    tokens = read(expression)
    check_dots(tokens)
    _check_names(tokens)
    free = {at: token.text for at, token in enumerate(tokens) if _is_free(tokens, at)}
    reads = frozenset(name for name in free.values() if name in _OF_RULES)
    words = (f"{token.before}{'variables.' if free.get(at) == 'params' else ''}{token.text}" for at, token in enumerate(tokens))
    objects = [_parts_of(tokens, at) for at, name in free.items() if name in _OBJECTS]
    return Rewritten(
        expression="".join(words).strip(),
        reads=reads,
        reads_metadata=any(part not in _OF_SPEC for part in objects),
        reads_status="status" in objects,
    )


def _is_free(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether a word is a name that stands for a value of its own: no member, no function."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    is_call = after is not None and after.kind == "sign" and after.text == "("
    return tokens[at].kind == "name" and not is_member(tokens, at) and not is_call


def _check_names(tokens: tuple[Token, ...]) -> None:
    for at, token in enumerate(tokens):
        if token.kind == "name" and not is_member(tokens, at) and token.text in _OF_ADMISSION:
            raise Unsafe(f"reads {token.text}, which rules do not have; they have {', '.join(_OF_RULES)}")
        if token.kind == "sign" and token.text == "{" and at and _ends_type(tokens[at - 1]):
            raise Unsafe(f"constructs a message by {tokens[at - 1].text}{{, which rules cannot; write a map")
        if hidden := _hidden_by(tokens, at):
            raise Unsafe(f"calls a variable of its own {hidden}, which hides the value of this name; rename the variable")


def _ends_type(token: Token) -> bool:
    return token.kind in ("name", "escaped") and token.text != "in"


def _hidden_by(tokens: tuple[Token, ...], at: int) -> str:
    """The name of ours that a macro makes a name of its own: the first argument, and the second where that is a name alone."""
    if not (tokens[at].text in _BINDING and tokens[at + 1 : at + 2] == (Token("sign", "("),)):
        return ""
    named = (tokens[at + 2 : at + 4], tokens[at + 4 : at + 6])
    own = [pair[0].text for pair in named if len(pair) == 2 and pair[0].kind == "name" and pair[1].text == ","]
    return next((name for name in own if name in (*_OF_RULES, *_OF_ADMISSION)), "")


def _parts_of(tokens: tuple[Token, ...], at: int) -> str:
    """What is read of an object that is named there: `spec` of `object.spec`, nothing of `object == null`, `*` where that is not said."""
    after, word = (*tokens[at + 1 : at + 3], Token("sign", ""), Token("sign", ""))[:2]
    if after.text in (".", ".?"):
        return word.text.strip("`")
    compared = after.text in ("==", "!=") and word.text == "null"
    return "spec" if compared else "*"
