"""What somebody tries with a stolen token of the gate program. tests/e2e/test_stolen_gate.py sends each.

RBAC alone refuses: the account has no right but to read what policies are rendered from, and to write admission policies.
"""

from typing import Final

from tests.security.stolen import (
    APPS,
    CORE,
    CRDS,
    MESH,
    OWN,
    RBAC,
    SALES,
    SYSTEM,
    Act,
    a_bound,
    a_pod,
    a_role,
    an_object,
)
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.rules import GOOD, a_policy, a_waiver

POLICY: Final = a_policy("taken", {"always": "true"})
_HOOKS: Final = "/apis/admissionregistration.k8s.io/v1"
_REFUSING, _CHANGING = "validatingwebhookconfiguration", "mutatingwebhookconfiguration"


def _reads(what: str, path: str) -> Act:
    return Act(f"reads {what}", "GET", path, "cannot")


def _creates(what: str, path: str, body: dict[str, object]) -> Act:
    return Act(f"creates {what}", "POST", path, "cannot", body)


ACTS: Final = (
    _reads("every Secret", f"{CORE}/secrets"),
    _reads("the credentials of the store", f"{CORE}/{OWN}/secrets/main-s3"),
    _reads("a Secret of a Domain", f"{CORE}/{SALES}/secrets/orders-producer"),
    _reads("a Secret of the system", f"{CORE}/{SYSTEM}/secrets/any"),
    _reads("ConfigMaps", f"{CORE}/{SYSTEM}/configmaps"),
    _reads("Pods", f"{CORE}/pods"),
    _reads("namespaces", f"{CORE}/namespaces"),
    _reads("products", f"{MESH}/dataproducts"),
    _reads("requests", f"{MESH}/accessrequests"),
    _reads("grants", f"{MESH}/accessgrants"),
    _reads("stores", f"{MESH}/objectstores"),
    _reads("roles", f"{RBAC}/clusterroles"),
    _reads("the Lease of the operator", f"/apis/coordination.k8s.io/v1/{OWN}/leases/clouddatamesh"),
    _creates("a Domain", f"{MESH}/domains", a_domain("taken")),
    _creates("a product", f"{MESH}/{SALES}/dataproducts", a_product("taken")),
    _creates("a request", f"{MESH}/{SALES}/accessrequests", a_request("taken", "sales")),
    _creates("a grant", f"{MESH}/{SALES}/accessgrants", a_grant("taken")),
    _creates("a store", f"{MESH}/objectstores", a_store("taken")),
    _creates("a policy", f"{MESH}/governancepolicies", POLICY),
    _creates("a policy of a Domain", f"{MESH}/{SALES}/domainpolicies", a_policy("taken", {"always": "true"}, namespace="sales")),
    _creates("a waiver", f"{MESH}/policywaivers", a_waiver(POLICY, "always", GOOD, "2099-01-01T00:00:00Z")),
    _creates("a Pod", f"{CORE}/{OWN}/pods", a_pod()),
    _creates("a Deployment", f"{APPS}/{OWN}/deployments", an_object(APPS, "Deployment")),
    _creates("a Secret", f"{CORE}/{OWN}/secrets", an_object(CORE, "Secret")),
    _creates("a token of the operator", f"{CORE}/{OWN}/serviceaccounts/clouddatamesh/token", {"spec": {}}),
    _creates("a RoleBinding", f"{RBAC}/{SALES}/rolebindings", a_bound("clouddatamesh-owner", "sales")),
    _creates("a ClusterRole", f"{RBAC}/clusterroles", a_role("ClusterRole")),
    _creates("a namespace", f"{CORE}/namespaces", an_object(CORE, "Namespace")),
    _creates(
        "a webhook that refuses",
        f"{_HOOKS}/validatingwebhookconfigurations",
        an_object(_HOOKS, "ValidatingWebhookConfiguration"),
    ),
    _creates("a webhook that changes", f"{_HOOKS}/{_CHANGING}s", an_object(_HOOKS, "MutatingWebhookConfiguration")),
    Act("changes the spec of a policy", "PATCH", f"{MESH}/governancepolicies/taken", "cannot", {"spec": {"enforcement": "Audit"}}),
    Act("changes the status of a policy", "PATCH", f"{MESH}/governancepolicies/taken/status", "cannot", {"status": {"violations": 0}}),
    Act("changes a Domain", "PATCH", f"{MESH}/domains/sales", "cannot", {"spec": {"cordoned": True}}),
    Act("changes its own role", "PATCH", f"{RBAC}/clusterroles/clouddatamesh-gate", "cannot", {"rules": []}),
    Act("changes a CRD", "PATCH", f"{CRDS}/customresourcedefinitions/domains.clouddatamesh.dev", "cannot", {"spec": {}}),
    Act("deletes a waiver", "DELETE", f"{MESH}/policywaivers/taken", "cannot"),
    Act("deletes a Domain", "DELETE", f"{MESH}/domains/sales", "cannot"),
    Act("deletes a namespace", "DELETE", f"{CORE}/{SALES}", "cannot"),
    Act("deletes all admission policies at once", "DELETE", f"{_HOOKS}/validatingadmissionpolicies", "cannot"),
    Act("impersonates an administrator", "GET", f"{CORE}/secrets", "cannot impersonate", headers={"Impersonate-User": "root"}),
)
