"""Whether the chart's admission policies and their bindings exist, hold for every object, deny, and are of this version."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.guards import GUARDS
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.doctor.versions import WHY, is_foreign, is_older, version_of
from clouddatamesh.model.objects import Manifest

CHECK: Final = "policies"
_ROOT: Final = "/apis/admissionregistration.k8s.io/v1"
_KINDS: Final = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_NARROWING: Final = ("excludeResourceRules", "namespaceSelector", "objectSelector")
"""Fields that the chart's policies leave out, and its bindings as well."""
_REMOVE: Final = "kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding {name}; "
"""An upgrade leaves fields that the chart does not set, and creates what does not exist."""
_ALL: Final = "ValidatingAdmissionPolicies clouddatamesh-*"


def look(subject: Subject, without: frozenset[str]) -> Iterator[Result]:
    """`without` are guards that were switched off on purpose. Policies of another version are told once, and not judged."""
    wanted = {name: (guard, why) for guard, (names, why) in GUARDS.items() if guard not in without for name in names}
    pairs = {name: tuple(subject.reader.get(f"{_ROOT}/{kind}/{name}") for kind in _KINDS) for name in wanted}
    if wanted and not any(any(pair) for pair in pairs.values()):
        yield _none_of(len(wanted), subject)
        return
    foreign = {name: told for name, (policy, _) in pairs.items() if policy and is_foreign(told := version_of(policy), subject)}
    yield from _of_other_versions(Counter(foreign.values()), subject)
    for name, (guard, why) in wanted.items():
        for what in judge(name, *pairs[name], version=subject.version) if name not in foreign else ():
            yield Finding(
                check=CHECK,
                object=f"ValidatingAdmissionPolicy {name}",
                what=what,
                why=f"Without it {why}",
                do=f"{_way_out(name, what, subject)}; if guard.{guard}=false is intended, run doctor with --without-guard {guard}",
            )
    yield Checked(check=CHECK, what=f"{len(wanted) - len(foreign)} admission policies and their bindings")


def _way_out(name: str, what: str, subject: Subject) -> str:
    """Of a release of another version nothing is deleted: no command here creates it again."""
    is_removed = "exempt" in what and subject.installed in ("", subject.version)
    return f"{_REMOVE.format(name=name) if is_removed else ''}{subject.upgrade()}"


def judge(name: str, policy: Manifest | None, binding: Manifest | None, *, version: str) -> Iterator[str]:
    """What is wrong with one policy and its binding."""
    if policy is None and binding is None:
        yield "The policy and its binding do not exist"
    elif policy is None or binding is None:
        yield f"The {'policy' if policy is None else 'binding of the policy'} does not exist"
    if policy is not None and is_older(told := version_of(policy), version):
        yield f"The policy is of version {told}, this program is {version}"
    if policy is not None:
        yield from _faults_of_policy(policy["spec"])
    if binding is not None:
        yield from _faults_of_binding(name, binding["spec"])


def _faults_of_policy(spec: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a policy of this name from refusing anything. Its expressions are not read: they depend on the chart's values."""
    if spec.get("failurePolicy", "Fail") != "Fail":
        yield f"Its failurePolicy is {spec['failurePolicy']}, so what it cannot evaluate passes"
    if not spec.get("validations"):
        yield "It has no validations, so everything passes"
    match = spec.get("matchConstraints") or {}
    if not match.get("resourceRules"):
        yield "Its matchConstraints match no resource"
    if narrow := _narrowed_by(match, _NARROWING):
        yield f"Its matchConstraints exempt objects by {narrow}"


def _faults_of_binding(name: str, spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("policyName") != name:
        yield f"The binding binds the policy {spec.get('policyName')}"
    if narrow := _narrowed_by(spec.get("matchResources") or {}, ("resourceRules", *_NARROWING)):
        yield f"The binding exempts objects by its matchResources: {narrow}"
    if "Deny" not in (spec.get("validationActions") or ()):
        yield f"The binding does not deny: validationActions are {', '.join(spec.get('validationActions') or ['empty'])}"


def _narrowed_by(match: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """Fields that say which objects a policy holds for. The API server itself writes empty selectors, which select all."""
    return " and ".join(field for field in fields if match.get(field))


def _of_other_versions(counts: Counter[str], subject: Subject) -> Iterator[Finding]:
    for version, count in sorted(counts.items()):
        what = f"{count} policies are of version {version}, this program is {subject.version}"
        yield Finding(check=CHECK, object=_ALL, what=what, why=WHY, do=subject.other_doctor(version))


def _none_of(count: int, subject: Subject) -> Finding:
    return Finding(
        check=CHECK,
        object=_ALL,
        what=f"None of the {count} policies of the chart exists, nor a binding of one",
        why="Nobody is held to the rules of the mesh: see the values guard.* in docs/chart.md",
        do=subject.upgrade(),
    )
