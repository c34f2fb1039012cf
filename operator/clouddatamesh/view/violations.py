"""What policies say of an object, from its status: for people, with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass

from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import entries, text


@dataclass(frozen=True)
class Broken:
    """A rule that an object breaks. `waiver` is the waiver by which it does not count, until `waived_until`; empty where there is none."""

    policy: str
    rule: str
    enforcement: str
    severity: str
    message: str
    remediation: str
    since: str
    waiver: str
    waived_until: str


def violations_of(manifest: Manifest) -> tuple[Broken, ...]:
    """The violations that status tells of, in its order: those that count and the most severe first."""
    return tuple(_violations(manifest))


def _violations(manifest: Manifest) -> Iterator[Broken]:
    for entry in entries(manifest, "status", "compliance", "violations"):
        names = ("policy", "rule", "enforcement", "severity", "message", "remediation", "since", "waiver", "waivedUntil")
        yield Broken(*(text(entry, name) for name in names))
