"""Which Secrets are to be there. Nobody may watch Secrets, so each is asked for now and then, between the looks at its owner."""

from collections.abc import Iterator
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.ports import Cluster
from clouddatamesh.status.summarize import is_true

_CONDITION: Final = {"DataProduct": "CredentialsReady", "AccessRequest": "Provisioned"}
"""Of each kind that has a Secret, the condition that is True once it was read back."""


def find_expected(cluster: Cluster) -> Iterator[tuple[Key, Key]]:
    """Each owner that read its Secret back at its last look, and that Secret. One that is known to be missing is waited for elsewhere."""
    for kind, condition in _CONDITION.items():
        for manifest in cluster.list(kind):
            name = _secret_of(manifest, condition)
            if name:
                yield key_of(manifest), Key("Secret", manifest["metadata"]["namespace"], name)


def _secret_of(manifest: Manifest, condition: str) -> str:
    status = manifest.get("status") or {}
    if manifest["metadata"].get("deletionTimestamp") or not is_true(status, condition):
        return ""
    return str((status.get("binding") or {}).get("name") or "")
