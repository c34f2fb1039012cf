"""The marks by which we know what is ours: labels, annotations, tags of buckets and users."""

from typing import Final

from clouddatamesh.model.bucket import Tags
from clouddatamesh.model.objects import Key, Manifest

GROUP: Final = "clouddatamesh.dev"
FINALIZER: Final = f"{GROUP}/finalizer"

DOMAIN_LABEL: Final = f"{GROUP}/domain"
MANAGED_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "clouddatamesh"

OWNER_ANNOTATION: Final = f"{GROUP}/owner"
KEY_ID_ANNOTATION: Final = f"{GROUP}/access-key-id"
CONTENT_ANNOTATION: Final = f"{GROUP}/content"
RECONCILE_ANNOTATION: Final = f"{GROUP}/reconcile-requested-at"
ROTATE_ANNOTATION: Final = f"{GROUP}/rotate"
REQUEST_ANNOTATION: Final = f"{GROUP}/request"
RECREATE_ANNOTATION: Final = f"{GROUP}/recreate"
FORCE_ANNOTATION: Final = f"{GROUP}/force-delete"
ADOPT_ANNOTATION: Final = f"{GROUP}/adopt-by"

MESH_TAG: Final = f"{GROUP}/mesh"
NAMESPACE_TAG: Final = f"{GROUP}/namespace"
NAME_TAG: Final = f"{GROUP}/name"
UID_TAG: Final = f"{GROUP}/uid"
CLUSTER_TAG: Final = f"{GROUP}/cluster"
ADOPT_TAG: Final = f"{GROUP}/adopt-by"
TRANSFER_TAG: Final = f"{GROUP}/transfer-to"
OWNERSHIP_TAGS: Final = (MESH_TAG, NAMESPACE_TAG, NAME_TAG, UID_TAG)


def owner_tags(mesh: str, owner: Key, uid: str) -> Tags:
    """The tags that say whose a bucket or user is."""
    return tuple(sorted(zip(OWNERSHIP_TAGS, (mesh, owner.namespace, owner.name, uid), strict=True)))


def owner_reference(owner: Key, uid: str) -> str:
    """The value of OWNER_ANNOTATION: which object, in which incarnation, made a child."""
    return f"{owner.kind}/{owner.namespace}/{owner.name}/{uid}"


def is_made_by(child: Manifest, owner: Key, uid: str) -> bool:
    """Whether a child carries the mark of this very object."""
    annotations = child["metadata"].get("annotations") or {}
    return bool(annotations.get(OWNER_ANNOTATION) == owner_reference(owner, uid))


def is_held(metadata_finalizers: tuple[str, ...]) -> bool:
    """Whether our finalizer is among an object's."""
    return FINALIZER in metadata_finalizers
