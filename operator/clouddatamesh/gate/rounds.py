"""One round of the gate program: read all, render, and correct what differs. On an incomplete list it changes nothing."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.governance.gate.changes import Change, Create, Leave, Remove, Replace, plan
from clouddatamesh.governance.gate.policies import NOT_LOOKED_AT
from clouddatamesh.governance.gate.rendering import BINDING, MANAGER, POLICY, Scene, render
from clouddatamesh.kube.errors import ApiError, is_absent, is_other_uid, translate
from clouddatamesh.kube.lists import list_all
from clouddatamesh.kube.resources import collection, path
from clouddatamesh.kube.transport import Transport
from clouddatamesh.model.judging import POLICY_KINDS, WAIVER
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.reasons import CONFLICT

_log = logging.getLogger(__name__)
SOURCES: Final = (*POLICY_KINDS, WAIVER, "Domain")
TARGETS: Final = (POLICY, BINDING)
_QUERY: Final = {"fieldManager": MANAGER}


@dataclass(frozen=True)
class Outcome:
    """How a round ended."""

    until: datetime | None
    """When the rendering is no longer right, because a waiver ends."""
    failures: tuple[str, ...]
    """Writes that failed for what may pass by itself. One that the API server refuses is the fault of a rule, and only logged."""


class Rounds:
    """Rounds over one cluster. `operator` is the user name of the operator's ServiceAccount."""

    def __init__(self, client: Transport, *, operator: str, now: Callable[[], datetime]) -> None:
        self._client, self._operator, self._now = client, operator, now
        self._said: frozenset[str] = frozenset()

    def run(self) -> Outcome:
        """Raises MeshError where anything could not be read; nothing was changed then."""
        lists = {kind: list_all(self._client, kind) for kind in (*SOURCES, *TARGETS)}
        scene = Scene(tuple(found for kind in POLICY_KINDS for found in lists[kind]), lists[WAIVER], lists["Domain"], looked_at=True)
        rendering = render(scene, now=self._now(), operator=self._operator)
        changes = plan(rendering, {key_of(found): found for kind in TARGETS for found in lists[kind]})
        sources = {key_of(found): found for found in scene.policies}
        errors = tuple(self._carry_out_all(changes, sources))
        left = {f"{entry.policy}{f', rule {entry.rule}' if entry.rule else ''}: {entry.why}" for entry in rendering.left}
        left |= {f"{change.key} is left as it is: {change.why}" for change in changes if isinstance(change, Leave)}
        self._say(left | set(map(str, errors)))
        return Outcome(rendering.until, tuple(str(error) for error in errors if isinstance(error, Transient)))

    def _say(self, sentences: set[str]) -> None:
        """Each once, until it is no longer so. That the operator has not looked yet is the way of every change."""
        for sentence in sorted(sentences - self._said):
            _log.log(logging.INFO if sentence.endswith(NOT_LOOKED_AT) else logging.WARNING, "%s", sentence)
        self._said = frozenset(sentences)

    def _carry_out_all(self, changes: Sequence[Change], sources: Mapping[Key, Manifest]) -> Iterator[MeshError]:
        """What failed. A binding follows its policy: where that was refused, the former rules are not enforced in another way."""
        refused: set[str] = set()
        for change in changes:
            key = change.key if isinstance(change, Leave) else key_of(change.manifest)
            if key.kind == BINDING and key.name in refused:
                continue
            error = self._try(change, sources)
            if error is not None:
                refused |= {key.name} if key.kind == POLICY else set()
                yield error

    def _try(self, change: Change, sources: Mapping[Key, Manifest]) -> MeshError | None:
        """Carry out one change; how it failed, None where it did not."""
        try:
            self._carry_out(change, sources)
        except MeshError as error:
            return error
        return None

    def _carry_out(self, change: Change, sources: Mapping[Key, Manifest]) -> None:
        if isinstance(change, Create):
            self._send("POST", collection(change.manifest["kind"]), change.manifest)
        elif isinstance(change, Replace):
            self._send("PUT", path(key_of(change.manifest)), change.manifest)
        elif isinstance(change, Remove):
            self._check_gone(change.policy, sources.get(change.policy))
            self._delete(change.manifest)

    def _send(self, method: str, place: str, manifest: Manifest) -> None:
        key = key_of(manifest)
        try:
            self._client.request(method, place, body=manifest, query=_QUERY)
        except ApiError as error:
            raise translate(error, f"Applying {key}") from error
        _log.info("%s %s", {"POST": "Created", "PUT": "Corrected"}[method], key)

    def _check_gone(self, policy: Key, listed: Manifest | None) -> None:
        """Read live what a removal is based on: the policy is gone, or is the one that was rendered into nothing. Else MeshError."""
        try:
            found = self._client.request("GET", path(policy))
        except ApiError as error:
            if is_absent(error):
                return
            raise translate(error, f"Reading {policy} before its admission policy is removed") from error
        if listed is None or found["metadata"]["resourceVersion"] != listed["metadata"]["resourceVersion"]:
            raise Transient(CONFLICT, f"{policy} changed while it was read, so its admission policy is kept until the next round")

    def _delete(self, manifest: Manifest) -> None:
        key, metadata = key_of(manifest), manifest["metadata"]
        preconditions = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        try:
            self._client.request("DELETE", path(key), body=body)
        except ApiError as error:
            if is_other_uid(error):
                return
            raise translate(error, f"Deleting {key}") from error
        _log.info("Deleted %s: its policy is gone, or no longer warns or denies", key)
