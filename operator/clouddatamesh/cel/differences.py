"""Where this engine and the API server's answer differently, so that the language of policies is what both have. Tried on both: see
tests/contract/test_policies_agree.py.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from clouddatamesh.cel.tree import Node, read_tree

_OTHERWISE: Final[Mapping[str, str]] = {
    "format": "format() writes numbers and lists otherwise at the API server; join texts by +",
    "reverse": "the API server has no reverse()",
    "getMilliseconds": "getMilliseconds() of a duration is another number at the API server; compare durations",
}
_MEMBER: Final = ("_?._", "_[_]", "_[?_]")
METADATA: Final = ("name", "namespace", "labels", "annotations")
_GUARDS: Final = ("_==_", "_!=_")


def find_difference(serialized: bytes) -> str:
    """Why a compiled expression is not in the language that both engines have; empty where it is."""
    tree = read_tree(serialized)
    return next(_differences(tree), "")


def _differences(tree: Node) -> Iterator[str]:
    guarded = any(_is_guard(node) for node in tree.walk())
    for node in tree.walk():
        if node.kind == "call" and node.name in _OTHERWISE:
            yield _OTHERWISE[node.name]
        if node.kind == "call" and node.name == "matches" and any("\\C" in one.text for one in node.children if one.kind == "const"):
            yield "the API server's patterns have no \\C"
        if node.kind == "list" and _differ(node.children):
            yield "the API server takes no list whose entries differ in type; give each by dyn(), or all of one type"
        if node.kind == "map":
            yield from _of_map(node.children[::2], node.children[1::2])
        if node.kind in ("select", "has") and not node.name.isidentifier():
            yield f"the API server has no names in backticks; write ['{node.name}']"
        yield from _hidden(node)
        if node.kind == "has" and not guarded and [one.name for one in node.children] == ["oldObject"]:
            yield "has() of oldObject, which is null where nothing changes, differs; begin with oldObject == null ||"


def _hidden(node: Node) -> Iterator[str]:
    """What the API server knows of an object besides, and rules do not see."""
    of, name = _member(node)
    if of is None:
        return
    if _is_object(of) and name == "status":
        yield f"rules do not see {of.name}.status; ask live"
    inner, part = _member(of)
    if inner is not None and _is_object(inner) and part == "metadata" and name not in METADATA:
        yield f"of metadata, rules see {', '.join(METADATA)}"


def _member(node: Node) -> tuple[Node | None, str]:
    """Of what a node is a member, and by which name; None where it is none, or the name is not known."""
    if node.kind in ("select", "has"):
        return node.children[0], node.name
    if node.kind == "call" and node.name in _MEMBER and node.children[1].text:
        return node.children[0], node.children[1].text
    return None, ""


def _is_object(node: Node) -> bool:
    return node.kind == "ident" and node.name in ("object", "oldObject")


def _of_map(keys: tuple[Node, ...], values: tuple[Node, ...]) -> Iterator[str]:
    if _differ(keys) or _differ(values):
        yield "the API server takes no map whose keys or values differ in type; give each by dyn(), or all of one type"
    constants = [key.const for key in keys if key.kind == "const"]
    if len({*constants}) < len(constants):
        yield "a key is there twice in a map"
    if not all(key.is_key for key in keys if key.kind == "const"):
        yield "the key of a map is a text, a whole number or a truth value"


def _differ(nodes: tuple[Node, ...]) -> bool:
    return any(one.type != other.type for one, other in pairwise(nodes))


def _is_guard(node: Node) -> bool:
    if node.kind != "call" or node.name not in _GUARDS:
        return False
    kinds = {(one.kind, one.name) for one in node.children}
    return ("ident", "oldObject") in kinds and any(one.kind == "const" and one.is_null for one in node.children)
