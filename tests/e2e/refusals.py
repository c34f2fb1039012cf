"""What the API server refuses: one row per rule and per kind of bound, as a sentence, a manifest and a part of the answer."""

from tests.e2e.cases import Refusal, a_port, a_rule, a_sa, an_owner, without
from tests.e2e.refusals_access import ACCESS_RULES
from tests.e2e.refusals_documentation import DOCUMENTATION_RULES
from tests.e2e.refusals_policies import POLICY_RULES
from tests.e2e.refusals_team import TEAM_RULES
from tests.support.manifests import a_domain, a_product, a_store

WHOLE = dict.fromkeys(("blockPublicAccess", "tlsOnly", "encryption", "versioning", "objectOwnership"), "Required")

STORE_RULES = (
    Refusal(
        "a store whose prefix changes",
        a_store(bucketPrefix="other"),
        "spec.bucketPrefix is immutable; create another ObjectStore with the new prefix",
        after=a_store(),
    ),
    *(
        Refusal(f"the reserved prefix {prefix}", a_store(bucketPrefix=prefix), "spec.bucketPrefix begins with a prefix that S3 reserves")
        for prefix in ("xn--acme", "sthree", "amzn-s3-demo")
    ),
    *(
        Refusal(
            f"a baseline of AWS with {what}",
            without(a_store(baseline=baseline), "spec", "endpointUrl"),
            "spec.endpointUrl is absent, so this store is AWS",
        )
        for what, baseline in (
            ("a protection that is Off", {**WHOLE, "tlsOnly": "Off"}),
            ("a protection where it is supported", {**WHOLE, "versioning": "IfSupported"}),
            ("a partial list", {"encryption": "Required"}),
        )
    ),
    Refusal(
        "a baseline that stays when the store becomes AWS",
        without(a_store(baseline={"tlsOnly": "Off"}), "spec", "endpointUrl"),
        "spec.endpointUrl is absent, so this store is AWS",
        after=a_store(baseline={"tlsOnly": "Off"}),
    ),
    Refusal(
        "a label selector with a key that is no label",
        a_store(allowedDomains={"matchLabels": {"no label!": "x"}}),
        "A key of matchLabels is not a valid label key",
    ),
    Refusal("an empty label key", a_store(allowedDomains={"matchLabels": {"": "x"}}), "A key has 1 to 317 characters"),
    Refusal(
        "a label selector In without values",
        a_store(allowedDomains={"matchExpressions": [{"key": "tier", "operator": "In"}]}),
        "The operators In and NotIn require values",
    ),
    Refusal(
        "a label selector Exists with values",
        a_store(allowedDomains={"matchExpressions": [{"key": "tier", "operator": "Exists", "values": ["a"]}]}),
        "Exists and DoesNotExist allow none",
    ),
    Refusal(
        "an expression with a key that is no label",
        a_store(allowedDomains={"matchExpressions": [{"key": "-tier", "operator": "Exists"}]}),
        "The key is not a valid label key",
    ),
)

DOMAIN_RULES = (
    Refusal("a domain that is its own parent", a_domain(parentRef={"name": "sales"}), "spec.parentRef names this Domain itself"),
    Refusal(
        "a domain whose name is longer than a label",
        a_domain("d" * 64, namespaces=[{"name": "sales"}]),
        "metadata.name is used in labels; choose a name of at most 63 characters",
    ),
    Refusal("a domain with a dotted name and no namespaces", a_domain("sales.eu"), "No namespace can have the name of this Domain"),
    Refusal("a domain named kube-sales without namespaces", a_domain("kube-sales"), "No namespace can have the name of this Domain"),
    Refusal("a domain named default without namespaces", a_domain("default"), "No namespace can have the name of this Domain"),
    Refusal(
        "a domain with the namespace default",
        a_domain(namespaces=[{"name": "sales"}, {"name": "default"}]),
        "The namespaces default and kube-* are reserved for the cluster; choose another one",
    ),
    Refusal(
        "a domain that gives a role of the system",
        a_domain(access={"additionalRoles": [{"role": "system:node"}]}),
        "Roles named system:* are reserved for the cluster; name another role",
    ),
    Refusal("a domain with the namespace kube-system", a_domain(namespaces=[{"name": "kube-system"}]), "The namespaces default and kube-*"),
    Refusal(
        "a domain whose home namespace is exchanged",
        a_domain(namespaces=[{"name": "sales-eu"}]),
        "The home namespace, which is the first entry of spec.namespaces, is immutable",
        after=a_domain(namespaces=[{"name": "sales"}]),
    ),
    Refusal(
        "a domain that is given another first namespace later",
        a_domain(namespaces=[{"name": "sales-eu"}, {"name": "sales"}]),
        "is immutable; keep it first and add others after it",
        after=a_domain(),
    ),
    Refusal(
        "a domain whose list of namespaces goes, and the home with it",
        a_domain(),
        "The home namespace, which is the first entry of spec.namespaces, is immutable",
        after=a_domain(namespaces=[{"name": "sales-eu"}]),
    ),
    *(
        Refusal(f"{role[:-1]} {name}", a_domain(access={role: [{"kind": kind, "name": name}]}), "Subjects named system:* are")
        for role, kind, name in (
            ("owners", "Group", "system:masters"),
            ("engineers", "User", "system:admin"),
            ("viewers", "Group", "system:authenticated"),
        )
    ),
    Refusal(
        "a group with a namespace",
        an_owner(kind="Group", name="sales", namespace="sales"),
        "namespace is only allowed for subjects of kind ServiceAccount; remove it",
    ),
    Refusal("a ServiceAccount with its namespace in its name", a_sa("sales:loader"), "The name of a ServiceAccount has lower-case"),
    Refusal(
        "a team member who leaves before coming",
        a_domain(team={"members": [{"username": "kim", "dateIn": "2026-02-01", "dateOut": "2026-01-01"}]}),
        "A member's dateOut is before dateIn; correct one of them",
    ),
    Refusal(
        "network exceptions without isolation",
        a_domain(resources={"networkIsolation": {"allowFrom": [{"matchLabels": {"a": "b"}}]}}),
        "networkIsolation.allowFrom has an effect only with mode Domain; set the mode or remove allowFrom",
    ),
    Refusal(
        "a quota for what cannot be a resource",
        a_domain(resources={"quota": {"no such!": "1"}}),
        "A key of resources.quota is not a resource",
    ),
    Refusal(
        "a default request above the default limit",
        a_domain(resources={"limitRange": {"default": {"cpu": "500m"}, "defaultRequest": {"cpu": "1"}}}),
        "A limitRange.defaultRequest is greater than the limitRange.default of its resource",
    ),
    Refusal("an empty key in a quota", a_domain(resources={"quota": {"": "1"}}), "A key has 1 to 256 characters"),
)

_NO_TIME = "access.maxDuration, access.minDuration or access.rotateAfter is zero; set at least 1m, or remove it"
_TOO_LONG = "access.minDuration is longer than access.maxDuration; lower access.minDuration, or raise or remove access.maxDuration"
_PROPOSED = without(without(a_product(lifecycle="proposed"), "spec", "storage"), "spec", "producer")
PRODUCT_RULES = (
    Refusal("an active product without storage", without(without(a_product(), "spec", "storage"), "spec", "producer"),
            "spec.storage is required unless spec.lifecycle is proposed; add it"),
    Refusal("a product whose storage is removed", _PROPOSED, "spec.storage cannot be removed; delete the product instead",
            after=a_product(lifecycle="proposed")),
    Refusal("a producer without storage", without(a_product(lifecycle="proposed"), "spec", "storage"),
            "spec.producer needs spec.storage; add it or remove spec.producer"),
    Refusal("a product that moves to another store", a_product(storage={"storeRef": {"name": "other"}}),
            "spec.storage.storeRef is immutable; create another product and move the data", after=a_product()),
    Refusal("a bucket name that changes", a_product(storage={"bucketName": "acme-b"}),
            "spec.storage.bucketName is immutable; create another product and move the data",
            after=a_product(storage={"bucketName": "acme-a"})),
    *(
        Refusal(f"the reserved bucket name {name}", a_product(storage={"bucketName": name}), "bucketName has a prefix or suffix that S3")
        for name in ("xn--acme", "sthree-acme", "amzn-s3-demo-acme", "acme-s3alias", "acme--ol-s3", "acme--x-s3", "acme--table-s3")
    ),
    Refusal("a bucket name that is added later", a_product(storage={"bucketName": "acme-b"}), "spec.storage.bucketName is immutable",
            after=a_product()),
    Refusal("a bucket name that is removed later", a_product(), "spec.storage.bucketName is immutable",
            after=a_product(storage={"bucketName": "acme-a"})),
    *(
        Refusal(f"a lifecycle from {old} to {new}", a_product(lifecycle=new), "spec.lifecycle moves forward only",
                after=a_product(lifecycle=old))
        for old, new in (("active", "draft"), ("active", "proposed"), ("draft", "proposed"), ("deprecated", "draft"),
                         ("retired", "active"), ("retired", "deprecated"))
    ),
    Refusal("two ports of one path", a_product(outputPorts=[a_port(), a_port("hourly")]),
            "Paths of spec.outputPorts overlap; give every port its own path"),
    Refusal("a port within another's path", a_product(outputPorts=[a_port(), a_port("eu", path="daily/eu/")]), "outputPorts overlap"),
    Refusal("an input port from nowhere", a_product(inputPorts=[{"name": "stock"}]),
            "An input port has no source; set from, external or contractId"),
    Refusal("an input port from two places",
            a_product(inputPorts=[{"name": "stock", "external": {"url": "https://x.test"},
                                   "from": {"namespace": "i", "dataProduct": "s", "outputPort": {"name": "d", "version": "1.0.0"}}}]),
            "An input port reads either from a product or from an external source; remove from or external"),
    Refusal("an external input that says nothing", a_product(inputPorts=[{"name": "fx", "external": {}}]),
            "An external input requires a description or a url; set one of them"),
    Refusal("a grant that lasts no time", a_product(outputPorts=[a_port(access={"maxDuration": "0d"})]), _NO_TIME),
    Refusal("a minDuration above the maxDuration", a_product(outputPorts=[a_port(access={"minDuration": "31d", "maxDuration": "30d"})]),
            _TOO_LONG),
    Refusal("a minDuration above the maxDuration by a minute",
            a_product(outputPorts=[a_port(access={"minDuration": "1d0h1m", "maxDuration": "24h"})]), _TOO_LONG),
    Refusal("a minDuration above a maxDuration that comes later",
            a_product(outputPorts=[a_port(access={"minDuration": "2h", "maxDuration": "119m"})]), _TOO_LONG,
            after=a_product(outputPorts=[a_port(access={"minDuration": "2h"})])),
    Refusal("an answer within no time", a_product(outputPorts=[a_port(access={"answerWithin": "0d"})]),
            "access.answerWithin is zero; set at least 1m, or remove it"),
    Refusal("a port that asks two people and nobody", a_product(outputPorts=[a_port(access={"approvals": 2, "approval": "Auto"})]),
            "access.approval Auto asks nobody, and access.approvals asks several people"),
    Refusal("a port of two approvals that becomes Auto", a_product(outputPorts=[a_port(access={"approvals": 2, "approval": "Auto"})]),
            "access.approval Auto asks nobody, and access.approvals asks several people",
            after=a_product(outputPorts=[a_port(access={"approvals": 2})])),
    Refusal("a port that keeps what no cap gave", a_product(outputPorts=[a_port(access={"keepGiven": True})]),
            "access.keepGiven is about access.maxDuration, which is not set"),
    Refusal("a key that is replaced after no time", a_product(outputPorts=[a_port(access={"rotateAfter": "0d0h0m"})]), _NO_TIME),
    Refusal("a producer's key that is replaced after no time", a_product(producer={"secretName": "x", "rotateAfter": "0h"}),
            "producer.rotateAfter is zero; set at least 1m, or remove it"),
    Refusal("two ports of one name and major version", a_product(outputPorts=[a_port(), a_port(version="1.1.0", path="next/")]),
            "Two of spec.outputPorts have the same name and major version, which must be unique; raise one of them or rename the port"),
    Refusal("a port and its own pre-release", a_product(outputPorts=[a_port(), a_port(version="1.0.0-rc.1", path="next/")]),
            "Two of spec.outputPorts have the same name and major version"),
    Refusal("a delay of adoption without adoption", a_product(storage={"adoptionDelay": "2d"}),
            "spec.storage.adoptionDelay has an effect only with adoptionPolicy IfConsented"),
    Refusal("a delay of adoption of no time", a_product(storage={"adoptionPolicy": "IfConsented", "adoptionDelay": "0m"}),
            "spec.storage.adoptionDelay is zero"),
    Refusal("a lifecycle rule without action", a_rule(prefix="tmp/"),
            "A lifecycle rule requires expireAfter, expireNoncurrentAfter or abortUploadsAfter; add one or remove the rule"),
    *(
        Refusal(f"expireAfter: {age}", a_rule(prefix="tmp/", expireAfter=age),
                "S3 counts the age of objects in whole days; use a number of days, such as 7d, in each duration of a lifecycle rule")
        for age in ("90m", "24h", "1d12h", "0d")
    ),
    *(
        Refusal(f"{field} of no time", a_rule(prefix="tmp/", **{field: "0d0h"}), "S3 counts the age of objects in whole days")
        for field in ("expireAfter", "expireNoncurrentAfter", "abortUploadsAfter")
    ),
    *(
        Refusal(f"a tag {key}", a_product(storage={"tags": {key: "x"}}), "Tag keys under clouddatamesh.dev/ and aws: are reserved")
        for key in ("clouddatamesh.dev/uid", "clouddatamesh.dev/transfer-to", "aws:created", "AWS:created")
    ),
    Refusal("a tag key that S3 refuses", a_product(storage={"tags": {"cost#center": "x"}}), "has characters that S3 refuses"),
    Refusal("an empty tag key", a_product(storage={"tags": {"": "x"}}), "A key has 1 to 128 characters"),
)  # fmt: skip
RULES = (*STORE_RULES, *DOMAIN_RULES, *PRODUCT_RULES, *DOCUMENTATION_RULES, *ACCESS_RULES, *POLICY_RULES, *TEAM_RULES)
