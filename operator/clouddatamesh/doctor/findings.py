"""What the checks report: a fault with its way out, or what could not be checked and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

ALL_WELL, TO_DO, NOT_RUN = 0, 1, 2
"""Exit codes."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A fault, or a remark, which needs nobody. `do` is a command, or a sentence where no command can be known."""

    check: str
    object: str
    what: str
    why: str
    do: str
    level: Literal["ToDo", "Remark"] = "ToDo"


@dataclass(frozen=True, kw_only=True)
class Unchecked:
    """What was not checked, and which right or answer is missing for it.

    `by_design`: the caller is the operator itself, and the operator has no such right on purpose; somebody else has to check it.
    """

    check: str
    what: str
    missing: str
    by_design: bool = False


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was checked, so that a report without a finding says on what it is based."""

    check: str
    what: str


Result: TypeAlias = Finding | Unchecked | Checked


@dataclass(frozen=True)
class Report:
    """All results of one run, in the order of the checks."""

    results: tuple[Result, ...]

    @property
    def to_do(self) -> tuple[Finding, ...]:
        """What somebody must act on."""
        return tuple(one for one in self.findings() if one.level == "ToDo")

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """What is worth knowing."""
        return tuple(one for one in self.findings() if one.level == "Remark")

    @property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """What is neither well nor ill."""
        return tuple(one for one in self.results if isinstance(one, Unchecked))

    @property
    def checked(self) -> tuple[Checked, ...]:
        """What the report is based on."""
        return tuple(one for one in self.results if isinstance(one, Checked))

    @property
    def exit_code(self) -> int:
        """What was not checked never counts as well, unless it cannot be checked from where the program runs."""
        if self.to_do:
            return TO_DO
        return NOT_RUN if any(not one.by_design for one in self.unchecked) else ALL_WELL

    def findings(self) -> Iterable[Finding]:
        """Faults and remarks."""
        return (one for one in self.results if isinstance(one, Finding))
