"""Objects of the mesh that are stuck, were never reconciled, wait for people, or are nobody's; read once, a page at a time."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from clouddatamesh.doctor.findings import Checked, Finding, Result, Unchecked
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.doctor.symptoms import Situation, Symptom, find_symptoms
from clouddatamesh.kube.resources import RESOURCES, collection
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.facts import part_of

CHECK: Final = "objects"
_EACH: Final = 10
"""So many objects of a kind in one state are told one by one; of the others the number."""
_NAMES: Final = 20_000
"""Of so many namespaces of Domains the names are kept."""


class Objects:
    """One pass over one kind. It keeps what it tells, and numbers."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def look(self, subject: Subject) -> Iterator[Result]:
        """All objects of the kind."""
        situation = Situation(subject.now(), subject.leads, subject.start())
        homes = subject.homes if RESOURCES[self._kind].namespaced else None
        counts: Counter[tuple[str, str]] = Counter()
        last: dict[tuple[str, str], Symptom] = {}
        total = 0
        for found in subject.reader.pages(collection(self._kind)):
            total += 1
            for symptom in (*find_symptoms(self._kind, found, situation), *find_homeless(self._kind, found, homes)):
                group = (symptom.name, symptom.reason)
                counts[group] += 1
                if counts[group] <= _EACH:
                    yield tell(symptom)
                else:
                    last[group] = symptom
        yield from (tell_rest(symptom, counts[group] - _EACH) for group, symptom in sorted(last.items(), key=lambda item: item[0]))
        yield Checked(check=CHECK, what=f"{total} {self._kind}s")


def look_at_homes(subject: Subject) -> Iterator[Result]:
    """Which namespaces Domains have or name; nothing is said of objects in others while that is not known.

    A label may be lost for a while, as when no operator runs that puts it back: what a Domain names is its own matter.
    """
    names: set[str] = set()
    for found in _homes(subject):
        names.add(found)
        if len(names) > _NAMES:
            missing = f"there are more than {_NAMES} such namespaces"
            yield Unchecked(check=CHECK, what="objects in namespaces that no Domain has", missing=missing)
            return
    subject.homes = frozenset(names)
    yield Checked(check=CHECK, what=f"{len(names)} namespaces of Domains")


def _homes(subject: Subject) -> Iterator[str]:
    for found in subject.reader.pages(collection("Namespace"), {"labelSelector": marks.DOMAIN_LABEL}):
        yield found["metadata"]["name"]
    for found in subject.reader.pages(collection("Domain")):
        listed = part_of(found, "spec").get("namespaces") or [found["metadata"]]
        yield from (one["name"] for one in (*listed, *(part_of(found, "status").get("namespaces") or ())))


def find_homeless(kind: str, found: Manifest, homes: frozenset[str] | None) -> Iterator[Symptom]:
    """An object with the operator's finalizer in a namespace that no Domain has any more; what is being deleted is told as that."""
    metadata = found["metadata"]
    is_held = marks.FINALIZER in (metadata.get("finalizers") or ())
    if homes is None or metadata.get("namespace", "") in homes or not is_held or metadata.get("deletionTimestamp"):
        return
    namespace = metadata["namespace"]
    yield Symptom(
        "homeless",
        "",
        Key(kind, namespace, metadata["name"]),
        f"It carries the finalizer {marks.FINALIZER}, and no Domain has the namespace {namespace}",
        "The operator creates and gives nothing there; deleting the object, or the namespace, still needs the operator",
        f"Name {namespace} in a Domain's spec.namespaces; if nobody needs the object, delete it while the operator runs, after a look at"
        " spec.storage.deletionPolicy where it is a product",
    )


def tell(symptom: Symptom) -> Finding:
    """One object."""
    return Finding(check=CHECK, object=str(symptom.object), what=symptom.what, why=symptom.why, do=symptom.do, level=symptom.level)


def tell_rest(symptom: Symptom, count: int) -> Finding:
    """Those that are not told one by one; the last of them is told for all."""
    state = f"{symptom.name} ({symptom.reason})" if symptom.reason else symptom.name
    what = f"{count} more {symptom.object.kind}s are in the same state: {state}; the last is {symptom.object}: {symptom.what}"
    return Finding(check=CHECK, object=f"{symptom.object.kind}s", what=what, why=symptom.why, do=symptom.do, level=symptom.level)
