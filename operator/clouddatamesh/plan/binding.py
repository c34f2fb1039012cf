"""One principal and the Service Binding Secret that holds its key: what both should be, and what their metadata tells. No writes here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import DeleteChild, PatchSecret
from clouddatamesh.model.plan import Operation
from clouddatamesh.model.store_operations import DeleteKey, DeletePolicy, DeletePrincipal, DetachPolicy, LeaveGroup, PutPolicy
from clouddatamesh.plan import features, marks, names, policies
from clouddatamesh.plan.marks import Owner

SECRET_TYPE: Final = "servicebinding.io/s3"  # noqa: S105 - a type, not a secret
KEY_FIELDS: Final = ("access-key-id", "secret-access-key")
CONTENT_FIELDS: Final = ("type", "provider", "endpoint", "region", "bucket", "prefix", "uri")
PRODUCER: Final = "Producer"
_QUARANTINE: Final = "AWSCompromisedKeyQuarantine"
"""Managed policies that AWS itself attaches to users whose keys leaked; they only deny."""


@dataclass(frozen=True)
class Binding:
    """Whose the principal is, what it may reach, and where its key lies. An empty path is the whole bucket."""

    owner: Owner
    store: ObjectStore
    bucket: str
    secret_name: str
    path: str = ""
    mode: str = PRODUCER
    recorded: str = ""
    """Name of the principal as status has it; empty where none was made yet."""
    region: str = ""
    """Of the bucket, where it was read; empty: as the store's spec says."""

    @property
    def principal(self) -> str:
        """Name of the principal."""
        return self.recorded or names.principal_name(self.owner.mesh, self.owner.cluster, self.owner.key)

    @property
    def account(self) -> str:
        """The account to which the policy is bound: where names of buckets are global."""
        return (self.store.status.account or "") if features.is_aws(self.store) else ""


@dataclass(frozen=True)
class Holding:
    """What a Secret's metadata tells of the key in it: its id, when it was issued, and whether our fields are as we wrote them."""

    key_id: str
    issued: str
    intact: bool
    content: bool


def want_principal(binding: Binding) -> Principal:
    """The IAM user as it should be, without its keys."""
    bucket, account, mode = binding.bucket, binding.account, binding.mode
    whole = mode == PRODUCER
    return Principal(
        name=binding.principal,
        path=names.principal_path(binding.owner.mesh, binding.owner.cluster),
        tags=binding.owner.tags,
        policy=policies.producer(bucket, account=account) if whole else policies.consumer(bucket, binding.path, mode, account=account),
    )


def is_ours(observed: Principal, owner: Owner) -> bool:
    """Whether a user found by our name is this owner's: by its path, and by its tags where the store keeps them.

    In this cluster's own path the name alone says it, whatever some tool did to the tags: it holds a hash of the owner.
    A tag that is missing is no other's tag. Users of before a mesh knew its cluster are found by their recorded name alone.
    """
    own = names.principal_name(owner.mesh, owner.cluster, owner.key)
    if (observed.path, observed.name) == (names.principal_path(owner.mesh, owner.cluster), own):
        return True
    if observed.path not in (names.principal_path(owner.mesh, owner.cluster), names.mesh_path(owner.mesh)):
        return False
    seen, wanted = dict(observed.tags), {**dict(owner.identity), marks.CLUSTER_TAG: owner.cluster}
    return all(seen.get(tag, value) == value for tag, value in wanted.items())


def principal_is_foreign(name: str) -> Terminal:
    """The error for a user of our name that is not ours."""
    return Terminal(reasons.NOT_OWNED, f"IAM user {name} exists and is not of this mesh; remove or rename it")


def secret_is_foreign(secret: Key, owner: Key) -> Terminal:
    """The error for a Secret of the wanted name that is somebody else's, whether it was seen or met while writing."""
    if owner.kind == "AccessRequest":
        why = f"Secret {secret.name} exists and was not made for this request; make another request with another spec.secretName"
        return Terminal(reasons.NOT_OWNED, why)
    why = f"Secret {secret.name} exists and was not made for this product; choose another spec.producer.secretName"
    return Terminal(reasons.NOT_OWNED, why)


def put_policy(binding: Binding) -> PutPolicy:
    """The write of the one inline policy, with the bounds that the second reader holds it to."""
    return PutPolicy(want_principal(binding), binding.bucket, binding.path, binding.mode, binding.account)


def has_policy(binding: Binding, observed: Principal) -> bool:
    """Whether the inline policy says what it should."""
    return sorted(observed.policy or ()) == sorted(want_principal(binding).policy or ())


def surplus_rights(observed: Principal) -> Iterator[Operation]:
    """What takes away every right that our one policy does not give. AWS's own quarantine of leaked keys is left."""
    yield from (DeletePolicy(observed.name, policy) for policy in sorted(observed.other_policies))
    yield from (DetachPolicy(observed.name, arn) for arn in sorted(observed.attached) if _QUARANTINE not in arn)
    yield from (LeaveGroup(observed.name, group) for group in sorted(observed.groups))


def all_rights(observed: Principal) -> tuple[Operation, ...]:
    """What takes every right away."""
    own = (DeletePolicy(observed.name, PREFIX),) if observed.policy is not None else ()
    quarantine = (DetachPolicy(observed.name, arn) for arn in sorted(observed.attached) if _QUARANTINE in arn)
    return (*own, *surplus_rights(observed), *quarantine)


def remains(observed: Principal) -> tuple[Operation, ...]:
    """What removes keys and user, once no right is left."""
    return (*(DeleteKey(observed.name, key.id) for key in sorted(observed.keys)), DeletePrincipal(observed.name))


def holding(secret: Manifest) -> Holding:
    """Read from metadata alone: the annotation names the key, managedFields tell whether anybody changed our fields since.

    Whoever changes the value of a field takes it over from us; who writes the same value, or a field of his own, takes nothing.
    """
    metadata = secret["metadata"]
    annotations = metadata.get("annotations") or {}
    owned = {field for entry in metadata.get("managedFields") or () for field in _data_of(entry) if entry.get("manager") == marks.MANAGER}
    return Holding(
        key_id=annotations.get(marks.KEY_ID_ANNOTATION, ""),
        issued=annotations.get(marks.ISSUED_ANNOTATION, ""),
        intact=owned >= {f"f:{field}" for field in KEY_FIELDS},
        content=owned >= {f"f:{field}" for field in CONTENT_FIELDS},
    )


def _data_of(entry: Manifest) -> tuple[str, ...]:
    return tuple(name for name in (entry.get("fieldsV1") or {}).get("f:data", {}) if name != ".")


def good_key(principal: Principal | None, secret: Manifest | None) -> str:
    """Id of the active key that an intact Secret holds; empty where there is none, and a fresh one is needed."""
    held = holding(secret) if secret is not None else None
    if principal is None or held is None or not held.intact:
        return ""
    return held.key_id if any(key.id == held.key_id and key.active for key in principal.keys) else ""


def secret_content(binding: Binding) -> dict[str, str]:
    """What the Secret holds beside the key (servicebinding.io/s3)."""
    spec = binding.store.spec
    region = binding.region or spec.region
    return {
        "type": "s3",
        "provider": "clouddatamesh",
        "endpoint": spec.endpoint_url or f"https://s3.{region}.amazonaws.com",
        "region": region,
        "bucket": binding.bucket,
        "prefix": binding.path,
        "uri": f"s3://{binding.bucket}/{binding.path}",
    }


def content_digest(content: dict[str, str]) -> str:
    """A short digest of those values, kept as an annotation so that a change shows without reading the Secret."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def content_updates(binding: Binding, secret: Manifest) -> tuple[Operation, ...]:
    """What brings the values beside the key up to date."""
    content = secret_content(binding)
    digest = content_digest(content)
    if (secret["metadata"].get("annotations") or {}).get(marks.CONTENT_ANNOTATION) == digest and holding(secret).content:
        return ()
    key = Key("Secret", secret["metadata"]["namespace"], secret["metadata"]["name"])
    return (PatchSecret(key, secret["metadata"]["uid"], tuple(sorted(content.items())), ((marks.CONTENT_ANNOTATION, digest),)),)


def secret_manifest(binding: Binding) -> Manifest:
    """The Secret without its key: IssueKey adds that."""
    owner, content = binding.owner.key, secret_content(binding)
    reference = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": owner.kind,
        "name": owner.name,
        "uid": binding.owner.uid,
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": binding.secret_name,
            "namespace": owner.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {
                marks.OWNER_ANNOTATION: marks.owner_reference(owner, binding.owner.uid),
                marks.CONTENT_ANNOTATION: content_digest(content),
            },
            "ownerReferences": [reference],
        },
        "type": SECRET_TYPE,
        "stringData": content,
    }


def remove_secret(secret: Manifest) -> DeleteChild:
    """The deletion of this very Secret."""
    metadata = secret["metadata"]
    return DeleteChild(Key("Secret", metadata["namespace"], metadata["name"]), metadata["uid"])
