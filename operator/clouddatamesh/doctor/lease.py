"""Whether a replica holds the Lease and renews it. Two looks need no clock: the time in the Lease must have moved."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.reading import NotAllowed
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.kube.resources import path
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.shell.leader import ROUND
from clouddatamesh.shell.lease import DURATION, NAME
from clouddatamesh.shell.record import ANNOTATION
from clouddatamesh.shell.record import NAME as RECORD

CHECK: Final = "lease"


@dataclass(frozen=True)
class Held:
    """A Lease as it was read once."""

    exists: bool = False
    holder: str = ""
    renewed: str = ""

    @classmethod
    def of(cls, found: Manifest | None) -> "Held":
        """A Lease that does not exist is held by nobody."""
        spec = (found or {}).get("spec") or {}
        return cls(found is not None, str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or ""))


class Watched:
    """The Lease from the first look on. The later `look` comes, the less it has to wait."""

    def __init__(self, *, wait: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic) -> None:
        self._wait, self._now = wait, now
        self._first: Held | None = None
        self._since = now()

    def begin(self, subject: Subject) -> Iterator[Result]:
        """The first look, and the name of the mesh, which the operator recorded in the same namespace."""
        self._first, self._since = _read(subject), self._now()
        record = subject.reader.get(path(Key("Lease", subject.namespace, RECORD)))
        recorded = ((record or {}).get("metadata", {}).get("annotations") or {}).get(ANNOTATION, "")
        rename = f"mesh={quote(recorded)}"
        if subject.mesh and recorded and recorded != subject.mesh:
            yield Finding(
                check=CHECK,
                object=f"Lease {subject.namespace}/{RECORD}",
                what=f"This cluster is served as mesh {recorded}, and the name given here is {subject.mesh}",
                why="The operator does not begin under another name, because the name is part of every mark of ownership",
                do=f"Leave --mesh out, or give --mesh={recorded}. If the release has the other name: {subject.upgrade(rename)}",
            )
        subject.mesh, subject.is_recorded = recorded or subject.mesh, bool(recorded)

    def look(self, subject: Subject) -> Iterator[Result]:
        """Whether it was renewed since; waits for as long as a leader may take."""
        if self._first is None:
            return  # it could not be read, and that was reported
        first = last = self._first
        for pause in (2 * ROUND, float(DURATION)):
            is_held = bool(last.holder) or pause < DURATION  # every replica tries to take a free Lease each round
            if last.renewed == first.renewed and is_held:
                self._wait(min(max(self._since + pause - self._now(), 0.0), subject.reader.left()))
                last = _read(subject)
        subject.leads = bool(last.holder) and last.renewed != first.renewed
        yield from judge(last, subject=subject, lives=_lives(last, subject))
        yield Checked(check=CHECK, what=f"Lease {subject.namespace}/{NAME}: {_told(last, leads=subject.leads)}")


def _read(subject: Subject) -> Held:
    return Held.of(subject.reader.get(path(Key("Lease", subject.namespace, NAME))))


def _lives(held: Held, subject: Subject) -> bool | None:
    """Whether the holder is a Pod that exists; None where Pods may not be read."""
    try:
        return subject.reader.get(f"/api/v1/namespaces/{subject.namespace}/pods/{held.holder}") is not None if held.holder else None
    except NotAllowed:
        return None


def _told(held: Held, *, leads: bool) -> str:
    return f"{held.holder} renews it" if leads else "nobody renews it"


def judge(held: Held, *, subject: Subject, lives: bool | None) -> Iterator[Finding]:
    """`lives`: whether a Pod of the holder's name exists, None where that is not known."""

    def say(what: str, why: str, do: str) -> Finding:
        return Finding(check=CHECK, object=f"Lease {subject.namespace}/{NAME}", what=what, why=why, do=do)

    idle = "No replica reconciles: nothing is created, repaired, expired or revoked, and deletions do not end"
    logs = f"kubectl logs deployment/clouddatamesh -n {subject.namespace} --tail=50"
    if subject.leads and lives is False:
        why = "An operator outside of this release may lead, of another version or with other permissions"
        yield say(f"{held.holder} renews it, and no such Pod exists in {subject.namespace}", why, "Find and stop that process")
    if subject.leads:
        return
    if not held.exists:
        yield say(
            "It does not exist: no replica has ever led in this namespace", idle, f"{subject.start()}; or name the operator's --namespace"
        )
    elif not held.holder:
        yield say("Nobody holds it: the last leader released it when it ended", idle, subject.start())
    elif lives is False:
        yield say(f"{held.holder} holds it, does not renew it and does not exist (last renewed {held.renewed})", idle, subject.start())
    else:
        yield say(f"{held.holder} holds it and does not renew it (last renewed {held.renewed})", idle, logs)
