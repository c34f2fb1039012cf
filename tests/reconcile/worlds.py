"""What two runs that take different courses and times must have in common."""

import re
from collections.abc import Mapping
from typing import Any

from tests.reconcile.test_laws import world_of
from tests.support.mesh import Mesh

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\dZ")
_NAMESPACE_UID = "clouddatamesh.dev/namespace-uid"


def same_world(mesh: Mesh) -> dict[str, Any]:
    """Everything that is left, without the hours, the uids, and the memory of repairs."""
    found: dict[str, Any] = _plain(world_of(mesh))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _TIME.sub(r"\1", value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if name != "probedGeneration" and not _is_term_of_grant(name, value)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value if not _is_accident(one)]
    return value


def _is_term_of_grant(name: str, around: Mapping[str, Any]) -> bool:
    """By how many approvals a grant gave: access that was given again meanwhile was given by what its port asks for by then."""
    return name == "approvals" and "requestDigest" in around


def _is_accident(value: Any) -> bool:
    """Repaired drift is told of until the next look; a namespace that was made again has another uid."""
    if isinstance(value, Mapping):
        return value.get("type") == "DriftDetected"
    return isinstance(value, tuple) and bool(value) and value[0] == _NAMESPACE_UID


def differences(found: Any, wanted: Any, *, at: str = "") -> list[str]:
    """The places in which two worlds differ, and how."""
    if found == wanted:
        return []
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        names = sorted({**found, **wanted})
        return [one for name in names for one in differences(found.get(name), wanted.get(name), at=f"{at} {name}")]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        return [one for place, pair in enumerate(zip(found, wanted, strict=True)) for one in differences(*pair, at=f"{at} {place}")]
    return [f"{at.strip()}: {found} instead of {wanted}"]
