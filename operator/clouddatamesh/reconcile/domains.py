"""Which Domain a namespace belongs to, as its own status says; for products and requests alike."""

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.plan.domain import namespaces_of
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.parse import parse


def find_domain(namespace: str, cluster: Cluster) -> Domain | None:
    """The domain that has a namespace: the label leads to it, its spec names it, and its status says that this very one is its own."""
    living = cluster.get(Key("Namespace", "", namespace))
    name = ((living or {}).get("metadata") or {}).get("labels", {}).get(marks.DOMAIN_LABEL)
    manifest = cluster.get(Key("Domain", "", name)) if name else None
    if living is None or manifest is None:
        return None
    held = (manifest.get("status") or {}).get("namespaces") or ()
    if not any(seen["uid"] == living["metadata"]["uid"] for seen in held):
        return None
    domain = parse(Domain, manifest)
    return domain if namespace in namespaces_of(domain) else None
