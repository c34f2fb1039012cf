"""PolicyWaivers as manifests: which object they except from which rule of which policy."""

from clouddatamesh.model.judging import JUDGED, Policy, Waiver
from clouddatamesh.model.objects import Key, Manifest


def read_waiver(manifest: Manifest) -> Waiver:
    """The waiver in a manifest, read leniently; whether it is in force is for others to say."""
    spec = manifest.get("spec") or {}
    named = spec.get("policyRef") or {}
    policy = "/".join(str(part) for part in (named.get("kind", "GovernancePolicy"), named.get("namespace"), named.get("name")) if part)
    return Waiver(manifest["metadata"]["name"], policy, str(spec.get("rule")), str(spec.get("validUntil")))


def excepted_by(manifest: Manifest) -> Key | None:
    """The object of a waiver, whether or not it exists; None where it names none that is judged."""
    named = (manifest.get("spec") or {}).get("objectRef") or {}
    kind = str(named.get("kind") or "DataProduct")
    return Key(kind, str(named.get("namespace") or ""), str(named["name"])) if kind in JUDGED and named.get("name") else None


def unknown_rule(waiver: Waiver, policy: Policy) -> str:
    """What to say where the policy has no such rule; empty where it has."""
    names = [rule.name for rule in policy.rules]
    return "" if waiver.rule in names else f"{policy.name} has no rule {waiver.rule}; its rules: {', '.join(names) or 'none'}"
