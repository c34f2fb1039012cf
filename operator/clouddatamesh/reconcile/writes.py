"""Writes that are more than one call of the cluster, or that must know what is there: a key into a Secret, a mark, a child's name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.errors import Terminal, Waiting
from clouddatamesh.model import operations as o
from clouddatamesh.model.evidence import require
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan import marks, moments
from clouddatamesh.plan.access.facts import digest_of_spec
from clouddatamesh.plan.diff import with_uid
from clouddatamesh.plan.secrets import is_foreign
from clouddatamesh.ports import Cluster
from clouddatamesh.status.summarize import condition_of


def with_key(secret: Manifest, key_id: str, secret_key: str, now: datetime) -> Manifest:
    """The Secret with a key in it, and what it tells of the key."""
    told = {marks.KEY_ID_ANNOTATION: key_id, marks.ISSUED_ANNOTATION: moments.text(now)}
    annotations = {**secret["metadata"]["annotations"], **told}
    content = {**secret["stringData"], "access-key-id": key_id, "secret-access-key": secret_key}
    return {**secret, "metadata": {**secret["metadata"], "annotations": annotations}, "stringData": content}


def put_key(cluster: Cluster, secret: Manifest, uid: str, owner: Key) -> None:
    """A Secret with its key: into the one of that uid, or as a new one where there is none, or that one lets nobody write into it."""
    if uid:
        try:
            cluster.patch_secret(key_of(secret), uid, _patch_of(secret))
        except Terminal as error:
            if error.reason != reasons.SECRET_IMMUTABLE:
                raise
        else:
            return
        cluster.delete(key_of(secret), uid)
    try:
        cluster.create(secret)
    except Terminal as error:
        if error.reason != reasons.NOT_OWNED:
            raise
        if uid:
            why = f"Secret {key_of(secret).name} was to be replaced and is held by a finalizer; the operator recreates it once it is gone"
            raise Waiting(reasons.SECRET_TERMINATING, why) from error
        raise is_foreign(key_of(secret), owner) from error


def _patch_of(secret: Manifest) -> o.SecretPatch:
    metadata = secret["metadata"]
    return o.SecretPatch(
        data=tuple(sorted(secret["stringData"].items())),
        annotations=tuple(sorted(metadata["annotations"].items())),
        labels=tuple(sorted(metadata["labels"].items())),
        owners=tuple(metadata["ownerReferences"]),
        type=secret["type"],
    )


def mark_grant(cluster: Cluster, mark: o.MarkGrant, now: datetime) -> None:
    """Add to a grant's status, only to the state that was read: the grant's own reconciler writes there too."""
    grant = cluster.get(mark.key)
    if grant is None or grant["metadata"]["uid"] != mark.uid:
        return
    status = dict(grant.get("status") or {})
    if mark.max_duration:
        status["maxDuration"] = mark.max_duration
    if mark.approvals:
        status["approvals"] = mark.approvals
    if mark.required:
        status["requiredApprovals"] = mark.required
    if mark.ended_generation:
        seen = grant["metadata"].get("generation") == mark.ended_generation
        status |= {"endedGeneration": mark.ended_generation, "endedUid": mark.uid, "endedSpec": digest_of_spec(grant) if seen else ""}
    if mark.superseded_by and condition_of(status, "Superseded") is None:
        found = {
            "type": "Superseded",
            "status": "True",
            "reason": reasons.SUPERSEDED,
            "message": f"AccessGrant {mark.superseded_by}, which was made later, came into effect; this one never gives again",
            "observedGeneration": grant["metadata"].get("generation", 0),
            "lastTransitionTime": moments.text(now),
        }
        status["conditions"] = sorted([*(status.get("conditions") or ()), found], key=lambda condition: condition["type"])
    cluster.write_status(mark.key, mark.uid, status, version=grant["metadata"].get("resourceVersion", ""))


_GUARD: Final = "clouddatamesh-operator-guard-namespaces"


def mark_namespace(cluster: Cluster, mark: o.LabelNamespace | o.MarkNamespace, labels: Mapping[str, str | None], domain: str) -> None:
    """Write labels and marks for a Domain. The operator's own guard lets it change only what still carries one of them."""
    try:
        cluster.mark_namespace(mark.name, mark.uid, labels=labels, annotations=dict(mark.annotations))
    except Terminal as error:
        if error.reason != reasons.ADMISSION_REFUSED or _GUARD not in error.message:
            raise
        why = f"Namespace {mark.name} lost its label and every mark, so policy {_GUARD} keeps the operator from it"
        what = f"have an administrator annotate it {marks.ADOPT_ANNOTATION}={domain}"
        raise Terminal(reasons.CONSENT_MISSING, f"{why}; {what}") from error


def create_or_recover(cluster: Cluster, manifest: Manifest) -> None:
    """POST. A child of a Domain that lost its label is ours by its mark, and is brought back; everything else of that name stays."""
    try:
        cluster.create(manifest)
    except Terminal as error:
        metadata = manifest["metadata"]
        mark = (metadata.get("annotations") or {}).get(marks.OWNER_ANNOTATION, "")
        if error.reason != reasons.NOT_OWNED or not mark.startswith("Domain/"):
            raise
        existing = require(cluster.read_metadata(key_of(manifest)))
        found = ((existing or {}).get("metadata") or {}).get("annotations") or {}
        if existing is None or found.get(marks.OWNER_ANNOTATION) != mark:
            raise
        cluster.apply(with_uid(manifest, existing["metadata"]["uid"]))
