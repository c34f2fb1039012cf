"""The marks by which we know what is ours: labels, annotations, tags of buckets and users."""

from dataclasses import dataclass
from typing import Final

from clouddatamesh.api.base import ObjectMeta
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
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
MISTAKE: Final = "if the deletion is a mistake, undo it as docs/operations/break-glass.md says"
"""What the message of a deletion that waits ends with."""
_PARTS: Final = 4
"""Of the mark of an owner: kind, namespace, name, uid."""
_DIGITS: Final = 10
"""So many has no number that counts consents: the annotation is anybody's text."""
APPLY_PLAN_ANNOTATION: Final = f"{GROUP}/apply-plan"
FORCE_ANNOTATION: Final = f"{GROUP}/force-delete"
"""Read as both of the next two."""
ORPHAN_ANNOTATION: Final = f"{GROUP}/orphan"
CUT_OFF_ANNOTATION: Final = f"{GROUP}/cut-off"
ACCOUNT_ANNOTATION: Final = f"{GROUP}/account"
END_TAKEN_OVER_ANNOTATION: Final = f"{GROUP}/end-taken-over"
ISSUED_ANNOTATION: Final = f"{GROUP}/access-key-issued-at"
ADOPT_ANNOTATION: Final = f"{GROUP}/adopt-by"
HELD_ANNOTATION: Final = f"{GROUP}/held-by"
"""On a namespace: `<mesh>/<domain>` that has it. It outlives a label that somebody removes."""
RELEASED_ANNOTATION: Final = f"{GROUP}/released-by"
"""On a namespace that the operator made: `<mesh>/<domain>` that released it, and takes it back when it names it again."""

MESH_TAG: Final = f"{GROUP}/mesh"
NAMESPACE_TAG: Final = f"{GROUP}/namespace"
NAME_TAG: Final = f"{GROUP}/name"
UID_TAG: Final = f"{GROUP}/uid"
CLUSTER_TAG: Final = f"{GROUP}/cluster"
ADOPT_TAG: Final = f"{GROUP}/adopt-by"
TRANSFER_TAG: Final = f"{GROUP}/transfer-to"
ADOPTED_TAG: Final = f"{GROUP}/adopted"
"""On a bucket that existed before the mesh had it: whether it may be deleted with its product."""
KEEP, MAY_DELETE = "keep", "may-delete"
ROLE_TAG: Final = f"{GROUP}/role"
PROBE_TAG: Final = f"{GROUP}/probe"
STORE_TAG: Final = f"{GROUP}/store-id"
"""On the mesh's own bucket: which store this is, whatever ObjectStore leads to it."""
MARKER_TAG: Final = f"{GROUP}/marker"
"""On the mesh's own bucket: the name of the user by which its IAM endpoint is known again."""
RELEASED_TAG: Final = f"{GROUP}/released"
DOMAIN_TAG: Final = f"{GROUP}/domain"
NAMESPACE_UID_TAG: Final = f"{GROUP}/namespace-uid"
WITNESS_PREFIX: Final = "clouddatamesh-owner-"
"""ID, without the owner's uid, of the disabled lifecycle rule that proves whose a bucket is when its tags are lost."""


@dataclass(frozen=True)
class Owner:
    """Whose a bucket or a user is: an object in one incarnation, of one mesh in one cluster."""

    mesh: str
    cluster: str
    key: Key
    uid: str
    domain: str = ""
    namespace_uid: str = ""

    @property
    def identity(self) -> Tags:
        """The tags in which two owners of one name differ from nobody but each other's incarnations."""
        return ((MESH_TAG, self.mesh), (NAMESPACE_TAG, self.key.namespace), (NAME_TAG, self.key.name))

    @property
    def tags(self) -> Tags:
        """The tags that say whose a bucket or user is; those of which nothing is known are left out."""
        more = ((CLUSTER_TAG, self.cluster), (UID_TAG, self.uid), (DOMAIN_TAG, self.domain), (NAMESPACE_UID_TAG, self.namespace_uid))
        return tuple(sorted((*self.identity, *((tag, value) for tag, value in more if value))))


def owner_reference(owner: Key, uid: str) -> str:
    """The value of OWNER_ANNOTATION: which object, in which incarnation, made a child."""
    return f"{owner.kind}/{owner.namespace}/{owner.name}/{uid}"


def domain_of(manifest: Manifest) -> str:
    """The Domain that an object's mark names as its maker; empty where it has no such mark."""
    return maker_of(manifest)[0]


def maker_of(manifest: Manifest) -> tuple[str, str]:
    """Name and uid of that Domain; both empty where it has no such mark."""
    mark = str((manifest["metadata"].get("annotations") or {}).get(OWNER_ANNOTATION) or "").split("/")
    return (mark[2], mark[3]) if mark[0] == "Domain" and len(mark) == _PARTS else ("", "")


def is_made_by(child: Manifest, owner: Key, uid: str) -> bool:
    """Whether a child carries the mark of this very object."""
    annotations = child["metadata"].get("annotations") or {}
    return bool(annotations.get(OWNER_ANNOTATION) == owner_reference(owner, uid))


def accepts_loss(metadata: ObjectMeta, name: str, handled: str | None) -> bool:
    """Whether somebody accepted this very loss: the annotation names the bucket, and was not acted upon before.

    For another loss of the same bucket it says something new after a slash, as `acme-orders/2`.
    """
    wanted = metadata.annotations.get(RECREATE_ANNOTATION, "")
    return wanted.partition("/")[0] == name and wanted != (handled or "")


def next_consent(metadata: ObjectMeta, name: str) -> str:
    """What the recreate annotation has to say now to accept a loss."""
    used = metadata.annotations.get(RECREATE_ANNOTATION, "")
    if used.partition("/")[0] != name:
        return f"{RECREATE_ANNOTATION}={name}"
    number = used.partition("/")[2]
    is_number = number.isascii() and number.isdigit() and len(number) < _DIGITS
    return f"{RECREATE_ANNOTATION}={name}/{int(number) + 1 if is_number else 2}"


def consents(tag: str | None, product: str) -> str | None:
    """What the consent tag of a bucket says to a product, named as `mesh/namespace/name`: KEEP or MAY_DELETE; None where it says no.

    `;may-delete` may follow the name; `:may-delete` means the same, since AWS takes no semicolon in a tag.
    """
    if tag is None or not tag.startswith(product):
        return None
    return {"": KEEP, f";{MAY_DELETE}": MAY_DELETE, f":{MAY_DELETE}": MAY_DELETE}.get(tag.removeprefix(product).replace(" ", ""))


def is_orphaned(metadata: ObjectMeta) -> bool:
    """Whether its owner asked that the object goes without waiting for a store, whatever is left there."""
    return metadata.name in (metadata.annotations.get(ORPHAN_ANNOTATION), metadata.annotations.get(FORCE_ANNOTATION))


def is_let_go(manifest: Manifest) -> bool:
    """The same of a manifest, which need not be readable as a whole."""
    metadata = manifest["metadata"]
    annotations = metadata.get("annotations") or {}
    return metadata["name"] in (annotations.get(ORPHAN_ANNOTATION), annotations.get(FORCE_ANNOTATION))


def is_given_up(store: ObjectStore) -> bool:
    """Whether the platform team lets an ObjectStore go with everything that is in it."""
    return bool(store.metadata.deletion_timestamp) and is_orphaned(store.metadata)


def is_held(metadata_finalizers: tuple[str, ...]) -> bool:
    """Whether our finalizer is among an object's."""
    return FINALIZER in metadata_finalizers
