"""Namespaces that are being deleted and still hold objects of the mesh."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.doctor.symptoms import DELETING, Situation
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.model.objects import Manifest
from clouddatamesh.reconcile.dispatch import RECONCILED

CHECK: Final = "namespaces"
_KINDS: Final = tuple(kind for kind in RECONCILED if RESOURCES[kind].namespaced)
_MOST: Final = 20
"""Namespaces that are looked into; of the others the number is told."""
_SHOWN: Final = 5


def look(subject: Subject) -> Iterator[Result]:
    """Every Namespace that is being deleted."""
    situation = Situation(subject.now(), subject.leads, subject.start())
    count = ending = 0
    for found in subject.reader.pages(collection("Namespace")):
        count += 1
        since = found["metadata"].get("deletionTimestamp")
        if not since or not situation.is_due(since, DELETING):
            continue
        ending += 1
        if ending <= _MOST:
            yield from judge(found, _held_in(found["metadata"]["name"], subject), situation)
    more = f"; {ending - _MOST} that are being deleted were not looked into" if ending > _MOST else ""
    yield Checked(check=CHECK, what=f"{count} Namespaces, {ending} of which do not end{more}")


def _held_in(namespace: str, subject: Subject) -> tuple[str, ...]:
    """Some objects of the mesh in it."""
    found = ((kind, one) for kind in _KINDS for one in subject.reader.some(collection(kind, namespace), _SHOWN))
    return tuple(f"{kind} {one['metadata']['name']}" for kind, one in found)


def judge(namespace: Manifest, held: tuple[str, ...], situation: Situation) -> Iterator[Finding]:
    """A namespace whose end waits for the operator."""
    if not held:
        return
    name = namespace["metadata"]["name"]
    shown = ", ".join(held[:_SHOWN]) + (" and more" if len(held) > _SHOWN else "")
    look_inside = f"kubectl get datamesh -n {name}; the findings about these objects say what each waits for"
    yield Finding(
        check=CHECK,
        object=f"Namespace {name}",
        what=f"It has been in deletion since {namespace['metadata']['deletionTimestamp']} and holds {shown}",
        why="No operator runs that could end them" if situation.leads is False else "It ends when the operator has released them",
        do=situation.start if situation.leads is False else look_inside,
    )
