"""What the gate program has to do so that the admission policies of the cluster are those that are rendered. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from clouddatamesh.governance.gate.rendering import BINDING, MANAGER, POLICY, Rendering, owner_in
from clouddatamesh.governance.installed import says_the_same
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.marks import MANAGED_LABEL


@dataclass(frozen=True)
class Create:
    """An object that does not exist."""

    manifest: Manifest


@dataclass(frozen=True)
class Replace:
    """An object of the gate program that differs. The manifest is whole and of the version that was read, so what others added goes."""

    manifest: Manifest


@dataclass(frozen=True)
class Remove:
    """An object of the gate program whose policy is gone, or has nothing at the gate any more. The policy is read again before."""

    manifest: Manifest
    policy: Key


@dataclass(frozen=True)
class Leave:
    """An object that should be changed and is not."""

    key: Key
    why: str


Change: TypeAlias = Create | Replace | Remove | Leave


def plan(rendering: Rendering, objects: Mapping[Key, Manifest]) -> tuple[Change, ...]:
    """`objects` are all admission policies and bindings of the cluster, of whomever. Policies come before their bindings, and go after."""
    wanted = [_marked(manifest) for pair in rendering.pairs for manifest in pair.manifests]
    kept = {key_of(manifest) for manifest in wanted}
    writes = [change for manifest in wanted if (change := _write(manifest, objects.get(key_of(manifest)))) is not None]
    return (*writes, *(change for kind in (BINDING, POLICY) for change in _removals(kind, rendering, objects, kept)))


def _marked(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "labels": {**metadata["labels"], MANAGED_LABEL: MANAGER}}}


def _write(want: Manifest, found: Manifest | None) -> Change | None:
    if found is None:
        return Create(want)
    if owner_in(found) is None:
        why = "it exists and the gate program did not create it; delete it, or remove it from the repository that applies it"
        return Leave(key_of(want), why)
    return None if says_the_same(want, found) else Replace(_over(found, want))


def _over(found: Manifest, want: Manifest) -> Manifest:
    """The wanted object in place of a live one. Labels and annotations of others stay."""
    live, own = found["metadata"], want["metadata"]
    words = {part: {**(live.get(part) or {}), **own[part]} for part in ("labels", "annotations")}
    return {**want, "metadata": {"name": own["name"], "uid": live["uid"], "resourceVersion": live["resourceVersion"], **words}}


def _removals(kind: str, rendering: Rendering, objects: Mapping[Key, Manifest], kept: set[Key]) -> Iterator[Change]:
    for key in sorted(key for key in objects if key.kind == kind and key not in kept):
        owner = owner_in(objects[key])
        if owner in rendering.refused:
            yield Leave(key, f"{owner} cannot be rendered, so what was applied for it before stays")
        elif owner is not None:
            yield Remove(objects[key], owner)
