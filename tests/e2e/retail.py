"""The retail mesh of the examples as a folder that people and tools apply, prune and restore; and when all of it is there again."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from hack.tools.children import ToolError
from tests.e2e.actors import BREAK_GLASS, Actors
from tests.support.installation import ROOT

Manifest = dict[str, Any]
FOLDER = ROOT / "examples" / "retail"
DOMAINS = ("customer", "inventory", "sales")
CHILDREN = ("rolebindings", "resourcequotas", "limitranges", "networkpolicies")
RESCUER = ("--as=rescuer", "--as-group=system:masters", f"--as-group={BREAK_GLASS}")
_KEPT = ("name", "namespace", "labels", "annotations", "finalizers")


def documents(endpoint: str, region: str) -> list[Manifest]:
    """All manifests of the folder, in the order of its files; the store is where it runs."""
    found = [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    for one in found:
        if one["kind"] == "ObjectStore":
            one["spec"].update(endpointUrl=endpoint, region=region)
    return found


def shuffled(manifests: Sequence[Manifest], seed: int) -> list[Manifest]:
    found = list(manifests)
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, not a secret
    return found


def restorable(found: Mapping[str, Any]) -> Manifest:
    """An object as backup tools write it back: without uid, times and status, with labels, annotations and finalizers."""
    metadata = {name: found["metadata"][name] for name in _KEPT if found["metadata"].get(name)}
    return {**{name: value for name, value in found.items() if name != "status"}, "metadata": metadata}


@dataclass(frozen=True)
class Folder:
    """A running mesh, and what people do to folders of manifests on it."""

    mesh: Actors

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        return self.mesh.installed.cluster.kubectl(*args, stdin=stdin)

    def apply(self, manifests: Sequence[Manifest], *flags: str) -> str:
        """What kubectl says against it; empty where all was done. It goes on with the others, as tools do."""
        try:
            self.kubectl("apply", "-f", "-", *flags, stdin=yaml.safe_dump_all(manifests))
        except ToolError as error:
            return str(error)
        return ""

    def delete(self, manifests: Sequence[Manifest], *, wait: bool = True, seconds: float = 120) -> None:
        """`kubectl delete -f`; it asks for the end of each, and then waits for all."""
        self.kubectl("delete", "--ignore-not-found", "-f", "-", "--wait=false", stdin=yaml.safe_dump_all(manifests))
        if wait:
            self.gone(manifests, seconds=seconds)

    def gone(self, manifests: Sequence[Manifest], *, seconds: float = 120) -> None:
        """Wait until none is left. Raises TimeoutError that tells what is."""
        self._until(lambda: [state for state in self._states(manifests) if not state.endswith(": absent")], seconds=seconds)

    def residue(self) -> list[str]:
        """What is left of the three domains that no deleted object may leave: users in the store, Secrets and children in the cluster."""
        users = self.mesh.store.users("/clouddatamesh/retail/")
        left = [f"user {one}" for one in users if one.startswith(tuple(f"{domain}-" for domain in DOMAINS))]
        for domain in DOMAINS:
            found = self.mesh.installed.all(",".join(("secrets", *CHILDREN)), domain)
            left += [f"{one['kind']} {domain}/{one['metadata']['name']}" for one in found]
        return left

    def lacking(self, manifests: Sequence[Manifest]) -> list[str]:
        """Those that are not there, are going, or are not Ready for what they say now; each with what its status says."""
        return [state for state in self._states(manifests) if not state.endswith(": Ready")]

    def _states(self, manifests: Sequence[Manifest]) -> list[str]:
        items = self.mesh.installed.all("datamesh")
        found = {_name(one): one for one in items}
        return [f"{_name(one)}: {_state(found.get(_name(one)))}" for one in manifests]

    def _until(self, left: Callable[[], list[str]], *, seconds: float) -> None:
        """Wait until nothing is left. Raises TimeoutError that tells what is."""
        try:
            self.mesh.installed.until(lambda: not left(), seconds=seconds)
        except TimeoutError as error:
            raise TimeoutError("\n".join([*left(), str(error)])) from None

    def is_whole(self, manifests: Sequence[Manifest], *, seconds: float = 120) -> None:
        """Wait until all are there and Ready. Raises TimeoutError that tells what is not."""
        self._until(lambda: self.lacking(manifests), seconds=seconds)

    def comes_back(self, manifests: Sequence[Manifest], *, seconds: float = 150) -> None:
        """Apply again and again, as a tool does that reverts a commit while the objects of the former one still go."""

        def left() -> list[str]:
            self.apply(manifests)
            return self.lacking(manifests)

        self._until(left, seconds=seconds)

    def saved(self, kinds: Sequence[str], namespace: str) -> list[Manifest]:
        """A backup of a namespace's objects of some kinds."""
        items = self.mesh.installed.all(",".join(kinds), namespace)
        return [restorable(one) for one in items]

    def restore_status(self, manifest: Mapping[str, Any]) -> None:
        """As backup tools do that are in the break-glass groups."""
        body = {"status": manifest["status"]}
        self.kubectl(
            "patch", manifest["kind"].lower(), manifest["metadata"]["name"], "--subresource=status", "--type=merge", "-p", json.dumps(body),
            *RESCUER,
        )  # fmt: skip

    def events(self, name: str, reason: str) -> list[str]:
        """The notes of the events of one Domain."""
        items = self.mesh.installed.all("events.events.k8s.io", "default")
        return [one.get("note", "") for one in items if one["regarding"].get("name") == name and one["reason"] == reason]


def _name(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _state(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "absent"
    if found["metadata"].get("deletionTimestamp"):
        return f"is being deleted: {_said(found)}"
    status = found.get("status") or {}
    ready = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), None)
    if ready is None or status.get("observedGeneration") != found["metadata"]["generation"]:
        return "not looked at yet"
    return "Ready" if ready["status"] == "True" else _said(found)


def _said(found: Mapping[str, Any]) -> str:
    """What its conditions say, without those that are as they should be."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    return "; ".join(f"{one['type']} {one['status']} {one['reason']}: {one.get('message')}" for one in conditions)
