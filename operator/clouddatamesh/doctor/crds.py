"""Whether the CustomResourceDefinitions are those of this version, and nothing is stored that this version cannot read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from clouddatamesh.api.fields import GROUP
from clouddatamesh.api.kinds import KINDS, Kind
from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.doctor.versions import WHY, is_foreign, is_older, version_of
from clouddatamesh.generate.crds import build_crd
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.words import some

CHECK: Final = "crds"
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_TERMINATING: Final = "Terminating"


def look(subject: Subject) -> Iterator[Result]:
    """Each kind's CRD. It is listed by its name: the operator may list CRDs, and not get one."""
    for kind in KINDS:
        found = subject.reader.some(_CRDS, 1, {"fieldSelector": f"metadata.name={kind.plural}.{GROUP}"})
        yield from judge(kind, next(iter(found), None), subject=subject)
    yield Checked(check=CHECK, what=f"{len(KINDS)} CustomResourceDefinitions: state, stored versions, schema")


def judge(kind: Kind, found: Manifest | None, *, subject: Subject) -> Iterator[Finding]:
    """What is wrong with one CRD."""

    def say(what: str, why: str, do: str) -> Finding:
        return Finding(check=CHECK, object=f"CustomResourceDefinition {kind.plural}.{GROUP}", what=what, why=why, do=do)

    if found is None:
        yield say("It does not exist", f"No {kind.kind} can be created or reconciled", subject.upgrade())
        return
    yield from (say(*told) for told in _faults_of_state(found))
    yield from (say(*told) for told in _faults_of_storage(kind, found, subject))
    version = version_of(found)
    if is_foreign(version, subject):
        yield say(f"It is of version {version}, this program is {subject.version}", WHY, _of_other(version, subject))
        return
    yield from (say(*told) for told in _faults_of_versions(kind, found, subject))
    yield from (say(*told) for told in _faults_of_schema(kind, found, subject))


def _of_other(version: str, subject: Subject) -> str:
    """What to do about a CRD of a version that this program does not know."""
    if subject.is_installed:
        return f"Upgrade the operator with the chart of version {version}, if that is to run; {subject.other_doctor(version)}"
    return subject.other_doctor(version)


def _faults_of_schema(kind: Kind, found: Manifest, subject: Subject) -> Iterator[tuple[str, str, str]]:
    """A CRD of this version, of an older one, or of none that is known. Fields that it has in addition are lost by an upgrade."""
    lacks, has, differs = compare(kind, found)
    this = f"this program ({subject.version})"
    who = f"It is older than {this}" if is_older(version_of(found), subject.version) else f"It is not that of {this}"
    if has and not is_older(version_of(found), subject.version):
        name = found["metadata"]["name"]
        why = "The operator ignores fields that users may set; where fields are missing, the API server drops what the operator writes"
        do = (
            f"Find out who installed it: kubectl get crd {name} -o yaml --show-managed-fields. The chart of {subject.version} removes these"
            f" fields, and the API server drops their values; if nobody needs them: {_upgrade(subject)}"
        )
        yield f"{who}: it has {some(has)} in addition{f' and lacks {some(lacks)}' if lacks else ''}", why, do
    elif lacks:
        why = "The API server drops what it does not know, so the operator loses fields that it writes"
        yield f"{who}: it lacks {some(lacks)}", why, _upgrade(subject)
    elif has or differs:
        why = "Rules or limits differ, so the API server accepts or refuses what this version does not expect"
        yield f"{who}: its schema differs at {some(has + differs)}", why, _upgrade(subject)


def _faults_of_state(found: Manifest) -> Iterator[tuple[str, str, str]]:
    name = found["metadata"]["name"]
    conditions = {one["type"]: one for one in (found.get("status") or {}).get("conditions") or ()}
    if found["metadata"].get("deletionTimestamp") or conditions.get(_TERMINATING, {}).get("status") == "True":
        why = "The API server deletes every object of the kind with it, and waits for the operator to end each"
        yield (
            "It is being deleted",
            why,
            f"Let the operator run until it is gone: kubectl get {name.partition('.')[0]} -A; then install the chart",
        )
        return
    for type_ in ("NamesAccepted", "Established"):
        one = conditions.get(type_, {})
        if one.get("status") != "True":
            why = f"The API server does not serve the kind: {one.get('message') or 'no such condition'}"
            yield f"It is not {type_}", why, f"kubectl describe crd {name}"
            return


def _faults_of_storage(kind: Kind, found: Manifest, subject: Subject) -> Iterator[tuple[str, str, str]]:
    stored = tuple((found.get("status") or {}).get("storedVersions") or ())
    if unknown := [version for version in stored if version not in kind.versions]:
        why = f"Objects may be stored as {', '.join(unknown)}, which this version ({subject.version}) cannot read"
        yield (
            f"Its status.storedVersions has {', '.join(unknown)}",
            why,
            f"Run the newer version of the operator again: {subject.helm('history')}",
        )


def _faults_of_versions(kind: Kind, found: Manifest, subject: Subject) -> Iterator[tuple[str, str, str]]:
    versions = found["spec"]["versions"]
    if unserved := [version for version in kind.versions if version not in {one["name"] for one in versions if one.get("served")}]:
        yield f"It does not serve {', '.join(unserved)}", "The operator reads this version", _upgrade(subject)
    conversion = (found["spec"].get("conversion") or {}).get("strategy", "None")
    if len(versions) > 1 and conversion == "None" and _shapes(versions) > 1:
        why = "Objects are served as they are stored, only with another apiVersion, so fields of the other version are lost"
        yield "It has versions of different schemas and no conversion", why, _upgrade(subject)


def _shapes(versions: Any) -> int:
    return len({json.dumps(_fields((one.get("schema") or {}).get("openAPIV3Schema") or {}), sort_keys=True) for one in versions})


def compare(kind: Kind, found: Manifest) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Fields that the CRD lacks, fields that it has in addition, and places where it differs otherwise. Descriptions do not count."""
    here = {one["name"]: one for one in found["spec"]["versions"]}
    lacks: set[str] = set()
    has: set[str] = set()
    differs: set[str] = set()
    for version in build_crd(kind)["spec"]["versions"]:
        there = here.get(version["name"])
        if there is None:
            continue  # told by what is served
        want, seen = _fields(version["schema"]["openAPIV3Schema"]), _fields((there.get("schema") or {}).get("openAPIV3Schema") or {})
        lacks |= want.keys() - seen.keys()
        has |= seen.keys() - want.keys()
        differs |= {path or "the root" for path in want.keys() & seen.keys() if want[path] != seen[path]}
    return tuple(sorted(lacks)), tuple(sorted(has)), tuple(sorted(differs))


def _fields(schema: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Path -> what a schema says of a field, without its own fields."""
    own = {name: value for name, value in schema.items() if name not in ("properties", "items", "additionalProperties", "description")}
    found: dict[str, Any] = {at: own}
    for name, child in (schema.get("properties") or {}).items():
        found |= _fields(child, f"{at}.{name}" if at else name)
    for name, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(name), Mapping):
            found |= _fields(schema[name], f"{at}{mark}")
    return found


def _upgrade(subject: Subject) -> str:
    return subject.upgrade("crds.enabled=true")
