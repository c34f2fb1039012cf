"""What the API server cannot see is wrong: one row per manifest, with the condition in which it ends and a part of its sentence.

Stores named here at https://s3.test are put at the running store. The mesh is `wrong`; `sales` is a good domain, `good` its good product.
"""

from dataclasses import dataclass
from typing import Any

from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names
from tests.support.manifests import a_domain, a_product, a_store

Manifest = dict[str, Any]
MESH, OTHER_CLUSTER = "wrong", "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1"


@dataclass(frozen=True)
class Stall:
    """A manifest, the reason of its Ready condition, parts of the sentence, and how it ends: Stalled, or waiting for something."""

    what: str
    manifest: Manifest
    reason: str
    says: tuple[str, ...]
    ends: str = "Stalled"

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, name and namespace, as kubectl takes them."""
        metadata = self.manifest["metadata"]
        return self.manifest["kind"].lower(), metadata["name"], metadata.get("namespace", "")


def store(name: str, **spec: Any) -> Manifest:
    """A store that differs from the good one in what it is about."""
    return a_store(name, **{"bucketPrefix": name[:20].strip("-"), **spec})


def product(name: str, namespace: str = "sales", *, bucket: str = "", **storage: Any) -> Manifest:
    """A product that differs from a good one in its storage."""
    return a_product(name, namespace, storage={**({"bucketName": bucket} if bucket else {}), **storage})


APPLES = {"limitRange": {"default": {"apples": "1"}}}
INPUT = {"namespace": "inventory", "dataProduct": "stock", "outputPort": {"name": "daily", "version": "1.0.0"}}
EXPECTED = names.bucket_name("acme", MESH, Key("DataProduct", "sales", "squatted"))
GENERATED = "acme-orders-abcdefghijklmnop"

STORES = (
    Stall("a key that the store does not know", store("wrong-key", credentialsSecretRef={"name": "wrong-key"}),
          "CredentialsInvalid", ("InvalidAccessKeyId", "spec.credentialsSecretRef")),
    Stall("a Secret that does not exist", store("no-secret", credentialsSecretRef={"name": "absent"}),
          "CredentialsMissing", ("Secret absent", "spec.credentialsSecretRef", "does not exist in the operator's namespace")),
    Stall("a Secret that lacks a key", store("half-secret", credentialsSecretRef={"name": "half"}),
          "CredentialsMissing", ("spec.credentialsSecretRef", "lacks secret-access-key")),
    Stall("an endpoint where nobody listens", store("nobody", endpointUrl="http://127.0.0.1:1"),
          "StoreUnavailable", ("does not answer", "spec.endpointUrl"), "Reconciling"),
    Stall("an IAM endpoint where nobody listens", store("no-iam", iamEndpointUrl="http://127.0.0.1:1"),
          "StoreUnavailable", ("does not answer", "spec.endpointUrl"), "Reconciling"),
    Stall("an endpoint whose host does not exist", store("no-host", endpointUrl="http://s3.nowhere.invalid"),
          "StoreUnavailable", ("does not answer", "spec.endpointUrl"), "Reconciling"),
    Stall("https at a port that speaks http", store("no-tls", endpointUrl="https://plain.test"),
          "CertificateInvalid", ("certificate", "spec.caBundle")),
    Stall("a CA bundle that is garbage within", store("garbage", endpointUrl="https://plain.test",
                                                      caBundle="-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n"),
          "CertificateInvalid", ("spec.caBundle",)),
    Stall("a baseline that the store cannot meet", store("demanding", baseline={"tlsOnly": "Required"}),
          "CapabilityMissing", ("TlsOnly", "relax spec.baseline")),
    Stall("a mesh's bucket that another cluster serves", store("lost"),
          "StoreInUseByOtherCluster", (OTHER_CLUSTER, "spec.takeOverFrom")),
    Stall("a takeover from the wrong cluster", store("lost-too", takeOverFrom=["00000000-0000-0000-0000-000000000000"]),
          "StoreInUseByOtherCluster", (OTHER_CLUSTER, "spec.takeOverFrom")),
    Stall("a mesh's bucket that is somebody's", store("alien"), "NotOwned", ("carries no mark of this mesh", "spec.bucketPrefix")),
    Stall("a probe's bucket with somebody's objects", store("clutter"), "CapabilityMissing", ("is somebody's; remove it",), "Reconciling"),
)  # fmt: skip

DOMAINS = (
    Stall("the operator's own namespace", a_domain("greedy", namespaces=[{"name": "clouddatamesh-system"}]),
          "ProtectedNamespace", ("clouddatamesh-system", "remove it from spec.namespaces")),
    Stall("a namespace of another domain", a_domain("usurper", namespaces=[{"name": "sales"}]),
          "ProtectedNamespace", ("belongs to Domain sales", "remove it from spec.namespaces")),
    Stall("a namespace that exists", a_domain("theirs"),
          "ConsentMissing", ("exists already", "spec.namespaceAdoption", "clouddatamesh.dev/adopt-by=theirs")),
    Stall("a namespace that does not consent", a_domain("eager", namespaces=[{"name": "theirs-too"}], namespaceAdoption="IfConsented"),
          "ConsentMissing", ("clouddatamesh.dev/adopt-by=eager",)),
    Stall("a namespace that consents to another domain",
          a_domain("envious", namespaces=[{"name": "promised"}], namespaceAdoption="IfConsented"),
          "ConsentMissing", ("clouddatamesh.dev/adopt-by=envious",)),
    Stall("a namespace that consents, without namespaceAdoption", a_domain("shy", namespaces=[{"name": "willing"}]),
          "ConsentMissing", ("set spec.namespaceAdoption to IfConsented",)),
    Stall("a parent that is a child", a_domain("hen", parentRef={"name": "egg"}),
          "Cycle", ("spec.parentRef leads back", "hen -> egg", "change one of these parents")),
    Stall("a child that is its parent's parent", a_domain("egg", parentRef={"name": "hen"}), "Cycle", ("spec.parentRef leads back",)),
    Stall("a parent that does not exist", a_domain("orphan", parentRef={"name": "nobody"}),
          "ParentNotFound", ("Domain nobody, named in spec.parentRef, does not exist",), "Reconciling"),
    Stall("a quota of our name that is somebody's",
          a_domain("counted", namespaceAdoption="IfConsented", resources={"quota": {"pods": "1"}}),
          "NotOwned", ("exists already", "remove or rename it")),
    Stall("a role binding of our name that is somebody's", a_domain("bound", namespaceAdoption="IfConsented"),
          "NotOwned", ("exists already", "remove or rename it")),
    Stall("a quota for a resource that cannot be", a_domain("unlimited", resources={"quota": {"apples": "1"}}),
          "AdmissionRefused", ("ResourceQuota unlimited/clouddatamesh", "apples")),
    Stall("a default limit for a resource that cannot be", a_domain("orchard", resources=APPLES),
          "AdmissionRefused", ("LimitRange orchard/clouddatamesh", "apples")),
)  # fmt: skip

PRODUCTS = (
    Stall("a bucket name with a foreign prefix", product("foreign-prefix", bucket="other-orders"),
          "InvalidSpec", ("spec.storage.bucketName other-orders must begin with acme-", "adopted, never made")),
    Stall("a bucket name that looks generated", product("forger", bucket=GENERATED),
          "InvalidSpec", ("spec.storage.bucketName", "looks like a generated name")),
    Stall("a bucket that is somebody's", product("taker", bucket="acme-theirs"),
          "NotOwned", ("set adoptionPolicy to IfConsented", "clouddatamesh.dev/adopt-by=wrong/sales/taker")),
    Stall("a bucket that consents, without the policy", product("hesitant", bucket="acme-willing"),
          "NotOwned", ("set adoptionPolicy to IfConsented",)),
    Stall("a bucket that consents to another product", product("envious", bucket="acme-promised", adoptionPolicy="IfConsented"),
          "NotOwned", ("clouddatamesh.dev/adopt-by=wrong/sales/envious",)),
    Stall("a bucket that consents, and a plan that nobody agreed to", product("patient", bucket="acme-lent", adoptionPolicy="IfConsented"),
          "AdoptionPlanned", ("status.plan lists", "clouddatamesh.dev/apply-plan=acme-lent")),
    Stall("a bucket that consents, under a name that is not listed", product("outsider", bucket="legacy-lent",
                                                                                   adoptionPolicy="IfConsented"),
          "NotOwned", ("spec.adoptableBuckets of ObjectStore", "does not list its name")),
    Stall("a bucket of another mesh", product("raider", bucket="acme-other-mesh"), "NotOwned", ("belongs to another mesh or cluster",)),
    Stall("an earlier bucket of its own, with Never", product("former", bucket="acme-former", adoptionPolicy="Never"),
          "NotOwned", ("adoptionPolicy is Never; set it to IfOwned",)),
    Stall("the bucket of a living product", product("copycat", bucket="acme-good"),
          "NotOwned", ("belongs to another product", "choose another name")),
    Stall("a generated name that somebody took first", product("squatted"), "NotOwned", ("carries no mark of this mesh",)),
    Stall("a Secret that is somebody's", a_product("careful", producer={"secretName": "taken"}),
          "NotOwned", ("Secret taken exists", "choose another spec.producer.secretName")),
    Stall("the Secret of another product", a_product("careless", producer={"secretName": "good-producer"}),
          "NotOwned", ("Secret good-producer exists", "choose another spec.producer.secretName")),
    Stall("an IAM user that is somebody's", product("namesake"), "NotOwned", ("IAM user sales-namesake-", "remove or rename it")),
    Stall("a store that does not exist", product("nowhere", storeRef={"name": "nowhere"}),
          "StoreNotFound", ("ObjectStore nowhere, named in spec.storage.storeRef, does not exist",), "Reconciling"),
    Stall("a store that is not Ready", product("early", storeRef={"name": "no-secret"}),
          "StoreNotReady", ("ObjectStore no-secret is not Ready",), "Reconciling"),
    Stall("a store that serves others", product("uninvited", storeRef={"name": "exclusive"}),
          "NotAllowed", ("does not serve Domain sales", "spec.allowedDomains")),
    Stall("a domain that is cordoned", product("late", "cordoned"), "Cordoned", ("Domain cordoned is cordoned",), "Reconciling"),
    Stall("a namespace of no domain", product("homeless", "wild"),
          "DomainNotFound", ("Namespace wild belongs to no Domain yet", "spec.namespaces"), "Reconciling"),
    Stall("a namespace that a domain only wishes for", product("hopeful", "theirs"),
          "DomainNotFound", ("Namespace theirs belongs to no Domain yet",), "Reconciling"),
)  # fmt: skip
STALLS = (*STORES, *DOMAINS, *PRODUCTS)
