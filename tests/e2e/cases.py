"""A case of what the API server refuses, and small manifests for such cases."""

from dataclasses import dataclass
from typing import Any

from tests.support.manifests import a_domain, a_product

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """A manifest that must not be accepted. `after` holds what existed before, where the change is what is wrong."""

    what: str
    manifest: Manifest
    says: str
    after: Manifest | None = None


def a_port(name: str = "daily", version: str = "1.0.0", path: str = "daily/", **more: Any) -> Manifest:
    """An output port."""
    return {"name": name, "version": version, "path": path, **more}


def without(manifest: Manifest, *path: str) -> Manifest:
    """The manifest without one field."""
    head, *rest = path
    if not rest:
        return {key: value for key, value in manifest.items() if key != head}
    return {**manifest, head: without(manifest[head], *rest)}


def a_rule(**rule: str) -> Manifest:
    """A product with one lifecycle rule."""
    return a_product(storage={"lifecycleRules": [rule]})


def an_owner(**subject: str) -> Manifest:
    """A domain with one owner."""
    return a_domain(access={"owners": [subject]})


def a_sa(name: str, role: str = "owners") -> Manifest:
    """A domain with a ServiceAccount in one of its lists."""
    return a_domain(access={role: [{"kind": "ServiceAccount", "name": name}]})
