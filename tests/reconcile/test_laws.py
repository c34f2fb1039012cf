"""The laws of the house, each over every flow: fixed point, quiet, crash safety, honest, unseen."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

import pytest

from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.plan.credentials import fingerprint
from clouddatamesh.reconcile.dispatch import RECONCILED
from tests.reconcile.access_flows import ACCESS_FLOWS
from tests.reconcile.flows import ENDPOINT, FLOWS, Flow
from tests.reconcile.policy_flows import POLICY_FLOWS
from tests.support.mesh import Killed, Mesh, Trap

BY_NAME = pytest.mark.parametrize("flow", (*FLOWS, *ACCESS_FLOWS, *POLICY_FLOWS), ids=lambda flow: flow.name)
_VARYING = {"uid", "resourceVersion", "generation", "managedFields", "lastTransitionTime", "observedGeneration", "accessKeyId", "key"}
_VARYING_ANNOTATIONS = ("clouddatamesh.dev/access-key-id", "clouddatamesh.dev/owner")


_NUMBERED = re.compile(r"(?<=AccessGrant )(.*)-[a-z2-7]{16}$")
"""The name of an answer by policy ends in a hash of its request's uid."""


def without_accidents(value: Any) -> Any:
    """What two runs must have in common: everything but uids, versions and key ids."""
    if isinstance(value, Mapping):
        return {k: without_accidents(v) for k, v in value.items() if k not in (*_VARYING, *_VARYING_ANNOTATIONS, "ownerReferences", "data")}
    return [without_accidents(item) for item in value] if isinstance(value, list | tuple) else value


def world_of(mesh: Mesh) -> dict[str, Any]:
    """Everything that is left after a run: objects but what the garbage collector takes, buckets with tags and settings, users with the
    number of their keys."""
    store = mesh.stores.at(ENDPOINT)
    found = {key: mesh.cluster.raw(key) or {"metadata": {}} for key in mesh.cluster.all_keys()}
    living = {raw["metadata"].get("uid") for raw in found.values()}
    kept = {key: raw for key, raw in found.items() if is_owned_by_any(raw, living)}
    objects = {_NUMBERED.sub("", str(key)): without_accidents(raw) for key, raw in kept.items()}
    buckets = {
        name: (held.bucket.tags and [t for t in held.bucket.tags if not t[0].endswith("/uid")], held.bucket.versioning, held.versions)
        for name, held in store.buckets.items()
    }
    users = {name: (user.policy, user.other_policies, len(user.keys)) for name, user in store.users.items()}
    return {"objects": objects, "buckets": buckets, "users": users}


def is_owned_by_any(raw: Manifest, living: set[str | None]) -> bool:
    """Whether an object has no owner, or one that lives: the fake collects no garbage."""
    owners = raw["metadata"].get("ownerReferences") or ()
    return not owners or any(owner["uid"] in living for owner in owners)


def assert_every_key_is_held(mesh: Mesh) -> None:
    """Nothing leaked: each live key stands in exactly one Secret, with the very secret that was issued, or is recorded as replaced."""
    store = mesh.stores.at(ENDPOINT)
    replaced = {found["accessKeyId"] for request in mesh.cluster.list("AccessRequest") if (found := request["status"].get("rotation"))}
    products = (product["status"].get("producer") or {} for product in mesh.cluster.list("DataProduct"))
    replaced |= {found["key"] for status in products if (found := status.get("rotation"))}
    live = sorted(
        (key.id, store.secrets[key.id])
        for user in store.users.values()
        for key in user.keys
        if not replaced & {key.id, fingerprint(key.id)}
    )
    secrets = [mesh.cluster.secret_data(key) for key in mesh.cluster.all_keys() if key.kind == "Secret"]
    assert live == sorted((data["access-key-id"], data["secret-access-key"]) for data in secrets)


@BY_NAME
def test_planning_after_applying_is_empty_and_an_unchanged_world_is_written_to_no_more(flow: Flow) -> None:
    mesh = flow.start()
    flow.act(mesh)
    mesh.settle()
    mesh.clock.forward(minutes=50)
    assert mesh.writes_of(lambda _: None) == []


@BY_NAME
def test_dying_before_or_after_any_write_leads_to_the_same_world(flow: Flow) -> None:
    calm = flow.start()
    count = len(calm.writes_of(flow.act))
    expected = world_of(calm)
    assert_every_key_is_held(calm)
    for after in (False, True):
        for n in range(1, count + 1):
            mesh = flow.start()
            mesh.trap = Trap(at=n, after=after)
            with pytest.raises(Killed):
                flow.act(mesh)
                mesh.settle()
            mesh.trap = Trap()
            again = mesh.settle()
            assert world_of(again) == expected, f"died {'after' if after else 'before'} write {n}"
            assert_every_key_is_held(again)


@BY_NAME
def test_every_status_is_kstatus_and_ready_only_where_nothing_differs(flow: Flow) -> None:
    mesh = flow.start()
    flow.act(mesh)
    mesh.settle()
    for kind in RECONCILED:
        for manifest in mesh.cluster.list(kind):
            key = key_of(manifest)
            conditions = {c["type"]: c["status"] for c in manifest["status"]["conditions"]}
            assert manifest["status"]["observedGeneration"] == manifest["metadata"]["generation"], key
            assert not ("Stalled" in conditions and "Reconciling" in conditions), key
            assert ("Stalled" in conditions or "Reconciling" in conditions) == (conditions["Ready"] != "True"), key


@BY_NAME
def test_secrets_show_nowhere(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mesh = flow.start()
    flow.act(mesh)
    mesh.settle()
    store = mesh.stores.at(ENDPOINT)
    seen = caplog.text + repr(mesh.cluster.events) + repr(mesh.trap.seen)
    seen += json.dumps([mesh.cluster.get(key) for key in mesh.cluster.all_keys()])
    for secret in (*store.secrets.values(), store.root.secret):
        assert secret not in seen
