"""Statuses that a backup tool restored, of a lost cluster or of another object: they tell of what is not the object's own.

What such a status says of users, keys and hours, and of the bucket of another product that lives, counts for nothing here, and goes before
anything is decided: the object is as one without it. Else it would take what is another's for its own, and end it, use it or wait for it.
"""

from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.model.evidence import require
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.operations import Record
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.access.facts import part_of, read_request
from clouddatamesh.plan.access.taking import RECORD
from clouddatamesh.plan.references import BUCKET
from clouddatamesh.plan.takeover import own_record
from clouddatamesh.reconcile.places import cluster_uid
from clouddatamesh.reconcile.visit import Visit
from clouddatamesh.status.summarize import condition_of

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "AccessRequest": (*RECORD, "binding", "validFrom", "takeOver"),
    "DataProduct": ("producer", "takeOver"),
}


def drop_others_record(visit: Visit) -> None:
    """Drop what status records where that is another's. Nothing is concluded while the store is missing, or of a mesh of another name."""
    if visit.key.kind == "DataProduct" and _is_anothers_bucket(visit.manifest(), visit):
        visit.write_record(Record((("storage", None),)))
    manifest = visit.manifest()
    recorded, store = _recorded_user(manifest, visit.key), _store_of(manifest, visit)
    if not recorded or store is None or not _is_of(store, visit.ports.settings.mesh) or _is_own(recorded, manifest, store, visit):
        return
    visit.write_record(Record(tuple((field, None) for field in _FIELDS[visit.key.kind])))


def _is_anothers_bucket(manifest: Manifest, visit: Visit) -> bool:
    """Whether the recorded bucket is that of another product that lives, and was recorded by that one.

    A record of an earlier version does not say by whom: it is the other's where the name was generated for that one, which has the bucket.
    """
    storage, mesh = _part(manifest, "status", "storage"), visit.ports.settings.mesh
    bucket, uid = str(storage.get("bucket") or ""), storage.get("uid")
    if not bucket or uid == visit.uid or (uid is None and names.is_named_for(bucket, mesh, visit.key)):
        return False
    for other in visit.ports.cluster.referring(Key(BUCKET, "", bucket), "DataProduct"):
        told = _part(other, "status", "storage")
        if other["metadata"]["uid"] == visit.uid or told.get("bucket") != bucket:
            continue
        had = told.get("ownershipVerified") is True and names.is_named_for(bucket, mesh, key_of(other))
        if uid == other["metadata"]["uid"] or (uid is None and had):
            return True
    return False


def _is_own(recorded: str, manifest: Manifest, store: Manifest, visit: Visit) -> bool:
    """By its name; one of before names told of the cluster may be a lost one's where there is one: then something else must say it."""
    mesh = visit.ports.settings.mesh
    if not own_record(recorded, mesh, cluster_uid(visit.ports), visit.key):
        return False
    return recorded != names.former_principal_name(mesh, visit.key) or not _had_another_cluster(store) or _is_given_here(manifest, visit)


def _had_another_cluster(store: Manifest) -> bool:
    ready = condition_of(part_of(store, "status"), "Ready") or {}
    return bool(part_of(store, "spec").get("takeOverFrom")) or ready.get("reason") == reasons.STORE_IN_USE


def _is_given_here(manifest: Manifest, visit: Visit) -> bool:
    """Whether the grant that is recorded lives, or the Secret was written for this very object: uids are of one cluster alone."""
    of_request, cluster = visit.key.kind == "AccessRequest", visit.ports.cluster
    ask = read_request(manifest) if of_request else None
    grant = cluster.get(ask.grant_key) if ask is not None and ask.grant_key is not None else None
    if ask is not None and grant is not None and grant["metadata"]["uid"] == ask.grant_uid:
        return True
    name = ask.secret_name if ask is not None else _part(manifest, "spec", "producer").get("secretName")
    secret = require(cluster.read_metadata(Key("Secret", visit.key.namespace, str(name)))) if name else None
    return secret is not None and marks.is_made_by(secret, visit.key, visit.uid)


def _recorded_user(manifest: Manifest, key: Key) -> str:
    status = part_of(manifest, "status")
    record = status if key.kind == "AccessRequest" else part_of(status, "producer")
    return str(record.get("principal") or "")


def _store_of(manifest: Manifest, visit: Visit) -> Manifest | None:
    """The ObjectStore in which that user is, as far as it is told."""
    of_request = visit.key.kind == "AccessRequest"
    name = _part(manifest, "status", "place").get("store") if of_request else _part(manifest, "spec", "storage", "storeRef").get("name")
    return visit.ports.cluster.get(Key("ObjectStore", "", str(name))) if name else None


def _part(manifest: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        manifest = part_of(manifest, name)
    return manifest


def _is_of(store: Manifest, mesh: str) -> bool:
    """A mesh that was given another name by mistake finds its records again once that was put right."""
    prefix, bucket = part_of(store, "spec").get("bucketPrefix"), part_of(store, "status").get("bucket")
    return bucket in (None, names.mesh_bucket_name(str(prefix), mesh))
