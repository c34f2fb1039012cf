"""Which settings a store's buckets get: what its baseline asks for, held against what the store was found able to do."""

from collections.abc import Iterable, Mapping
from typing import Final

from clouddatamesh.api.v1alpha1.objectstore import CapabilityStatus, ObjectStore
from clouddatamesh.model import aws
from clouddatamesh.model import bucket as b

_BASELINE: Final = {
    b.BLOCK_PUBLIC_ACCESS: "block_public_access",
    b.TLS_ONLY: "tls_only",
    b.ENCRYPTION: "encryption",
    b.VERSIONING: "versioning",
    b.OBJECT_OWNERSHIP: "object_ownership",
}


def is_aws(store: ObjectStore) -> bool:
    """Whether the store is AWS itself, be it by an endpoint of its own: then the whole baseline is required."""
    return aws.is_aws_endpoint(store.spec.endpoint_url)


def partition_of(store: ObjectStore) -> str:
    """The second word of the ARNs of the store."""
    return aws.partition_of(store.spec.region) if is_aws(store) else "aws"


def level(store: ObjectStore, capability: str) -> str:
    """Required, IfSupported or Off."""
    if is_aws(store):
        return "Required"
    baseline = store.spec.baseline
    return str(getattr(baseline, _BASELINE[capability])) if baseline else "IfSupported"


def supported(capabilities: Iterable[b.Capability], endpoint: str | None) -> frozenset[str]:
    """The names of what the store can do. TLS cannot be demanded of an endpoint that is spoken to without it."""
    able = {capability.name for capability in capabilities if capability.verdict == "Yes"}
    if endpoint is not None and endpoint.startswith("http://"):
        able.discard(b.TLS_ONLY)
    return frozenset(able)


def settings_of(store: ObjectStore) -> frozenset[str]:
    """The capabilities whose settings are read and written on this store's buckets."""
    able = supported(_probed(store), store.spec.endpoint_url)
    asked = {name for name in _BASELINE if level(store, name) != "Off"}
    return able & (asked | {b.LIFECYCLE, b.TAGS, b.EXPECTED_OWNER, b.IDENTITIES, b.ATTACHED_POLICIES, b.GROUPS})


def missing_of(store: ObjectStore) -> tuple[str, ...]:
    """The capabilities that the baseline requires and the store lacks."""
    able = supported(_probed(store), store.spec.endpoint_url)
    needed = {name for name in _BASELINE if level(store, name) == "Required"} | {b.TAGS, b.IDENTITIES}
    return tuple(sorted(needed - able))


def is_overruled(store: ObjectStore) -> bool:
    """Whether its baseline asks for less than AWS gets.

    The API server refuses that only where no endpoint is named, and not for an object that was there before.
    """
    baseline = store.spec.baseline
    return is_aws(store) and baseline is not None and any(getattr(baseline, field) != "Required" for field in _BASELINE.values())


def way_out_of(store: ObjectStore) -> str:
    """What to change where something is missing: a baseline can only be relaxed where it is followed, and for what it names."""
    missing = frozenset(missing_of(store))
    ways = []
    if b.TLS_ONLY in missing and (store.spec.endpoint_url or "").startswith("http://"):
        ways.append("use https in spec.endpointUrl")
    if is_aws(store):
        ways.append("allow the credentials what is named, as all of it is required on AWS")
    elif missing & _BASELINE.keys():
        ways.append("relax spec.baseline")
    if not is_aws(store) and missing - _BASELINE.keys():
        ways.append(f"use a store with {' and '.join(sorted(missing - _BASELINE.keys()))}, which every mesh requires")
    return "; ".join(ways)


def messages_of(store: ObjectStore) -> Mapping[str, str]:
    """Why a capability is not supported, by its name."""
    return {capability.name: capability.message or "" for capability in store.status.capabilities}


def unclear_of(store: ObjectStore) -> tuple[str, ...]:
    """The protections that are asked for, and of which no probe could tell yet whether the store has them."""
    known = {found.name for found in store.status.capabilities if found.supported or not found.failures}
    former = any(is_former(store, found) for found in store.status.capabilities)
    known -= {b.TLS_ONLY} if former and level(store, b.TLS_ONLY) == "Required" else set()
    return tuple(sorted({*(name for name in _BASELINE if level(store, name) != "Off"), b.TAGS, b.IDENTITIES} - known))


def unproven_of(store: ObjectStore) -> tuple[str, ...]:
    """The protections that are asked for and in place, and of which no probe could try a request that they must refuse."""
    asked = {name for name in _BASELINE if level(store, name) != "Off"} & settings_of(store)
    return tuple(sorted(found.name for found in store.status.capabilities if found.name in asked and found.proof == "Unproven"))


def is_former(store: ObjectStore, found: CapabilityStatus) -> bool:
    """Whether it tells of TlsOnly as it was probed with a former statement, which some stores, but not AWS, never applied.

    What let everybody pass then may refuse everybody now: nothing is written until the present statements were probed.
    """
    return found.name == b.TLS_ONLY and found.supported and found.proof is None and not is_aws(store)


def _probed(store: ObjectStore) -> tuple[b.Capability, ...]:
    return tuple(
        b.Capability(found.name, "Yes" if found.supported else "No", found.message or "")
        for found in store.status.capabilities
        if not is_former(store, found)
    )
