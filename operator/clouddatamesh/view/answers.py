"""What the grants about a request say: which of them gives, on what terms, and whether its deletion ends the access for good."""

import json
from collections.abc import Iterable

from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.facts import asked_port, major
from clouddatamesh.view.health import condition
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.raw import text, value


def is_in_effect(grant: Manifest) -> bool:
    """Whether access rests on a grant, as the operator says."""
    return text(condition(grant, "InEffect"), "status") == "True"


def standing(grants: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The approval on which access rests. Where there is none, all approvals.

    Anybody may write an approval of a request in a namespace of his own, and one of a former request of that name is still there: neither
    gives anything, and a denial on its terms would take nothing.
    """
    approvals = tuple(grant for grant in grants if text(grant, "spec", "decision") == "Approve")
    return tuple(grant for grant in approvals if is_in_effect(grant)) or approvals


def terms_of(grant: Manifest) -> tuple[str, ...]:
    """What a grant has to have in common with a request: product, port by name and major version, consumer and mode."""
    product = grant["metadata"]["namespace"], text(grant, "spec", "dataProductRef", "name")
    return (
        *product,
        *asked_port(grant),
        json.dumps(value(grant, "spec", "consumer"), sort_keys=True),
        text(grant, "spec", "mode") or "ReadOnly",
    )


def is_lasting(product: Manifest | None, grants: tuple[Manifest, ...], grant: Manifest) -> bool:
    """Whether the deletion of a grant ends the access for good: no port answers again, no other approval gives, no tool makes it again."""
    if product is None or _is_kept_by_tool(grant):
        return False
    approves = any(found.approval == "Auto" and (found.name, major(found.version)) == asked_port(grant) for found in ports_of(product))
    asked = value(grant, "spec", "requestRef")
    others = (
        found for found in grants if value(found, "spec", "requestRef") == asked and found["metadata"]["name"] != grant["metadata"]["name"]
    )
    return not approves and not any(text(found, "spec", "decision") == "Approve" for found in others)


_TOOLS = (
    "app.kubernetes.io/instance",  # Argo CD before version 3, if it is not told otherwise, and most charts
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "configsync.gke.io/resource-id",
    "helm.toolkit.fluxcd.io/name",
    "kapp.k14s.io/app",
    "kustomize.toolkit.fluxcd.io/name",
    "meta.helm.sh/release-name",
    "objectset.rio.cattle.io/id",  # Rancher Fleet
)
"""Labels and annotations by which a tool knows what it made, and makes it again where it is gone."""


def _is_kept_by_tool(grant: Manifest) -> bool:
    metadata = grant["metadata"]
    return any(name in (metadata.get(part) or {}) for part in ("labels", "annotations") for name in _TOOLS)
