"""Whether the chart's admission policies and their bindings exist, deny, and are of this version."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.guards import GUARDS
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.model.objects import Manifest

CHECK: Final = "policies"
_ROOT: Final = "/apis/admissionregistration.k8s.io/v1"
_KINDS: Final = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_VERSION: Final = "app.kubernetes.io/version"


def look(subject: Subject, without: frozenset[str]) -> Iterator[Result]:
    """`without` are guards that were switched off on purpose."""
    wanted = {name: (guard, why) for guard, (names, why) in GUARDS.items() if guard not in without for name in names}
    pairs = {name: tuple(subject.reader.get(f"{_ROOT}/{kind}/{name}") for kind in _KINDS) for name in wanted}
    if wanted and not any(any(pair) for pair in pairs.values()):
        yield _none_of(len(wanted), subject)
        return
    for name, (guard, why) in wanted.items():
        for what in judge(*pairs[name], version=subject.version):
            yield Finding(
                check=CHECK,
                object=f"ValidatingAdmissionPolicy {name}",
                what=what,
                why=f"Without it {why}",
                do=f"{subject.upgrade()}; if guard.{guard}=false is intended, run doctor with --without-guard {guard}",
            )
    yield Checked(check=CHECK, what=f"{len(wanted)} admission policies and their bindings")


def judge(policy: Manifest | None, binding: Manifest | None, *, version: str) -> Iterator[str]:
    """What is wrong with one policy and its binding."""
    if policy is None and binding is None:
        yield "The policy and its binding do not exist"
    elif policy is None or binding is None:
        yield f"The {'policy' if policy is None else 'binding of the policy'} does not exist"
    if binding is not None and "Deny" not in (binding["spec"].get("validationActions") or ()):
        yield f"The binding does not deny: validationActions are {', '.join(binding['spec'].get('validationActions') or ['empty'])}"
    if policy is not None and (told := _version_of(policy)) not in ("", version):
        yield f"The policy is of version {told}, this program is {version}"


def _none_of(count: int, subject: Subject) -> Finding:
    return Finding(
        check=CHECK,
        object="ValidatingAdmissionPolicies clouddatamesh-*",
        what=f"None of the {count} policies of the chart exists, nor a binding of one",
        why="Nobody is held to the rules of the mesh: see the values guard.* in docs/chart.md",
        do=subject.upgrade(),
    )


def _version_of(found: Manifest) -> str:
    """As the chart labelled it; empty where something else than the chart installed it."""
    return str((found["metadata"].get("labels") or {}).get(_VERSION) or "")
