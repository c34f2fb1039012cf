"""Whether the admission policies of a policy exist as they are rendered: what GateInstalled in its status says. It reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from clouddatamesh.governance.gate.policies import LeftOut
from clouddatamesh.governance.gate.rendering import BINDING, POLICY, Pair, Rendering, name_of, owner_in
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.words import some

_NOTHING: Final[tuple[Any, ...]] = (None, "", {}, [], "Equivalent", "*")
"""Values that the API server writes where a manifest has none, and that narrow nothing."""
_HOW: Final = "set the chart's value governance.gate.enabled, or apply what `clouddatamesh policies render` prints"


@dataclass(frozen=True)
class Installed:
    """Status, reason and message of the condition GateInstalled."""

    status: Literal["True", "False", "Unknown"]
    reason: Literal["Installed", "NotAtGate", "NotInstalled", "NotRendered", "Differs", "NotYetInEffect", "LeftBehind"]
    message: str


def is_installed(policy: Key, rendering: Rendering, objects: Mapping[Key, Manifest]) -> Installed | None:
    """None where the policy has nothing at the gate, and is to have nothing. `objects` holds what exists of the two objects of its name."""
    left = [entry for entry in rendering.left if entry.policy == policy]
    pair = next((pair for pair in rendering.pairs if pair.of == policy), None)
    if pair is not None:
        return _of_pair(pair, left, objects)
    if faults := [entry.why for entry in left if entry.is_fault]:
        return Installed("False", "NotRendered", f"{faults[0]}; until then the former rules stay at admission")
    if (behind := left_behind(policy, objects)) is not None:
        return behind
    if left:
        return Installed("False", "NotAtGate", f"No rule is judged at admission: {_explained(left)}")
    return None


def left_behind(policy: Key, objects: Mapping[Key, Manifest]) -> Installed | None:
    """What goes on to warn and deny though the policy does not any more; None where nothing does."""
    name = name_of(policy)
    found = objects.get(Key(POLICY, "", name))
    if found is None or Key(BINDING, "", name) not in objects:
        return None
    what = f"{POLICY} {name} goes on to warn or deny by the rules that were applied before"
    if owner_in(found) == policy:
        return Installed("False", "LeftBehind", f"{what}; the gate program removes it within a minute. Where that does not run, delete it")
    return Installed("False", "LeftBehind", f"{what}; delete it, or remove it from the repository that applies it")


def _of_pair(pair: Pair, left: Sequence[LeftOut], objects: Mapping[Key, Manifest]) -> Installed:
    name = name_of(pair.of)
    seen = {kind: objects.get(Key(kind, "", name)) for kind in (POLICY, BINDING)}
    missing = [kind for kind in (POLICY, BINDING) if seen[kind] is None]
    if missing:
        return Installed("False", "NotInstalled", f"{' and '.join(missing)} {name} does not exist; {_HOW}")
    for want in pair.manifests:
        found = seen[want["kind"]]
        if found is not None and (differs := _differences(want["spec"], found.get("spec") or {}, "spec")):
            what = f"{want['kind']} {name} differs from the policy in {some(differs, 3)}"
            corrects = (
                "the gate program corrects it within a minute, or" if owner_in(found) == pair.of else "the gate program did not make it;"
            )
            return Installed("False", "Differs", f"{what}; {corrects} {_HOW}")
    if why := _why_not_in_effect(seen[POLICY] or {}):
        return Installed("Unknown", "NotYetInEffect", why)
    rest = f"; {_explained(left)}" if left else ""
    return Installed("True", "Installed", f"{len(pair.policy['spec']['validations'])} rules are judged at admission{rest}")


def _explained(left: Sequence[LeftOut]) -> str:
    whys = sorted({entry.why for entry in left})
    rules = {why: [entry.rule for entry in left if entry.why == why and entry.rule] for why in whys}
    return "; ".join(f"{some(rules[why])}: {why}" if rules[why] else why for why in whys)


def _why_not_in_effect(policy: Manifest) -> str:
    """The API server says in status that it has checked the types of a policy of this generation."""
    status = policy.get("status") or {}
    if status.get("observedGeneration") == policy["metadata"].get("generation"):
        return ""
    return "The API server has not checked the types of the admission policy yet; it does within seconds"


def says_the_same(want: Manifest, found: Manifest) -> bool:
    """Whether a live object has the spec, the labels and the annotations that it should; more labels and annotations are others' matter."""
    metadata = found["metadata"]
    marks = all(
        (metadata.get(part) or {}).get(name) == value
        for part in ("labels", "annotations")
        for name, value in (want["metadata"].get(part) or {}).items()
    )
    return marks and not _differences(want["spec"], found.get("spec") or {}, "spec")


def _differences(want: Any, found: Any, path: str) -> list[str]:
    """Paths at which a live value is not what is wanted. A field that is not wanted may hold only what means nothing."""
    if isinstance(want, Mapping) and isinstance(found, Mapping):
        return [
            difference
            for name in sorted({*want, *found})
            for difference in _of_field(want.get(name), found.get(name), f"{path}.{name}", wanted=name in want)
        ]
    if isinstance(want, Sequence) and isinstance(found, Sequence) and not isinstance(want, str):
        pairs = enumerate(zip(want, found, strict=False))
        inside = [difference for at, pair in pairs for difference in _differences(*pair, f"{path}[{at}]")]
        return inside or ([] if len(want) == len(found) else [path])
    return [] if want == found else [path]


def _of_field(want: Any, found: Any, path: str, *, wanted: bool) -> list[str]:
    if wanted:
        return _differences(want, found, path)
    return [] if found in _NOTHING else [path]
