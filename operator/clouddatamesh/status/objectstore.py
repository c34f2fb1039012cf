"""An ObjectStore's status from what was read back of it."""

from typing import Any

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.outcome import Finding, Outcome
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan.features import is_aws, messages_of, missing_of
from clouddatamesh.plan.objectstore import mesh_bucket_of
from clouddatamesh.plan.sweep import orphan_fields, orphan_findings


def report(store: ObjectStore, world: StoreWorld) -> Outcome:
    """The outcome when nothing more is to be done: the store is ours, answers, and can do what its baseline requires, or not."""
    fields = list_fields(store, world)
    valid = (Finding("CredentialsValid", "True", reasons.READY, "The store accepted the credentials"), *orphan_findings(world))
    missing = missing_of(store)
    if missing:
        said = messages_of(store)
        why = "; ".join(f"{name} ({said.get(name) or 'not found'})" for name in missing)
        ready = Finding(
            "Ready",
            "False",
            reasons.CAPABILITY_MISSING,
            f"The store cannot do what is required: {why}; relax spec.baseline",
        )
        return Outcome(ready, valid, fields, stalled=True)
    return Outcome(Finding("Ready", "True", reasons.READY, "The store answers and is this mesh's"), valid, fields)


def list_fields(store: ObjectStore, world: StoreWorld) -> dict[str, Any]:
    """What was probed, when, and the mesh's own bucket."""
    status = store.status
    return {
        "capabilities": [found.model_dump(by_alias=True, exclude_none=True) for found in status.capabilities],
        "bucket": mesh_bucket_of(store, world),
        "bucketPhase": "Owned",
        "account": status.account or "",
        "provider": "aws" if is_aws(store) else "s3",
        "probedGeneration": status.probed_generation,
        "probedVersion": status.probed_version,
        **orphan_fields(store, world),
    }
