"""Mutants of our code: all that mutmut's operators make of its comparisons, booleans and constants."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators

ROOT = Path(__file__).resolve().parents[1]

OPERATORS: Sequence[tuple[type[cst.CSTNode], Callable[[Any], Any]]] = (
    (cst.ComparisonTarget, mutators.operator_swap_op),
    (cst.BaseCompOp, mutators.operator_keywords),
    (cst.BooleanOperation, mutators.operator_swap_op),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.Name, mutators.operator_name),
    (cst.BaseNumber, mutators.operator_number),
)
UNTOUCHED = (cst.Decorator, cst.Annotation, cst.Import, cst.ImportFrom)
"""As mutmut does: what is said to a decorator and in a type is for tools, not for users."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    number: int
    line: int
    lines: range
    """Whoever runs one of these may notice."""
    names: tuple[str, ...] = ()
    """Of a change that counts when its module is imported: by which names its effect goes further. Empty within functions."""

    @property
    def layer(self) -> str:
        return self.path.split("/")[2]


@dataclass(frozen=True)
class _File:
    module: cst.Module
    changes: list[tuple[cst.CSTNode, cst.CSTNode]]
    mutants: list[Mutant]


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ParentNodeProvider, PositionProvider)

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        self.mutants: list[Mutant] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, UNTOUCHED):
            return False
        for kind, operator in OPERATORS:
            for new in operator(node) if isinstance(node, kind) else ():
                self.mutants.append(self._mutant(node))
                self.changes.append((node, new))
        return True

    def _range(self, node: cst.CSTNode) -> CodeRange:
        found: CodeRange = self.get_metadata(PositionProvider, node)
        return found

    def _parents(self, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        """Each parent with the child that leads to it, from within."""
        while not isinstance(node, cst.Module):
            parent = self.get_metadata(ParentNodeProvider, node)
            yield parent, node
            node = parent

    def _mutant(self, node: cst.CSTNode) -> Mutant:
        names: list[str] = []
        statement = node
        inside = False
        for parent, child in self._parents(node):
            if statement is node and isinstance(parent, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                statement = parent
            inside |= isinstance(parent, cst.FunctionDef) and child is parent.body
            names += _names_given(parent)
        where = self._range(statement.body if isinstance(statement, cst.FunctionDef) and not inside else statement)
        lines = range(where.start.line, max(self._range(node).end.line, where.start.line) + 1)
        if isinstance(statement, cst.FunctionDef) and not inside:
            lines = range(where.start.line, where.end.line + 1)
        return Mutant(self.path, len(self.mutants), self._range(node).start.line, lines, () if inside else (*names, "module"))


def _names_given(node: cst.CSTNode) -> list[str]:
    """What a statement gives a value to, or a class its name."""
    targets: list[cst.CSTNode] = []
    if isinstance(node, cst.Assign):
        targets = [target.target for target in node.targets]
    elif isinstance(node, cst.AnnAssign):
        targets = [node.target]
    elif isinstance(node, cst.ClassDef):
        targets = [node.name]
    return [target.value for target in targets if isinstance(target, cst.Name)]


@cache
def _read(path: str) -> _File:
    wrapper = MetadataWrapper(cst.parse_module((ROOT / path).read_text()))
    finder = _Finder(path)
    wrapper.visit(finder)
    return _File(wrapper.module, finder.changes, finder.mutants)


def of(path: str) -> list[Mutant]:
    """All mutants of a file."""
    return _read(path).mutants


def code(mutant: Mutant) -> str:
    """The file with the change."""
    file = _read(mutant.path)
    return cst.ensure_type(file.module.deep_replace(*file.changes[mutant.number]), cst.Module).code


def shown(mutant: Mutant) -> str:
    """The line with the change in brackets: `if count [< to <=] 3:`."""
    for old, new in zip(_read(mutant.path).module.code.splitlines(), code(mutant).splitlines(), strict=True):
        if old != new:
            return _marked(re.findall(r"\w+|\s+|[<>=!]=|.", old.strip()), re.findall(r"\w+|\s+|[<>=!]=|.", new.strip()))
    return "(nothing)"


def _marked(old: list[str], new: list[str]) -> str:
    matches = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return "".join(
        "".join(old[a:b]) if kind == "equal" else f"[{''.join(old[a:b]).strip()} to {''.join(new[c:d]).strip() or 'nothing'}]"
        for kind, a, b, c, d in matches
    )
