"""What `kubectl apply` leaves of an object although the files do not name it: what nobody applied."""

import json
from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.raw import entries, text, value

_LAST: Final = "kubectl.kubernetes.io/last-applied-configuration"


def foreign(live: Manifest, part: str) -> dict[str, Any]:
    """The labels or annotations (`part`) that somebody else wrote; those that were applied go when a file drops them."""
    had = value(live, "metadata", part)
    applied = {*_last_applied(live, part), *_applied_on_the_server(live, part)}
    return {name: said for name, said in had.items() if name not in applied} if isinstance(had, Mapping) else {}


def _last_applied(live: Manifest, part: str) -> Mapping[str, Any]:
    try:
        found = value(json.loads(text(live, "metadata", "annotations", _LAST)), "metadata", part)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _applied_on_the_server(live: Manifest, part: str) -> set[str]:
    """By server-side apply, of whichever manager."""
    managers = entries(live, "metadata", "managedFields")
    fields = (value(entry, "fieldsV1", "f:metadata", f"f:{part}") for entry in managers if entry.get("operation") == "Apply")
    return {name.removeprefix("f:") for found in fields if isinstance(found, Mapping) for name in found}
