"""What somebody tries with a stolen token of the operator, and what refuses it. tests/e2e/test_stolen_token.py sends each.

Each is another kind of act. What needs a right that the operator does not have is refused by RBAC; what the operator may do somewhere,
and not there, is refused by its guard policies, because RBAC knows neither labels of namespaces nor fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.security.attempts import BY_GUARD, BY_RBAC, LABEL, Manifest, a_binding, a_namespace
from tests.support.installation import NAMESPACE
from tests.support.manifests import a_domain, a_grant, a_product, a_profile, a_request, a_store

CORE, RBAC, APPS, BATCH, ADMISSION, CRDS, MESH, NETWORK = (
    "/api/v1", *(f"/apis/{group}" for group in (
        "rbac.authorization.k8s.io/v1", "apps/v1", "batch/v1", "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1",
        "clouddatamesh.dev/v1alpha1", "networking.k8s.io/v1")),
)  # fmt: skip
SALES, OWN, SYSTEM, NOBODYS = (f"namespaces/{name}" for name in ("sales", NAMESPACE, "kube-system", "nobodys"))
ME = {"kind": "ServiceAccount", "name": "clouddatamesh", "namespace": NAMESPACE}
OURS = {"app.kubernetes.io/managed-by": "clouddatamesh"}
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Act:
    """One request. `says` is a part of the refusal, `by` what docs/security.md says of it."""

    what: str
    method: str
    path: str
    says: str
    body: Manifest | None = None
    by: str = BY_RBAC
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The content type of the body."""
        return MERGE if self.method == "PATCH" else "application/json"


def an_object(api: str, kind: str, name: str = "taken", **body: Any) -> Manifest:
    return {"apiVersion": api.removeprefix("/apis/").removeprefix("/api/"), "kind": kind, "metadata": {"name": name}, **body}


def a_pod() -> Manifest:
    return an_object(CORE, "Pod", spec={"containers": [{"name": "shell", "image": "sh"}]})


def a_role(kind: str) -> Manifest:
    return an_object(RBAC, kind, rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}])


def a_bound(role: str, namespace: str) -> Manifest:
    return {**a_binding(role, namespace), "subjects": [ME]}


def reads(what: str, path: str, says: str) -> Act:
    return Act(f"the stolen token {what}", "GET", path, says)


def creates(what: str, path: str, body: Manifest, says: str) -> Act:
    return Act(f"the stolen token {what}", "POST", path, says, body)


def patches(what: str, path: str, body: Manifest, says: str) -> Act:
    return Act(f"the stolen token {what}", "PATCH", path, says, body)


def deletes(what: str, path: str, says: str) -> Act:
    return Act(f"the stolen token {what}", "DELETE", path, says)


def poses_as(whom: str, **headers: str) -> Act:
    named = {f"Impersonate-{name.title()}": value for name, value in headers.items()}
    return Act(f"the stolen token speaks as {whom}", "GET", f"{CORE}/namespaces", "cannot impersonate", headers=named)


def guarded(act: Act) -> Act:
    """RBAC allows it somewhere, so a policy refuses it here."""
    return Act(act.what, act.method, act.path, act.says, act.body, BY_GUARD, act.headers)


BINDS = "attempting to grant RBAC permissions not currently held"
OF_RBAC = (
    creates("makes a ClusterRole", f"{RBAC}/clusterroles", a_role("ClusterRole"), "cannot create resource \"clusterroles\""),
    patches("widens its own ClusterRole", f"{RBAC}/clusterroles/clouddatamesh-operator", {"rules": []}, "cannot patch resource"),
    deletes("deletes a ClusterRole of the cluster", f"{RBAC}/clusterroles/view", "cannot delete resource \"clusterroles\""),
    creates("makes itself cluster-admin", f"{RBAC}/clusterrolebindings", an_object(RBAC, "ClusterRoleBinding", roleRef={
        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}, subjects=[ME]),
        "cannot create resource \"clusterrolebindings\""),
    creates("makes a Role in a domain", f"{RBAC}/{SALES}/roles", a_role("Role"), "cannot create resource \"roles\""),
    patches("widens its own Role", f"{RBAC}/{OWN}/roles/clouddatamesh-operator", {"rules": []}, "cannot patch resource \"roles\""),
    creates("binds itself to cluster-admin in a domain", f"{RBAC}/{SALES}/rolebindings", a_bound("cluster-admin", "sales"), BINDS),
    creates("binds itself to admin in a domain", f"{RBAC}/{SALES}/rolebindings", a_bound("admin", "sales"), BINDS),
    creates("binds itself to a role of the chart that it does not hand out", f"{RBAC}/{SALES}/rolebindings",
            a_bound("clouddatamesh-aggregate-edit", "sales"), BINDS),
    creates("makes a ServiceAccount", f"{CORE}/{SALES}/serviceaccounts", an_object(CORE, "ServiceAccount"), "cannot create resource"),
    creates("makes a token of its own account, to stay", f"{CORE}/{OWN}/serviceaccounts/clouddatamesh/token",
            an_object("/apis/authentication.k8s.io/v1", "TokenRequest", spec={}), "cannot create resource \"serviceaccounts/token\""),
    creates("makes a token of a controller", f"{CORE}/{SYSTEM}/serviceaccounts/namespace-controller/token",
            an_object("/apis/authentication.k8s.io/v1", "TokenRequest", spec={}), "cannot create resource \"serviceaccounts/token\""),
    creates("asks for a client certificate", "/apis/certificates.k8s.io/v1/certificatesigningrequests", an_object(
        "/apis/certificates.k8s.io/v1", "CertificateSigningRequest", spec={"request": "", "usages": ["client auth"]}),
        "cannot create resource \"certificatesigningrequests\""),
    poses_as("the system's masters", user="root", group="system:masters"),
    poses_as("an owner", user="sales-owner"),
    poses_as("a ServiceAccount of the system", user="system:serviceaccount:kube-system:namespace-controller"),
)  # fmt: skip

OF_SECRETS = (
    reads("lists the Secrets of the system", f"{CORE}/{SYSTEM}/secrets", "cannot list resource \"secrets\""),
    reads("lists the Secrets of all namespaces", f"{CORE}/secrets", "cannot list resource \"secrets\""),
    reads("watches the Secrets of a domain", f"{CORE}/{SALES}/secrets?watch=true&timeoutSeconds=1", "cannot watch resource \"secrets\""),
    reads("reads a Secret of a namespace of nobody", f"{CORE}/{NOBODYS}/secrets/any", "cannot get resource \"secrets\""),
    creates("plants a Secret in the system", f"{CORE}/{SYSTEM}/secrets", an_object(CORE, "Secret"), "cannot create resource \"secrets\""),
    patches("turns the credentials of a store", f"{CORE}/{OWN}/secrets/main-s3", {"data": {}}, "cannot patch resource \"secrets\""),
    deletes("deletes the credentials of a store", f"{CORE}/{OWN}/secrets/main-s3", "cannot delete resource \"secrets\""),
    Act("the stolen token replaces a Secret of a domain", "PUT", f"{CORE}/{SALES}/secrets/any", "cannot update resource \"secrets\"",
        an_object(CORE, "Secret", "any")),
    deletes("deletes all Secrets of a domain", f"{CORE}/{SALES}/secrets", "cannot deletecollection resource \"secrets\""),
    reads("reads a ConfigMap of the system", f"{CORE}/{SYSTEM}/configmaps/extension-apiserver-authentication", "cannot get resource"),
)  # fmt: skip

OF_PODS = (
    creates("runs a Pod in a domain", f"{CORE}/{SALES}/pods", a_pod(), "cannot create resource \"pods\""),
    creates("runs a Pod in the system", f"{CORE}/{SYSTEM}/pods", a_pod(), "cannot create resource \"pods\""),
    reads("executes a command in a Pod", f"{CORE}/{OWN}/pods/any/exec?command=sh", "cannot get resource \"pods/exec\""),
    reads("reads the log of a Pod", f"{CORE}/{OWN}/pods/any/log", "cannot get resource \"pods/log\""),
    patches("puts a container into a Pod", f"{CORE}/{SALES}/pods/any/ephemeralcontainers", {"spec": {}},
            "cannot patch resource \"pods/ephemeralcontainers\""),
    creates("evicts a Pod", f"{CORE}/{SYSTEM}/pods/any/eviction", an_object("/apis/policy/v1", "Eviction", "any"),
            "cannot create resource \"pods/eviction\""),
    patches("changes its own Deployment", f"{APPS}/{OWN}/deployments/clouddatamesh", {"spec": {"replicas": 9}},
            "cannot patch resource \"deployments\""),
    patches("scales its own Deployment", f"{APPS}/{OWN}/deployments/clouddatamesh/scale", {"spec": {"replicas": 0}},
            "cannot patch resource \"deployments/scale\""),
    creates("runs a DaemonSet", f"{APPS}/{SYSTEM}/daemonsets", an_object(APPS, "DaemonSet"), "cannot create resource \"daemonsets\""),
    creates("runs a Job in a domain", f"{BATCH}/{SALES}/jobs", an_object(BATCH, "Job"), "cannot create resource \"jobs\""),
)  # fmt: skip

OF_CLUSTER = (
    patches("changes a CRD", f"{CRDS}/customresourcedefinitions/domains.clouddatamesh.dev", {"metadata": {"labels": {"a": "b"}}},
            "cannot patch resource \"customresourcedefinitions\""),
    deletes("deletes a CRD and all its objects", f"{CRDS}/customresourcedefinitions/dataproducts.clouddatamesh.dev",
            "cannot delete resource \"customresourcedefinitions\""),
    deletes("deletes the guard on itself", f"{ADMISSION}/validatingadmissionpolicies/clouddatamesh-operator-guard-children",
            "cannot delete resource \"validatingadmissionpolicies\""),
    patches("takes the guard on itself out of force",
            f"{ADMISSION}/validatingadmissionpolicybindings/clouddatamesh-operator-guard-children",
            {"spec": {"validationActions": ["Warn"]}},
            "cannot patch resource \"validatingadmissionpolicybindings\""),
    creates("puts a webhook before every request", f"{ADMISSION}/mutatingwebhookconfigurations",
            an_object(ADMISSION, "MutatingWebhookConfiguration"), "cannot create resource \"mutatingwebhookconfigurations\""),
    creates("serves an API itself", "/apis/apiregistration.k8s.io/v1/apiservices",
            an_object("/apis/apiregistration.k8s.io/v1", "APIService"), "cannot create resource \"apiservices\""),
    deletes("deletes the namespace of a domain", f"{CORE}/{SALES}", "cannot delete resource \"namespaces\""),
    deletes("deletes a namespace of nobody", f"{CORE}/{NOBODYS}", "cannot delete resource \"namespaces\""),
    Act("the stolen token finalizes a namespace", "PUT", f"{CORE}/{SALES}/finalize", "cannot update resource \"namespaces/finalize\"",
        a_namespace("sales")),
    reads("asks a node's kubelet", f"{CORE}/nodes/any/proxy/pods", "cannot get resource \"nodes/proxy\""),
    patches("taints a node", f"{CORE}/nodes/any", {"spec": {"unschedulable": True}}, "cannot patch resource \"nodes\""),
    patches("takes the Lease of the scheduler", f"/apis/coordination.k8s.io/v1/{SYSTEM}/leases/kube-scheduler", {"spec": {}},
            "cannot patch resource \"leases\""),
    reads("reads the API server's own metrics", "/metrics", "cannot get path"),
)  # fmt: skip

OF_MESH = (
    creates("makes a Domain", f"{MESH}/domains", a_domain("mine"), "cannot create resource \"domains\""),
    deletes("deletes a Domain", f"{MESH}/domains/sales", "cannot delete resource \"domains\""),
    creates("makes a product", f"{MESH}/{SALES}/dataproducts", a_product("mine"), "cannot create resource \"dataproducts\""),
    deletes("deletes a product", f"{MESH}/{SALES}/dataproducts/orders", "cannot delete resource \"dataproducts\""),
    creates("asks for access in a consumer's name", f"{MESH}/namespaces/inventory/accessrequests", a_request("mine"),
            "cannot create resource \"accessrequests\""),
    creates("connects a store of its own", f"{MESH}/objectstores", a_store("mine"), "cannot create resource \"objectstores\""),
    creates("makes a profile", f"{MESH}/{SALES}/domainprofiles", a_profile(), "cannot create resource \"domainprofiles\""),
    patches("writes a profile", f"{MESH}/{SALES}/domainprofiles/sales", {"spec": {"team": {}}}, "cannot patch resource \"domainprofiles\""),
    deletes("deletes an inbox", f"{MESH}/{SALES}/accessinboxes/orders", "cannot delete resource \"accessinboxes\""),
)  # fmt: skip

CHILDREN, SPECS, ANSWERS, NAMESPACES = (f"clouddatamesh-operator-guard-{part}" for part in ("children", "specs", "answers", "namespaces"))
OF_GUARDS = tuple(map(guarded, (
    creates("binds a role in the system", f"{RBAC}/{SYSTEM}/rolebindings", a_bound("clouddatamesh-secrets", "kube-system"), CHILDREN),
    creates("binds a role in its own namespace", f"{RBAC}/{OWN}/rolebindings", a_bound("clouddatamesh-secrets", NAMESPACE), CHILDREN),
    creates("binds a role in a namespace of nobody", f"{RBAC}/{NOBODYS}/rolebindings", a_bound("clouddatamesh-owner", "nobodys"), CHILDREN),
    creates("binds a role that the platform team lists in a namespace of nobody", f"{RBAC}/{NOBODYS}/rolebindings",
            a_bound("clouddatamesh-workloads", "nobodys"), CHILDREN),
    creates("stops all Pods of the system by a quota", f"{CORE}/{SYSTEM}/resourcequotas",
            an_object(CORE, "ResourceQuota", spec={"hard": {"pods": "0"}}), CHILDREN),
    creates("cuts the namespace default off the network", f"{NETWORK}/namespaces/default/networkpolicies",
            an_object(NETWORK, "NetworkPolicy", spec={"podSelector": {}}), CHILDREN),
    creates("limits the containers of nobody's namespace", f"{CORE}/{NOBODYS}/limitranges",
            an_object(CORE, "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}), CHILDREN),
    creates("makes a namespace of its own", f"{CORE}/namespaces", a_namespace("mine"), NAMESPACES),
    creates("makes a namespace that looks like the system's", f"{CORE}/namespaces", a_namespace("kube-mine", labels={LABEL: "sales"}),
            NAMESPACES),
    patches("moves the system into a domain", f"{CORE}/{SYSTEM}", {"metadata": {"labels": {LABEL: "sales"}}}, NAMESPACES),
    patches("moves a namespace of nobody into a domain", f"{CORE}/{NOBODYS}", {"metadata": {"labels": {LABEL: "sales"}}}, NAMESPACES),
    patches("joins the owners of a domain", f"{MESH}/domains/sales", {"spec": {"access": {"owners": [{"kind": "User", "name": "me"}]}}},
            SPECS),
    patches("turns a store to an endpoint of its own", f"{MESH}/objectstores/main", {"spec": {"endpointUrl": "https://mine.example"}},
            SPECS),
    creates("grants in a namespace of nobody", f"{MESH}/{NOBODYS}/accessgrants", a_grant("mine", "nobodys") | {
        "metadata": {"name": "mine", "labels": OURS}}, ANSWERS),
    creates("grants in an owner's name", f"{MESH}/{SALES}/accessgrants", a_grant("mine"), ANSWERS),
)))  # fmt: skip

ACTS = (*OF_RBAC, *OF_SECRETS, *OF_PODS, *OF_CLUSTER, *OF_MESH, *OF_GUARDS)
