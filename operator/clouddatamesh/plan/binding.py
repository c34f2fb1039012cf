"""One principal and the Service Binding Secret that holds its key: what both should be, and what their metadata tells. No writes here."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import DeleteChild, DeletePolicy, Operation, PatchSecret, PutPolicy
from clouddatamesh.plan import marks, names, policies

SECRET_TYPE: Final = "servicebinding.io/s3"  # noqa: S105 - a type, not a secret
KEY_FIELDS: Final = ("access-key-id", "secret-access-key")
PRODUCER: Final = "Producer"


@dataclass(frozen=True)
class Binding:
    """Whose the principal is, what it may reach, and where its key lies. An empty path is the whole bucket."""

    owner: Key
    uid: str
    mesh: str
    store: ObjectStore
    bucket: str
    secret_name: str
    path: str = ""
    mode: str = PRODUCER


@dataclass(frozen=True)
class Holding:
    """What a Secret's metadata tells of the key in it: its id, and whether the data is still as we wrote it."""

    key_id: str
    intact: bool


def want_principal(binding: Binding) -> Principal:
    """The IAM user as it should be, without its keys."""
    bucket, path, mode = binding.bucket, binding.path, binding.mode
    return Principal(
        name=names.principal_name(binding.mesh, binding.owner),
        path=names.principal_path(binding.mesh),
        tags=marks.owner_tags(binding.mesh, binding.owner, binding.uid),
        policy=policies.producer(bucket) if mode == PRODUCER else policies.consumer(bucket, path, mode),
    )


def is_ours(observed: Principal, *, mesh: str, owner: Key) -> bool:
    """Path, and tags where the store keeps them, must be this mesh's and this owner's."""
    if observed.path != names.principal_path(mesh):
        return False
    seen, wanted = dict(observed.tags), dict(marks.owner_tags(mesh, owner, ""))
    return all(seen.get(tag, wanted[tag]) == wanted[tag] for tag in (marks.MESH_TAG, marks.NAMESPACE_TAG, marks.NAME_TAG))


def principal_is_foreign(name: str, *, condition: str) -> Terminal:
    """The error for a user of our name that is not ours."""
    return Terminal(reasons.NOT_OWNED, f"IAM user {name} exists and is not of this mesh; remove or rename it", condition=condition)


def secret_is_foreign(secret: Key, owner: Key) -> Terminal:
    """The error for a Secret of the wanted name that is somebody else's, whether it was seen or met while writing."""
    if owner.kind == "AccessRequest":
        why = f"Secret {secret.name} exists and was not made for this request; make another request with another spec.secretName"
        return Terminal(reasons.NOT_OWNED, why, condition="Provisioned")
    why = f"Secret {secret.name} exists and was not made for this product; choose another spec.producer.secretName"
    return Terminal(reasons.NOT_OWNED, why, condition="CredentialsReady")


def policy_updates(binding: Binding, observed: Principal) -> tuple[Operation, ...]:
    """What makes the inline policies of an existing user be exactly the one that is wanted."""
    want = want_principal(binding)
    updates: list[Operation] = [DeletePolicy(want.name, policy) for policy in sorted(observed.other_policies)]
    if sorted(observed.policy or ()) != sorted(want.policy or ()):
        updates.append(put_policy(binding))
    return tuple(updates)


def put_policy(binding: Binding) -> PutPolicy:
    """The write of the one inline policy, with the bounds that the second reader holds it to."""
    return PutPolicy(want_principal(binding), binding.bucket, binding.path, binding.mode)


def holding(secret: Manifest) -> Holding:
    """Read from metadata alone: the annotation names the key, managedFields tell whether anybody else wrote its data since."""
    metadata = secret["metadata"]
    key_id = (metadata.get("annotations") or {}).get(marks.KEY_ID_ANNOTATION, "")
    owned = {field for entry in metadata.get("managedFields") or () for field in _data_of(entry) if entry.get("manager") == marks.MANAGER}
    foreign = {field for entry in metadata.get("managedFields") or () for field in _data_of(entry) if entry.get("manager") != marks.MANAGER}
    return Holding(key_id, owned >= {f"f:{field}" for field in KEY_FIELDS} and not foreign)


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
    return {
        "type": "s3",
        "provider": "clouddatamesh",
        "endpoint": spec.endpoint_url or f"https://s3.{spec.region}.amazonaws.com",
        "region": spec.region,
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
    if (secret["metadata"].get("annotations") or {}).get(marks.CONTENT_ANNOTATION) == digest:
        return ()
    key = Key("Secret", secret["metadata"]["namespace"], secret["metadata"]["name"])
    return (PatchSecret(key, secret["metadata"]["uid"], tuple(sorted(content.items())), ((marks.CONTENT_ANNOTATION, digest),)),)


def secret_manifest(binding: Binding) -> Manifest:
    """The Secret without its key: IssueKey adds that."""
    owner, content = binding.owner, secret_content(binding)
    reference = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": owner.kind,
        "name": owner.name,
        "uid": binding.uid,
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
                marks.OWNER_ANNOTATION: marks.owner_reference(owner, binding.uid),
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
