"""Deterministic names of what is made in a store. The hash, not the readable part, tells two owners apart."""

import base64
import hashlib
import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from clouddatamesh.model.objects import Key

_HASH_LENGTH = 16
_GENERATED = re.compile(r"-[a-z2-7]{16}$")
_BUCKET_LENGTH, _PRINCIPAL_LENGTH = 63, 64


@lru_cache(maxsize=8192)
def hash80(*parts: str) -> str:
    """80 bits of SHA-256 over the parts, as 16 lower-case base32 characters; parts cannot run into each other."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()[:10]
    return base64.b32encode(digest).decode().lower()


def _readable(text: str, room: int) -> str:
    plain = re.sub(r"[^a-z0-9-]+", "-", text.lower())
    return re.sub(r"-{2,}", "-", plain)[: max(room, 0)].strip("-")


def bucket_name(prefix: str, mesh: str, owner: Key) -> str:
    """`<prefix>-<name, shortened>-<hash of mesh, namespace, name>`, at most 63 characters."""
    tail = hash80(mesh, owner.namespace, owner.name)
    room = _BUCKET_LENGTH - len(prefix) - len(tail) - 2
    return "-".join(part for part in (prefix, _readable(owner.name, room), tail) if part)


def is_named_for(bucket: str, mesh: str, owner: Key) -> bool:
    """Whether a bucket name is one that is generated for this object, whatever its prefix."""
    return is_generated(bucket) and bucket.endswith(f"-{hash80(mesh, owner.namespace, owner.name)}")


def mesh_bucket_name(prefix: str, mesh: str) -> str:
    """The one bucket of the mesh in a store: `<prefix>-mesh-<hash of mesh>`."""
    return f"{prefix}-mesh-{hash80('mesh', mesh)}"


def scratch_bucket_name(prefix: str, mesh: str, store: str) -> str:
    """The bucket on which a store is probed; the hash differs from every product's."""
    return f"{prefix}-probe-{hash80('probe', mesh, store)}"


def is_like(text: str, pattern: str) -> bool:
    """Whether the whole text is as the pattern says, where `*` is any characters. Nothing else is special: `?` may be in a policy.

    The time is bounded by the product of the lengths, however many `*` there are: patterns and texts are written by others.
    """
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def is_generated(bucket: str) -> bool:
    """Whether a bucket name looks like one of ours, so that no product may choose it."""
    return _GENERATED.search(bucket) is not None


ROOT_PATH: Final = "/clouddatamesh/"
"""Below which every user of every mesh is."""


def mesh_path(mesh: str) -> str:
    """The IAM path below which every user of a mesh is, whatever its cluster."""
    return f"{ROOT_PATH}{mesh}/"


def principal_path(mesh: str, cluster: str) -> str:
    """The IAM path of the users that one cluster makes for a mesh. `cluster` is the UID of kube-system."""
    return f"{mesh_path(mesh)}{hash80('cluster', cluster)[:10]}/"


def principal_name(mesh: str, cluster: str, owner: Key) -> str:
    """`<namespace>-<name>-<hash>`, lower case, at most 64 characters (IAM names are unique across paths, without case)."""
    tail = hash80("principal", mesh, cluster, owner.kind, owner.namespace, owner.name)
    room = _PRINCIPAL_LENGTH - len(tail) - 1
    return f"{_readable(f'{owner.namespace}-{owner.name}', room)}-{tail}"


def former_principal_name(mesh: str, owner: Key) -> str:
    """The name of a user that was made before the name told of the cluster."""
    tail = hash80("principal", mesh, owner.kind, owner.namespace, owner.name)
    return f"{_readable(f'{owner.namespace}-{owner.name}', _PRINCIPAL_LENGTH - len(tail) - 1)}-{tail}"


_MARKER = "mesh.marker-"
"""With a dot, which no principal's name has."""


def marker_name(mesh: str, cluster: str, store: str) -> str:
    """The user without policy and key by which a mesh knows the IAM endpoint of one store again. `store` is the store's id."""
    return f"{_MARKER}{hash80('marker', mesh, cluster, store)}"


def is_marker_name(name: str) -> bool:
    """Whether a user is some store's marker, by its name: it is nobody's principal."""
    return name.startswith(_MARKER)


def spread(identity: str) -> float:
    """A number from 0 up to 1, always the same for one object and evenly spread over all."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") / 2**32


def jitter(identity: str) -> float:
    """A factor between 0.9 and 1.1, always the same for one object, that spreads scheduled work."""
    return 0.9 + 0.2 * spread(identity)
