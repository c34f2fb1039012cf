"""Which Domain a namespace belongs to, as its own status says; read leniently, for products and requests alike."""

from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.governance.compliance import is_denied
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.ports import Cluster
from clouddatamesh.reconcile.parse import is_readable


def find_domain(namespace: str, cluster: Cluster) -> Home | None:
    """The domain that has a namespace: the label leads to it, its spec names it, and its status says that this very one is its own."""
    living = cluster.get(Key("Namespace", "", namespace))
    name = (((living or {}).get("metadata") or {}).get("labels") or {}).get(marks.DOMAIN_LABEL)
    manifest = cluster.get(Key("Domain", "", name)) if name else None
    if living is None or manifest is None or namespace not in named_namespaces(manifest):
        return None
    held = (manifest.get("status") or {}).get("namespaces") or ()
    if not any(seen["uid"] == living["metadata"]["uid"] for seen in held):
        return None
    spec, labels = manifest.get("spec") or {}, manifest["metadata"].get("labels") or {}
    deleting = bool(manifest["metadata"].get("deletionTimestamp"))
    cordoned, refused = spec.get("cordoned") is True, is_denied(manifest.get("status"))
    readable = is_readable(Domain, manifest)
    return Home(str(name), cordoned or refused, dict(labels), readable, deleting, denied=refused and not cordoned)


def namespace_uid(namespace: str, cluster: Cluster) -> str:
    """The UID of a namespace, empty where it was not seen."""
    found = cluster.get(Key("Namespace", "", namespace))
    return str(found["metadata"]["uid"]) if found else ""
