"""Whether the clock of the machine that runs this program agrees with the API server's: in the Pod that is the operator's own node."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.kube.skew import LIMIT

CHECK: Final = "clock"


def judge(seconds: float, *, is_operator: bool) -> Iterator[Result]:
    """`seconds`: ours minus the API server's."""
    if abs(seconds) > LIMIT:
        yield Finding(
            check=CHECK,
            object="This machine",
            what=f"Its clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the API server's",
            why="The operator in this Pod gives and revokes nothing by time" if is_operator else "Ages are told by the API server's clock",
            do="Synchronize the clock, for example by chrony: chronyc tracking",
            level="ToDo" if is_operator else "Remark",
        )
    yield Checked(check=CHECK, what=f"this machine's clock, {abs(seconds):.0f} s from the API server's")
