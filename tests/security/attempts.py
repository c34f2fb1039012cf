"""What people try on a running mesh, each in their own name, and what stops it. tests/security/test_attempts.py runs the table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.cases import a_port
from tests.e2e.people import Person
from tests.support.installation import NAMESPACE
from tests.support.manifests import a_domain, a_grant, a_product, a_request

Manifest = dict[str, Any]
APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")
STATUS = (*APPLY, "--subresource=status")
REALM = "REALM"
"""Stands for the name of the mesh, which is the store's prefix as well."""
ROLES = ("owners", "engineers", "viewers")
PRODUCER, CONSUMER = ({role: Person(f"{domain}-{role[:-1]}", (f"{domain}-{role}",)) for role in ROLES} for domain in ("sales", "inventory"))
STRANGER = Person("stranger")
EDITOR = Person("editor")
"""Somebody with the cluster's own role `edit` in both namespaces."""
ADMIN = Person("root", ("system:masters",))
MAKER = Person("namespace-maker")
"""A tenant who may make and change namespaces, as self-service tools allow it, and no Domains."""
OPERATOR = Person(f"system:serviceaccount:{NAMESPACE}:clouddatamesh", ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"))

TERMS = {"maxDuration": "30d"}
PORTS = [a_port(), a_port("margins", path="margins/", access=TERMS)]
ORDERS = a_product(outputPorts=PORTS)
LEAVING = a_product("leaving", suspend=True, outputPorts=[a_port(access=TERMS)])
"""Is being deleted, and waits because it is suspended."""
REQUEST, GRANT = a_request(), a_grant()
DENY = {"validUntil": None, "decision": "Deny"}
BY_RBAC, BY_RULE, BY_SCHEMA = "RBAC", "a rule of the CRD", "the schema of the CRD"
BY_DECISION, BY_GUARD = "the decision", "the policies `clouddatamesh-operator-guard-*`"
BY_PORT_GUARD, BY_DELETION_GUARD, BY_FINALIZER_GUARD, BY_STATUS_GUARD, BY_NAMESPACE_GUARD, BY_OWNER_GUARD, BY_CUT_OFF_GUARD = (
    f"the policy `clouddatamesh-{part}-guard`" for part in ("port", "deletion", "finalizer", "status", "namespace", "owner", "cut-off")
)
BY_APPROVER_GUARD = "the policy `clouddatamesh-approver-guard`"


@dataclass(frozen=True)
class Attempt:
    """One command of one person."""

    what: str
    who: Person
    command: tuple[str, ...]
    by: str
    """What stops it, as docs/security.md names it."""
    says: str
    """A part of the API server's refusal; where `ends` is given, of the object's status."""
    manifest: Mapping[str, Any] | None = None
    ends: tuple[str, str, str] | None = None
    """Kind, name and namespace of the object that the API server accepts and the operator refuses."""

    @property
    def needs_policy(self) -> bool:
        """Whether nothing stops it where the chart's admission policies are left out."""
        return "the polic" in self.by


def may_not(what: str, who: Person, *command: str, says: str = "cannot") -> Attempt:
    """RBAC gives no right to it."""
    return Attempt(what, who, command, BY_RBAC, says)


def may_not_write(what: str, who: Person, manifest: Manifest, *command: str, says: str = "cannot") -> Attempt:
    return Attempt(what, who, command or APPLY, BY_RBAC, says, manifest)


def is_malformed(what: str, manifest: Manifest, says: str, *, by: str = BY_SCHEMA, who: Person = ADMIN) -> Attempt:
    """The API server does not take it, whoever sends it."""
    return Attempt(what, who, APPLY, by, says, manifest)


def gets_nothing(what: str, who: Person, manifest: Manifest, says: str, *, by: str = BY_DECISION) -> Attempt:
    """It is taken in, and the operator gives nothing for it."""
    metadata = manifest["metadata"]
    return Attempt(what, who, APPLY, by, says, manifest, (manifest["kind"].lower(), metadata["name"], metadata["namespace"]))


def with_status(manifest: Manifest, **status: Any) -> Manifest:
    return {**manifest, "status": status}


def with_path(path: str) -> Manifest:
    return a_product("wide", outputPorts=[a_port(path=path)])


def with_labels(manifest: Manifest, **metadata: Any) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **metadata}}


LABEL = "clouddatamesh.dev/domain"


def a_namespace(name: str, **metadata: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **metadata}}


def a_binding(role: str, namespace: str, person: str = "inventory-owner") -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "taken", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": person}],
    }


READY = [{"type": "Ready", "status": "True", "reason": "Granted", "message": "yes", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
SCHEMER = CONSUMER["owners"]
INSIDER = PRODUCER["engineers"]
PATCH = ("--type=merge", "-p")

EDITS = (
    may_not_write("the consumer makes the grant himself", SCHEMER, a_grant("mine")),
    may_not_write("the consumer lengthens the grant", SCHEMER, a_grant(validUntil="2199-01-01T00:00:00Z")),
    may_not("the consumer deletes a grant, or a Deny", SCHEMER, "delete", "accessgrant", "inventory-forecast", "-n", "sales"),
    may_not_write("the consumer opens the producer's port", SCHEMER, a_product(outputPorts=[a_port(access={"approval": "Auto"})])),
    may_not_write("the consumer writes that his request is granted", SCHEMER, with_status(REQUEST, conditions=READY), *STATUS),
    may_not_write("the consumer writes that a grant is in effect", SCHEMER, with_status(GRANT, conditions=READY), *STATUS),
    may_not("the consumer reads the producer's Secret", SCHEMER, "get", "secret", "orders-producer", "-n", "sales"),
    may_not("the consumer reads the operator's credentials", SCHEMER, "get", "secret", "main-s3", "-n", NAMESPACE),
    may_not("the consumer lists the Secrets of his own namespace", SCHEMER, "get", "secrets", "-n", "inventory"),
    may_not("the consumer sees who else has access", SCHEMER, "get", "accessgrants", "-n", "sales"),
    may_not_write("the consumer asks in another team's name", SCHEMER, a_request("theirs", "sales", secretName="theirs")),
    may_not_write("the consumer binds himself to the role for Secrets", SCHEMER, a_binding("clouddatamesh-secrets", "inventory")),
    may_not_write("the consumer binds himself to the owners of another domain", SCHEMER, a_binding("clouddatamesh-owner", "sales")),
    may_not_write("the consumer binds himself to the role for workloads", SCHEMER, a_binding("clouddatamesh-workloads", "inventory")),
    may_not_write("an owner gives his people an additional role", PRODUCER["owners"], a_domain("sales", access={"additionalRoles": [
        {"role": "clouddatamesh-workloads"}]})),
    may_not("the consumer speaks as the operator", SCHEMER, "auth", "can-i", "impersonate", "serviceaccounts", "-n", NAMESPACE,
            says=": no"),
    may_not("the consumer makes a token of the operator", SCHEMER, "create", "token", "clouddatamesh", "-n", NAMESPACE),
    may_not("the consumer moves a namespace into his domain", SCHEMER, "label", "namespace", "sales", "--overwrite",
            "clouddatamesh.dev/domain=inventory"),
    may_not_write("the consumer joins the owners of another domain", SCHEMER, a_domain("sales", access={"owners": [
        {"kind": "Group", "name": "inventory-owners"}]})),
    may_not_write("an owner writes the list of his own domain", PRODUCER["owners"], a_domain("sales", namespaces=["sales", "inventory"])),
    may_not("an owner turns the store to another endpoint", PRODUCER["owners"], "patch", "objectstore", "main", *PATCH,
            '{"spec":{"endpointUrl":"https://mine.example"}}'),
    may_not_write("the producer's engineer grants", INSIDER, a_grant("mine")),
    may_not_write("the producer's engineer lengthens a grant", INSIDER, a_grant(validUntil="2199-01-01T00:00:00Z")),
    may_not("the producer's engineer deletes a grant", INSIDER, "delete", "accessgrant", "inventory-forecast", "-n", "sales"),
    may_not_write("the producer's engineer writes what his product owns", INSIDER, with_status(ORDERS, storage={"bucket": "theirs"}),
                  *STATUS),
    may_not_write("the producer's viewer changes the product", PRODUCER["viewers"], a_product(displayName="Mine")),
    may_not("the producer's viewer reads the producer's Secret", PRODUCER["viewers"], "get", "secret", "orders-producer", "-n", "sales"),
    may_not_write("the consumer's viewer asks", CONSUMER["viewers"], a_request("more", secretName="more")),
    may_not("the consumer's viewer reads the Secret of the access", CONSUMER["viewers"], "get", "secret", "orders-access",
            "-n", "inventory"),
    may_not_write("somebody with the cluster's role edit grants", EDITOR, a_grant("mine")),
    may_not_write("somebody with the cluster's role edit writes a status", EDITOR, with_status(REQUEST, conditions=READY), *STATUS),
    may_not("a stranger sees products", STRANGER, "get", "dataproducts", "-n", "sales"),
    may_not_write("a stranger asks", STRANGER, a_request("more", secretName="more")),
    may_not("a stranger reads the Secret of the access", STRANGER, "get", "secret", "orders-access", "-n", "inventory"),
    Attempt("the producer's engineer opens a port", INSIDER, APPLY, BY_PORT_GUARD, "clouddatamesh-port-guard",
            a_product(outputPorts=[a_port(access={"approval": "Auto"}), PORTS[1]])),
    Attempt("the producer's engineer lets a port be written", INSIDER, APPLY, BY_PORT_GUARD, "clouddatamesh-port-guard",
            a_product(outputPorts=[a_port(access={"modes": ["ReadWrite"]}), PORTS[1]])),
    Attempt("the producer's engineer lets a port last longer", INSIDER, APPLY, BY_PORT_GUARD, "clouddatamesh-port-guard",
            a_product(outputPorts=[PORTS[0], a_port("margins", path="margins/")])),
    Attempt("the producer's engineer lets a port last longer by raising its version", INSIDER, APPLY, BY_PORT_GUARD,
            "clouddatamesh-port-guard", a_product(outputPorts=[PORTS[0], a_port("margins", "1.0.1", path="margins/")])),
    Attempt("somebody with the cluster's role edit opens a port", EDITOR, APPLY, BY_PORT_GUARD, "clouddatamesh-port-guard",
            a_product(outputPorts=[a_port(access={"approval": "Auto"}), PORTS[1]])),
)  # fmt: skip


def while_it_goes(
    what: str, who: Person, patch: str, *, by: str = BY_DELETION_GUARD, says: str = "clouddatamesh-deletion-guard"
) -> Attempt:
    """A change of the product that is being deleted."""
    return Attempt(what, who, ("patch", "dataproduct", "leaving", "-n", "sales", *PATCH, patch), by, says)


def stripped(what: str, who: Person) -> Attempt:
    return while_it_goes(what, who, '{"metadata":{"finalizers":null}}', by=BY_FINALIZER_GUARD, says="finalizer-guard")


LEAVERS = (
    while_it_goes("an owner opens a port of a product that is being deleted", PRODUCER["owners"],
                  '{"spec":{"outputPorts":[{"name":"daily","version":"1.0.0","path":"daily/","access":{"approval":"Auto"}}]}}'),
    while_it_goes("somebody with the cluster's role edit opens a port of a product that is being deleted", EDITOR,
                  '{"spec":{"outputPorts":[{"name":"daily","version":"1.0.0","path":"daily/","access":{"modes":["ReadWrite"]}}]}}',
                  says="-guard"),
    while_it_goes("the producer's engineer makes kept data go with a product that is being deleted", INSIDER,
                  '{"spec":{"storage":{"deletionPolicy":"Delete"}}}'),
    while_it_goes("somebody with the cluster's role edit has the bucket of a product that is being deleted emptied", EDITOR,
                  '{"spec":{"storage":{"forceDestroy":true}}}'),
    while_it_goes("an administrator has the bucket of a product that is being deleted emptied", ADMIN,
                  '{"spec":{"storage":{"deletionPolicy":"Delete","forceDestroy":true}}}'),
    stripped("an owner strips the finalizer of a product that is being deleted", PRODUCER["owners"]),
    stripped("the producer's engineer strips the finalizer of a product that is being deleted", INSIDER),
    stripped("somebody with the cluster's role edit strips the finalizer of a product that is being deleted", EDITOR),
    stripped("an administrator's clean-up script strips the finalizer of a product that is being deleted", ADMIN),
    Attempt("an administrator's tool writes that a request is granted", ADMIN, STATUS, BY_STATUS_GUARD, "clouddatamesh-status-guard",
            with_status(REQUEST, conditions=READY)),
    Attempt("an administrator's tool writes what a product owns", ADMIN, STATUS, BY_STATUS_GUARD, "clouddatamesh-status-guard",
            with_status(ORDERS, storage={"bucket": "theirs"})),
)  # fmt: skip

DANGLING = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "nope", "uid": "11111111-2222-3333-4444-555555555555"}]
CUT_OFF = "clouddatamesh.dev/cut-off"


def of_other(what: str, who: Person, value: str) -> Attempt:
    """A change of the cut-off that the owner set on the product `other`."""
    patch = f'{{"metadata":{{"annotations":{{"{CUT_OFF}":{value}}}}}}}'
    command = ("patch", "dataproduct", "other", "-n", "sales", *PATCH, patch)
    return Attempt(what, who, command, BY_CUT_OFF_GUARD, "clouddatamesh-cut-off-guard")


OF_METADATA = (
    Attempt("the producer's engineer has the garbage collector delete a product", INSIDER,
            ("patch", "dataproduct", "orders", "-n", "sales", *PATCH, json.dumps({"metadata": {"ownerReferences": DANGLING}})),
            BY_OWNER_GUARD, "clouddatamesh-owner-guard"),
    Attempt("the producer's engineer makes a product that the garbage collector deletes, with its former bucket", INSIDER, APPLY,
            BY_OWNER_GUARD, "clouddatamesh-owner-guard", with_labels(a_product("doomed"), ownerReferences=DANGLING)),
    of_other("the producer's engineer lifts the cut-off that an owner set", INSIDER, "null"),
    of_other("the producer's engineer narrows the cut-off that an owner set", INSIDER, '"daily/1.0.0"'),
    of_other("somebody with the cluster's role edit lifts the cut-off that an owner set", EDITOR, "null"),
)  # fmt: skip

OF_APPROVERS = (
    Attempt("an owner approves in the name of another owner", PRODUCER["owners"], APPLY, BY_APPROVER_GUARD,
            "nobody approves in the name of somebody else", a_grant("second", approver="another-owner")),
    Attempt("an administrator approves in the name of an owner", ADMIN, APPLY, BY_APPROVER_GUARD,
            "nobody approves in the name of somebody else", a_grant("second", approver="another-owner")),
    Attempt("the operator's token approves as one of several people", OPERATOR, ("create", "-f", "-"), BY_APPROVER_GUARD,
            "denied request", with_labels(a_grant("second", approver=OPERATOR.user),
                                                        labels={"app.kubernetes.io/managed-by": "clouddatamesh"})),
)  # fmt: skip

STOLEN = (
    may_not("the operator's token lists the Secrets of a domain", OPERATOR, "get", "secrets", "-n", "sales"),
    may_not("the operator's token reads a Secret outside domains", OPERATOR, "get", "secret", "any", "-n", "kube-system"),
    may_not("the operator's token deletes a namespace", OPERATOR, "delete", "namespace", "sales"),
    may_not("the operator's token reads a ConfigMap", OPERATOR, "get", "configmaps", "-n", "kube-system"),
    may_not_write("the operator's token binds somebody to cluster-admin", OPERATOR, a_binding("cluster-admin", "sales"),
                  "create", "-f", "-", says="forbidden"),
    may_not("the operator's token makes a token", OPERATOR, "create", "token", "default", "-n", "sales"),
    Attempt("the operator's token changes a decision", OPERATOR, ("patch", "accessgrant", "inventory-forecast", "-n", "sales",
            *PATCH, '{"spec":{"decision":"Deny"}}'), BY_GUARD, "never changes a spec"),
    Attempt("the operator's token grants outside domains", OPERATOR, ("create", "-f", "-"), BY_GUARD, "only in namespaces",
            with_labels(a_grant("mine", "default"), labels={"app.kubernetes.io/managed-by": "clouddatamesh"})),
    Attempt("the operator's token binds a role outside domains", OPERATOR, ("create", "-f", "-"), BY_GUARD, "namespaces of the system",
            a_binding("clouddatamesh-secrets", "kube-system")),
)  # fmt: skip

FORGED = (
    Attempt("a tenant makes a namespace with the label of a domain", MAKER, ("create", "-f", "-"), BY_NAMESPACE_GUARD, "which Domain owns",
            a_namespace("forged", labels={LABEL: "sales"})),
    Attempt("a tenant writes consent to adoption onto another domain's namespace", MAKER, ("annotate", "namespace", "sales",
            "clouddatamesh.dev/adopt-by=inventory"), BY_NAMESPACE_GUARD, "which Domain owns"),
    Attempt("a tenant has his namespace released by a domain, by the status sub-resource", MAKER, ("patch", "namespace", "tenants",
            "--subresource=status", *PATCH, f'{{"metadata":{{"annotations":{{"clouddatamesh.dev/released-by":"{REALM}/sales"}}}}}}'),
            BY_NAMESPACE_GUARD, "which Domain owns"),
    Attempt("a tenant marks his namespace as held by a domain, as the operator's field manager", MAKER, (*APPLY,
            "--field-manager=clouddatamesh"), BY_NAMESPACE_GUARD, "which Domain owns",
            a_namespace("tenants", annotations={"clouddatamesh.dev/held-by": f"{REALM}/sales"})),
    Attempt("a tenant takes the label off a domain's namespace", MAKER, ("label", "namespace", "sales", f"{LABEL}-"), BY_NAMESPACE_GUARD,
            "which Domain owns"),
    Attempt("a tenant says that the operator made his namespace", MAKER, ("label", "namespace", "tenants",
            "app.kubernetes.io/managed-by=clouddatamesh"), BY_NAMESPACE_GUARD, "which Domain owns"),
)  # fmt: skip

NAMES = (
    *(is_malformed(f"a port's path {what}", with_path(path), says)
      for what, path, says in (
          ("with a wildcard", "daily/*", "path"),
          ("with a wildcard for one character", "dail?/", "path"),
          ("with a policy variable", "${aws:username}/", "path"),
          ("that climbs", "daily/../margins/", "path"),
          ("from the root", "/margins/", "path"),
          ("with a quote that ends the policy's string", 'daily/"],"Action":"*', "path"),
          ("with a line break", "daily/\n", "path"),
          ("in look-alike letters", "d\u0430ily/", "path"),
      )),
    *(is_malformed(f"a request for a product {what}", a_request("odd", dataProductRef={"namespace": "sales", "name": name}), "name")
      for what, name in (
          ("by a wildcard", "*"),
          ("in upper case", "Orders"),
          ("in look-alike letters", "\u043erders"),
          ("with a slash", "orders/margins"),
          ("of no name", ""),
      )),
    is_malformed("a request for a product of every namespace", a_request("odd", dataProductRef={"namespace": "*", "name": "orders"}),
                 "namespace"),
    is_malformed("a request whose Secret is of another namespace", a_request("odd", secretName="sales/orders-producer"), "secretName"),
    is_malformed("a consumer of another namespace", a_request("odd", consumer={"dataProductRef": {"namespace": "sales", "name": "orders"}}),
                 "namespace", by=BY_SCHEMA),
    is_malformed("a grant that reaches into another namespace",
                 a_grant("odd", dataProductRef={"namespace": "inventory", "name": "forecast"}), "namespace"),
    is_malformed("a store's endpoint with a password", {
        "apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "ObjectStore", "metadata": {"name": "odd"},
        "spec": {"endpointUrl": "https://a:b@s3.example", "region": "r", "bucketPrefix": "odd"}}, "endpointUrl"),
    is_malformed("a request that turns to another port after approval",
                 a_request(outputPort={"name": "margins", "version": "1.0.0"}), "immutable", by=BY_RULE, who=SCHEMER),
    is_malformed("a request that turns to ReadWrite after approval", a_request(mode="ReadWrite"), "immutable", by=BY_RULE, who=SCHEMER),
    is_malformed("a grant that its owner turns to another port", a_grant(outputPort={"name": "margins", "version": "1.0.0"}),
                 "another grant", by=BY_RULE, who=PRODUCER["owners"]),
    is_malformed("an approval of everybody", {**a_grant("all"), "spec": {"decision": "Approve", "dataProductRef": {"name": "orders"},
                 "consumerNamespace": "inventory", "permanent": True}}, "consumerNamespace", by=BY_RULE, who=PRODUCER["owners"]),
)  # fmt: skip

WORLD = (
    gets_nothing("a request that says in its own manifest that it is granted", SCHEMER,
                 with_status(a_request("forged", outputPort={"name": "margins", "version": "1.0.0"}, secretName="forged"),
                             conditions=READY, principal="acme-admin"), "AwaitingGrant"),
    gets_nothing("a second request under the Secret of the first", SCHEMER,
                 a_request("twin", outputPort={"name": "margins", "version": "1.0.0"}), "AwaitingGrant"),
    gets_nothing("a request for another port under the grant of the first", SCHEMER,
                 a_request("wider", outputPort={"name": "margins", "version": "1.0.0"}, secretName="wider"), "AwaitingGrant"),
    gets_nothing("a grant of the consumer's own namespace", SCHEMER, a_grant("own", "inventory"), "GrantMismatch"),
    gets_nothing("a grant for more than the port offers", PRODUCER["owners"], a_grant("more", mode="ReadWrite"), "GrantMismatch"),
    gets_nothing("a request from the namespace default", ADMIN,
                 a_request("outside", "default", consumer={"serviceAccountRef": {"name": "default"}}), "DomainNotFound"),
    gets_nothing("a product that names the bucket of another", SCHEMER,
                 a_product("thief", "inventory", storage={"bucketName": f"{REALM}-other"}), "NotOwned", by="the ownership tags"),
    gets_nothing("a product that asks to adopt the bucket of another", SCHEMER,
                 a_product("thief", "inventory", storage={"bucketName": f"{REALM}-other", "adoptionPolicy": "IfConsented"}), "NotOwned",
                 by="the ownership tags"),
    gets_nothing("a product that names a bucket as generated ones are named", SCHEMER,
                 a_product("thief", "inventory", storage={"bucketName": f"{REALM}-mesh-{'a' * 16}"}), "InvalidSpec",
                 by="the names that are generated"),
    gets_nothing("a product that names a bucket outside the store's prefix", SCHEMER,
                 a_product("thief", "inventory", storage={"bucketName": "payroll"}), "InvalidSpec", by="the store's prefix"),
    gets_nothing("a product whose credentials would go into the Secret of granted access", SCHEMER,
                 a_product("thief", "inventory", producer={"secretName": "orders-access"}), "NotOwned", by="creation by POST only"),
)  # fmt: skip

ATTEMPTS = (*EDITS, *LEAVERS, *OF_METADATA, *OF_APPROVERS, *STOLEN, *FORGED, *NAMES, *WORLD)
