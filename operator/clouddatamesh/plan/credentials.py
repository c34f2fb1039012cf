"""The producer's principal, its one key and the Secret that holds it; and how all three are taken away again."""

import json
from dataclasses import dataclass
from hashlib import sha256

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.plan import (
    CreatePrincipal,
    DeleteChild,
    DeleteKey,
    DeletePolicy,
    DeletePrincipal,
    IssueKey,
    Operation,
    PatchSecret,
    Plan,
    PutPolicy,
    stopped,
)
from clouddatamesh.model.world import ProductWorld
from clouddatamesh.plan import marks, names, policies
from clouddatamesh.plan.storage import Wish

CONDITION = "CredentialsReady"
SECRET_TYPE = "servicebinding.io/s3"  # noqa: S105 - a type, not a secret
_KEY_FIELDS = ("access-key-id", "secret-access-key")


@dataclass(frozen=True)
class Holding:
    """What a Secret's metadata tells of the key in it: its id, and whether the data is still as we wrote it."""

    key_id: str
    intact: bool


def plan_credentials(wish: Wish, world: ProductWorld) -> Plan:
    """The producer's principal, key and Secret, made, repaired or taken away."""
    producer = wish.product.spec.producer
    if producer is None:
        return plan_credentials_removal(wish.key, wish.product.metadata.uid, world)
    want = want_principal(wish)
    if world.principal is not None and not is_ours(world.principal, want):
        why = f"IAM user {want.name} exists and is not of this mesh; remove or rename it"
        return stopped(Terminal(reasons.NOT_OWNED, why, condition=CONDITION))
    if world.secret is not None and not marks.is_made_by(world.secret, wish.key, wish.product.metadata.uid):
        surplus = (DeleteKey(want.name, key.id) for key in sorted(world.principal.keys if world.principal else ()))
        return stopped(secret_is_foreign(producer.secret_name), *surplus)
    return Plan(
        (
            *_principal_updates(want, world.principal, wish.name),
            *_key_updates(wish, want, world),
            *_former_secret(wish.key, wish.product.metadata.uid, world),
        )
    )


def secret_is_foreign(name: str) -> Terminal:
    """The error for a Secret of the producer's name that is somebody else's, whether it was seen or met while writing."""
    why = f"Secret {name} exists and was not made for this product; choose another spec.producer.secretName"
    return Terminal(reasons.NOT_OWNED, why, condition=CONDITION)


def want_principal(wish: Wish) -> Principal:
    """The producer's IAM user: all of its own bucket, nothing else."""
    return Principal(
        name=names.principal_name(wish.mesh, wish.key),
        path=names.principal_path(wish.mesh),
        tags=marks.owner_tags(wish.mesh, wish.key, wish.product.metadata.uid),
        policy=policies.producer(wish.name),
    )


def is_ours(observed: Principal, want: Principal) -> bool:
    """Path, and tags where the store keeps them, must be this mesh's and this product's."""
    if observed.path != want.path:
        return False
    seen, wanted = dict(observed.tags), dict(want.tags)
    return all(seen.get(tag, wanted[tag]) == wanted[tag] for tag in (marks.MESH_TAG, marks.NAMESPACE_TAG, marks.NAME_TAG))


def _principal_updates(want: Principal, observed: Principal | None, bucket: str) -> tuple[Operation, ...]:
    if observed is None:
        return (CreatePrincipal(want), PutPolicy(want, bucket))
    updates: list[Operation] = [DeletePolicy(want.name, policy) for policy in sorted(observed.other_policies)]
    if sorted(observed.policy or ()) != sorted(want.policy or ()):
        updates.append(PutPolicy(want, bucket))
    return tuple(updates)


def _key_updates(wish: Wish, want: Principal, world: ProductWorld) -> tuple[Operation, ...]:
    keys = world.principal.keys if world.principal else ()
    held = holding(world.secret) if world.secret else None
    good = held is not None and held.intact and any(key.id == held.key_id and key.active for key in keys)
    surplus = tuple(DeleteKey(want.name, key.id) for key in sorted(keys) if not (good and held and key.id == held.key_id))
    if good and world.secret is not None:
        return (*surplus, *_content_update(wish, world.secret))
    broken = (_remove(world.secret),) if world.secret else ()
    return (*surplus, *broken, IssueKey(want.name, secret_manifest(wish)))


def _content_update(wish: Wish, secret: Manifest) -> tuple[Operation, ...]:
    content = secret_content(wish)
    annotations = secret["metadata"].get("annotations") or {}
    if annotations.get(marks.CONTENT_ANNOTATION) == content_digest(content):
        return ()
    key = Key("Secret", secret["metadata"]["namespace"], secret["metadata"]["name"])
    annotation = (marks.CONTENT_ANNOTATION, content_digest(content))
    return (PatchSecret(key, secret["metadata"]["uid"], tuple(sorted(content.items())), (annotation,)),)


def holding(secret: Manifest) -> Holding:
    """Read from metadata alone: the annotation names the key, managedFields tell whether anybody else wrote its data since."""
    metadata = secret["metadata"]
    key_id = (metadata.get("annotations") or {}).get(marks.KEY_ID_ANNOTATION, "")
    owned = {field for entry in metadata.get("managedFields") or () for field in _data_of(entry) if entry.get("manager") == marks.MANAGER}
    foreign = {field for entry in metadata.get("managedFields") or () for field in _data_of(entry) if entry.get("manager") != marks.MANAGER}
    return Holding(key_id, owned >= {f"f:{field}" for field in _KEY_FIELDS} and not foreign)


def _data_of(entry: Manifest) -> tuple[str, ...]:
    return tuple(name for name in (entry.get("fieldsV1") or {}).get("f:data", {}) if name != ".")


def secret_content(wish: Wish) -> dict[str, str]:
    """What the Service Binding Secret holds beside the key (servicebinding.io/s3). `prefix` is empty: the whole bucket."""
    endpoint = wish.store.spec.endpoint_url or f"https://s3.{wish.store.spec.region}.amazonaws.com"
    return {
        "type": "s3",
        "provider": "clouddatamesh",
        "endpoint": endpoint,
        "region": wish.store.spec.region,
        "bucket": wish.name,
        "prefix": "",
        "uri": f"s3://{wish.name}/",
    }


def content_digest(content: dict[str, str]) -> str:
    """A short digest of those values, kept as an annotation so that a change shows without reading the Secret."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def secret_manifest(wish: Wish) -> Manifest:
    """The Secret without its key: IssueKey adds that."""
    assert wish.product.spec.producer is not None  # noqa: S101 - asked for only then
    metadata, content = wish.product.metadata, secret_content(wish)
    owner = {
        "apiVersion": wish.product.api_version,
        "kind": "DataProduct",
        "name": metadata.name,
        "uid": metadata.uid,
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": wish.product.spec.producer.secret_name,
            "namespace": metadata.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {
                marks.OWNER_ANNOTATION: marks.owner_reference(wish.key, metadata.uid),
                marks.CONTENT_ANNOTATION: content_digest(content),
            },
            "ownerReferences": [owner],
        },
        "type": SECRET_TYPE,
        "stringData": content,
    }


def _former_secret(owner: Key, uid: str, world: ProductWorld) -> tuple[Operation, ...]:
    former = world.former_secret
    return (_remove(former),) if former is not None and marks.is_made_by(former, owner, uid) else ()


def _remove(secret: Manifest) -> DeleteChild:
    metadata = secret["metadata"]
    return DeleteChild(Key("Secret", metadata["namespace"], metadata["name"]), metadata["uid"])


def plan_credentials_removal(owner: Key, uid: str, world: ProductWorld) -> Plan:
    """Policy first, then keys, user and Secret. What is not ours is left."""
    operations: list[Operation] = []
    path = names.principal_path(world.settings.mesh)
    if world.principal is not None and is_ours(world.principal, Principal("", path, marks.owner_tags(world.settings.mesh, owner, uid))):
        policy = (PREFIX,) if world.principal.policy is not None else ()
        operations += [DeletePolicy(world.principal.name, name) for name in (*policy, *world.principal.other_policies)]
        operations += [DeleteKey(world.principal.name, key.id) for key in sorted(world.principal.keys)]
        operations.append(DeletePrincipal(world.principal.name))
    if world.secret is not None and marks.is_made_by(world.secret, owner, uid):
        operations.append(_remove(world.secret))
    return Plan((*operations, *_former_secret(owner, uid, world)))
