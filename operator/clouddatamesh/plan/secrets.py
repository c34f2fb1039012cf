"""The Service Binding Secret that holds a key: what it should be, whose it is, and what its metadata tells. Its data is never read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.errors import Terminal
from clouddatamesh.model import aws
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import ClaimSecret, DeleteChild, PatchSecret, SecretPatch
from clouddatamesh.model.plan import Operation
from clouddatamesh.plan import features, marks
from clouddatamesh.plan.access.facts import moment
from clouddatamesh.plan.binding import Binding

SECRET_TYPE: Final = "servicebinding.io/s3"  # noqa: S105 - a type, not a secret
KEY_FIELDS: Final = ("access-key-id", "secret-access-key")
OUR_FIELDS: Final = (
    "type", "provider", "endpoint", "endpoint-host", "use-ssl", "addressing-style", "region", "bucket", "prefix", "uri", "ca.crt",
)  # fmt: skip
"""Every field except the key that we ever write; one that somebody else adds is his."""


@dataclass(frozen=True)
class Holding:
    """What a Secret's metadata tells of what is in it."""

    key_id: str
    """Id of the key, as the annotation says."""
    issued: str
    named: bool
    """Whether the annotation is as we wrote it."""
    owned: frozenset[str]
    """Fields of its data whose values are as we wrote them."""
    locked: bool
    """Whether somebody set `immutable` at some time; its value does not show."""

    @property
    def intact(self) -> bool:
        """Whether the key is as we wrote it."""
        return self.owned.issuperset(KEY_FIELDS)


def issued_of(secret: Manifest | None, owner: Key, uid: str) -> datetime | None:
    """When the key in a Secret of ours was issued."""
    return moment(holding(secret).issued) if secret is not None and is_of(secret, owner, uid) else None


def holding(secret: Manifest) -> Holding:
    """Read from metadata alone: an annotation names the key, managedFields tell whether anybody changed our fields since.

    Whoever changes the value of a field takes it over from us; who writes the same value, or a field of his own, takes nothing.
    """
    metadata = secret["metadata"]
    annotations = metadata.get("annotations") or {}
    entries = [(entry.get("manager"), entry.get("fieldsV1") or {}) for entry in metadata.get("managedFields") or ()]
    ours = [fields for manager, fields in entries if manager == marks.MANAGER]
    noted = [(fields.get("f:metadata") or {}).get("f:annotations") or {} for fields in ours]
    return Holding(
        key_id=annotations.get(marks.KEY_ID_ANNOTATION, ""),
        issued=annotations.get(marks.ISSUED_ANNOTATION, ""),
        named=any(f"f:{marks.KEY_ID_ANNOTATION}" in names for names in noted),
        owned=frozenset(name[2:] for fields in ours for name in fields.get("f:data") or {} if name.startswith("f:")),
        locked=any("f:immutable" in fields for _, fields in entries),
    )


def is_of(secret: Manifest, owner: Key, uid: str) -> bool:
    """Whether a Secret is this owner's: by its mark, else, where the mark names nobody any more, by its ownerReference.

    The mark may name an earlier incarnation, as a restored Secret's does: no two objects of one name live at a time.
    """
    metadata = secret["metadata"]
    mark = (metadata.get("annotations") or {}).get(marks.OWNER_ANNOTATION) or ""
    if mark.count("/") == 3:
        return f"{mark.rpartition('/')[0]}/" == marks.owner_reference(owner, "")
    return any(reference.get("uid") == uid for reference in metadata.get("ownerReferences") or ())


def is_foreign(secret: Key, owner: Key) -> Terminal:
    """The error for a Secret of the wanted name that is somebody else's, whether it was seen or met while writing."""
    if owner.kind == "AccessRequest":
        way = "delete that Secret if nobody needs it, or make another request with another spec.secretName"
        why = f"Secret {secret.name} exists and was not made for this request; {way}"
        return Terminal(reasons.NOT_OWNED, why)
    why = f"Secret {secret.name} exists and was not made for this product; choose another spec.producer.secretName"
    return Terminal(reasons.NOT_OWNED, why)


def content_of(binding: Binding) -> dict[str, str]:
    """What the Secret holds in addition to the key: the fields of servicebinding.io/s3, and what else clients must know."""
    spec = binding.store.spec
    region = binding.region or spec.region
    endpoint = spec.endpoint_url or aws.endpoint_of(region)
    scheme, _, host = endpoint.partition("://")
    return {
        "type": "s3",
        "provider": "clouddatamesh",
        "endpoint": endpoint,
        "endpoint-host": host.rstrip("/"),
        "use-ssl": "true" if scheme == "https" else "false",
        "addressing-style": spec.addressing_style or ("virtual" if features.is_aws(binding.store) else "path"),
        "region": region,
        "bucket": binding.bucket,
        "prefix": binding.path,
        "uri": f"s3://{binding.bucket}/{binding.path}",
        **({"ca.crt": spec.ca_bundle} if spec.ca_bundle else {}),
    }


def digest_of(content: dict[str, str]) -> str:
    """A short digest of those values, kept as an annotation so that a change shows without reading the Secret."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def is_to_be_written(binding: Binding, secret: Manifest) -> bool:
    """Whether any value except the key is not as it should be."""
    content, held = content_of(binding), holding(secret)
    noted = (secret["metadata"].get("annotations") or {}).get(marks.CONTENT_ANNOTATION)
    return noted != digest_of(content) or not held.owned.issuperset(content) or bool(_unwanted(content, held))


def updates(binding: Binding, secret: Manifest, key_id: str) -> Iterator[Operation]:
    """What brings the values except the key, and our marks, up to date; the key in it stays."""
    metadata, content, held = secret["metadata"], content_of(binding), holding(secret)
    key, noted = Key("Secret", metadata["namespace"], metadata["name"]), metadata.get("annotations") or {}
    digest = digest_of(content)
    if noted.get(marks.CONTENT_ANNOTATION) != digest or not held.owned.issuperset(content):
        yield ClaimSecret(key, metadata["uid"], tuple(sorted(content.items())), ((marks.CONTENT_ANNOTATION, digest),))
    want = manifest_of(binding, secret)["metadata"]
    marked = {marks.OWNER_ANNOTATION: want["annotations"][marks.OWNER_ANNOTATION], marks.KEY_ID_ANNOTATION: key_id}
    patch = SecretPatch(
        data=tuple((name, None) for name in _unwanted(content, held)),
        annotations=tuple(sorted((name, value) for name, value in marked.items() if noted.get(name) != value)),
        labels=tuple(sorted(want["labels"].items() - (metadata.get("labels") or {}).items())),
        owners=None if want["ownerReferences"] == (metadata.get("ownerReferences") or []) else tuple(want["ownerReferences"]),
    )
    if patch != SecretPatch():
        yield PatchSecret(key, metadata["uid"], patch)


def _unwanted(content: dict[str, str], held: Holding) -> tuple[str, ...]:
    """Fields of ours that are not wanted any more."""
    return tuple(sorted(held.owned.intersection(OUR_FIELDS).difference(content)))


def manifest_of(binding: Binding, found: Manifest | None = None) -> Manifest:
    """The Secret without its key: ReplaceKey adds that. `found` is the one that exists, whose foreign owners stay."""
    owner, content = binding.owner.key, content_of(binding)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": binding.secret_name,
            "namespace": owner.namespace,
            "labels": {marks.MANAGED_LABEL: marks.MANAGER},
            "annotations": {
                marks.OWNER_ANNOTATION: marks.owner_reference(owner, binding.owner.uid),
                marks.CONTENT_ANNOTATION: digest_of(content),
            },
            "ownerReferences": _owners(binding, found),
        },
        "type": SECRET_TYPE,
        "stringData": content,
    }


def _owners(binding: Binding, found: Manifest | None) -> list[dict[str, Any]]:
    """The garbage collector removes what names an owner that is gone: earlier incarnations leave the list, others' entries stay."""
    owner, uid = binding.owner.key, binding.owner.uid
    kind = {"apiVersion": f"{GROUP}/{VERSION}", "kind": owner.kind, "name": owner.name}
    listed = list((found or {"metadata": {}})["metadata"].get("ownerReferences") or ())
    if any(one.get("uid") == uid for one in listed):
        return [one for one in listed if one.get("uid") == uid or not kind.items() <= one.items()]
    others = [one for one in listed if not kind.items() <= one.items()]
    return [*others, {**kind, "uid": uid, "controller": not any(one.get("controller") for one in others)}]


def remove(secret: Manifest) -> DeleteChild:
    """The deletion of this very Secret."""
    metadata = secret["metadata"]
    return DeleteChild(Key("Secret", metadata["namespace"], metadata["name"]), metadata["uid"])
