"""How the children of a Domain go. A finalizer of somebody else's keeps a child, and RBAC honors a binding until it is gone."""

from collections.abc import Iterable

from clouddatamesh import reasons
from clouddatamesh.errors import Waiting
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.operations import ApplyChild, DeleteChild
from clouddatamesh.model.plan import Operation, Steps, stopped
from clouddatamesh.model.words import some
from clouddatamesh.plan.diff import with_uid


def end_children(children: Iterable[Manifest]) -> Steps:
    """A binding that somebody holds gives nobody anything from now on; each is deleted once; then they are waited for."""
    operations: list[Operation] = []
    held: list[str] = []
    for child in children:
        key, metadata = key_of(child), child["metadata"]
        others = metadata.get("finalizers") or ()
        if others and key.kind == "RoleBinding" and child.get("subjects"):
            operations.append(ApplyChild(with_uid({**child, "metadata": _named(metadata), "subjects": []}, metadata["uid"])))
        if not metadata.get("deletionTimestamp"):
            operations.append(DeleteChild(key, metadata["uid"]))
        if others:
            held.append(_held(key, others))
    waits = "; whoever set these has to remove them"
    return stopped(Waiting(reasons.DELETING, some(held) + waits), *operations) if held else Steps(tuple(operations))


def _named(metadata: Manifest) -> Manifest:
    return {name: metadata[name] for name in ("name", "namespace", "labels", "annotations") if name in metadata}


def _held(key: Key, finalizers: Iterable[str]) -> str:
    return f"{key} is being deleted and held by the finalizers {some(sorted(finalizers))}"
