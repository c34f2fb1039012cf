"""PolicyWaivers as manifests: which rule of which policy they except."""

from clouddatamesh.model.judging import Waiver
from clouddatamesh.model.objects import Manifest


def read_waiver(manifest: Manifest) -> Waiver:
    """The waiver in a manifest, read leniently; whether it is in force is for others to say."""
    spec = manifest.get("spec") or {}
    named = spec.get("policyRef") or {}
    policy = "/".join(str(part) for part in (named.get("kind", "GovernancePolicy"), named.get("namespace"), named.get("name")) if part)
    return Waiver(manifest["metadata"]["name"], policy, str(spec.get("rule")), str(spec.get("validUntil")))
