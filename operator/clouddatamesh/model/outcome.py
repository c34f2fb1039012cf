"""The result of a reconciliation, as status tells it; built only from what was done and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from clouddatamesh.errors import MeshError


@dataclass(frozen=True)
class Finding:
    """One condition as it was found. `message` is one sentence without full stop."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Failure:
    """A part of a plan that stopped: its name, the condition type that tells of it (empty: only Ready does), and why.

    `minor`: the condition alone tells of it, and Ready does not; nor is the object looked at sooner for it.
    """

    part: str
    condition: str
    error: MeshError
    minor: bool = False


@dataclass(frozen=True)
class Outcome:
    """Ready as it was found, further conditions, and the other fields of status. `stalled`: somebody must change something.

    `failures` are the parts that stopped: each tells of its own condition, whatever `findings` say, and the worst of them of Ready.
    `due` is the next moment at which something changes by time alone; None where nothing does.
    """

    ready: Finding
    findings: tuple[Finding, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    stalled: bool = False
    due: datetime | None = None
    failures: tuple[Failure, ...] = ()
