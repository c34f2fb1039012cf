"""What the team of a consumer does to the Secret of its access, on the fakes."""

from typing import Any, Final

from tests.reconcile.access_flows import SECRET, granted
from tests.security.hostile import FRESH, Hostile, revoke, shielded
from tests.support.manifests import a_request, annotated
from tests.support.mesh import Mesh

RECORD: Final = "what status records of the key"


def write_secret(mesh: Mesh, *, annotations: dict[str, str] | None = None, **more: Any) -> None:
    """The consumer's team writes into the Secret of its access, or sets its annotations."""
    found = mesh.cluster.raw(SECRET) or {}
    kept = {name: found[name] for name in ("apiVersion", "kind", "type")}
    metadata = {**found["metadata"], **({"annotations": annotations} if annotations is not None else {})}
    mesh.cluster.user_apply({**kept, "metadata": metadata, **more})


def edit(mesh: Mesh) -> None:
    write_secret(mesh, stringData={"access-key-id": "theirs"})


def lock(mesh: Mesh) -> None:
    write_secret(mesh, immutable=True)


def edit_twice(mesh: Mesh) -> None:
    for value in ("theirs", "theirs again"):
        write_secret(mesh, stringData={"secret-access-key": value})
        mesh.settle()


def name_former(mesh: Mesh) -> None:
    """After a rotation the consumer names the former key as the one in the Secret, and does so again each half hour."""
    annotations = dict((mesh.cluster.raw(SECRET) or {})["metadata"]["annotations"])
    mesh.apply(annotated(a_request(), rotate="1")).settle()
    for _ in range(4):
        write_secret(mesh, annotations=annotations)
        mesh.settle()
        mesh.clock.forward(minutes=30)


def put_back(mesh: Mesh) -> None:
    found = dict(mesh.cluster.raw(SECRET) or {})
    revoke(mesh)
    mesh.settle()
    mesh.cluster.user_apply(found)


SECRETS: Final = (
    Hostile("a Secret that its consumer edits", granted, edit, by=FRESH, left=1),
    Hostile("a Secret that its consumer edits once more within the hour", granted, edit_twice, by=FRESH, left=1),
    Hostile("the name of the former key, written over the Secret's mark to keep it alive", granted, name_former, by=RECORD, left=1),
    shielded("a Secret that lets nobody write into it, against the deletion of the grant", lock, revoke),
    shielded("a Secret without our mark, against the deletion of the grant", lambda m: write_secret(m, annotations={}), revoke),
    Hostile("the Secret of ended access, put back", granted, put_back, by=RECORD),
)  # fmt: skip
