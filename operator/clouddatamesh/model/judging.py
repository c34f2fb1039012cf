"""What policies say of an object: the rules that were asked, what the engine answered, and the violations that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal

from clouddatamesh.api.fields import LabelSelector
from clouddatamesh.model.objects import Key

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low")
"""The worst first."""
ENFORCEMENTS: Final = ("Audit", "Warn", "Deny")
"""The strictest last."""
POLICY_KINDS: Final = ("GovernancePolicy", "DomainPolicy")
WAIVER: Final = "PolicyWaiver"
JUDGED: Final = ("DataProduct", "Domain", "AccessRequest", "AccessGrant")
"""The kinds that policies may have as targets."""
_CURRENT: Final = ("proposed", "draft", "active", "deprecated")


class Outcome(Enum):
    """What came of one rule on one object, where that is no error."""

    HOLDS = "holds"
    BROKEN = "broken"
    EXHAUSTED = "exhausted"
    """It took more time or memory than a rule may: nothing is known."""


@dataclass(frozen=True)
class RuleFailure:
    """A rule that could not be evaluated on an object: a value is absent, or of another type. That counts as a violation."""

    why: str


Answered = Outcome | RuleFailure


@dataclass(frozen=True)
class Compiled:
    """An expression that can be evaluated, and which variables it reads; or the fault for which it cannot."""

    reads: frozenset[str] = frozenset()
    fault: str = ""
    """Position and reason, in one line."""


@dataclass(frozen=True)
class Rule:
    """One rule of a policy."""

    name: str
    expression: str
    message: str
    severity: Severity
    remediation: str = ""
    reads: frozenset[str] = frozenset()

    @cached_property
    def plain(self) -> str:
        """The expression without white space."""
        return "".join(self.expression.split())

    @cached_property
    def opposites(self) -> tuple[str, ...]:
        """What its negation would be, without white space."""
        said = self.plain
        inner = (said[2:-1],) if said.startswith("!(") and said.endswith(")") else ()
        return (f"!({said})", f"!{said}", *inner, *((said[1:],) if said.startswith("!") else ()))


@dataclass(frozen=True)
class Policy:
    """A GovernancePolicy or DomainPolicy. The rules of one with faults are asked of nothing."""

    key: Key
    enforcement: str = "Audit"
    kinds: tuple[str, ...] = ("DataProduct",)
    lifecycle: tuple[str, ...] = ()
    domains: LabelSelector | None = None
    """The LabelSelector over Domains; None: all of them."""
    params: Mapping[str, Any] | None = None
    rules: tuple[Rule, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """The lifecycle stages of products that it is for; where it names none, all but retired."""
        return self.lifecycle or _CURRENT

    @property
    def name(self) -> str:
        """As status names it: GovernancePolicy/ownership, DomainPolicy/sales/ownership."""
        return "/".join(part for part in (self.key.kind, self.key.namespace, self.key.name) if part)


@dataclass(frozen=True)
class Waiver:
    """An exception that is in force: policy by name as `Policy.name`, rule, and until when (RFC 3339)."""

    name: str
    policy: str
    rule: str
    until: str


@dataclass(frozen=True)
class Verdict:
    """A rule that an object breaks."""

    policy: str
    rule: str
    enforcement: str
    severity: Severity
    message: str
    remediation: str = ""
    waiver: Waiver | None = None

    @property
    def denies(self) -> bool:
        return self.enforcement == "Deny" and self.waiver is None
