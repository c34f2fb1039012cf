"""Where each kind lives in the API."""

from dataclasses import dataclass
from typing import Final

from clouddatamesh.api.names import NAMES
from clouddatamesh.api.texts import GROUP, VERSION
from clouddatamesh.model.objects import Key


@dataclass(frozen=True)
class Resource:
    """API version, plural and scope of a kind."""

    api_version: str
    plural: str
    namespaced: bool

    @property
    def root(self) -> str:
        """`/api/v1` or `/apis/<group>/<version>`."""
        return f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"


RESOURCES: Final = {
    **{name.kind: Resource(f"{GROUP}/{VERSION}", name.plural, name.scope == "Namespaced") for name in NAMES},
    "Namespace": Resource("v1", "namespaces", False),
    "ResourceQuota": Resource("v1", "resourcequotas", True),
    "LimitRange": Resource("v1", "limitranges", True),
    "ServiceAccount": Resource("v1", "serviceaccounts", True),
    "ConfigMap": Resource("v1", "configmaps", True),
    "Secret": Resource("v1", "secrets", True),
    "NetworkPolicy": Resource("networking.k8s.io/v1", "networkpolicies", True),
    "RoleBinding": Resource("rbac.authorization.k8s.io/v1", "rolebindings", True),
    "Event": Resource("events.k8s.io/v1", "events", True),
    "ValidatingAdmissionPolicy": Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicies", False),
    "ValidatingAdmissionPolicyBinding": Resource("admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", False),
    "Lease": Resource("coordination.k8s.io/v1", "leases", True),
}


def collection(kind: str, namespace: str = "") -> str:
    """The path of a kind's collection; without a namespace, all of them."""
    resource = RESOURCES[kind]
    place = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return f"{resource.root}{place}/{resource.plural}"


def path(key: Key) -> str:
    """The path of one object."""
    return f"{collection(key.kind, key.namespace)}/{key.name}"
