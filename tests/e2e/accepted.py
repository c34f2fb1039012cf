"""What the API server takes: manifests beside the edge of each rule, and changes that are allowed."""

from tests.e2e.accepted_access import ACCEPTED_ACCESS, CHANGES_ACCESS
from tests.e2e.cases import a_port, a_rule, without
from tests.e2e.refusals import WHOLE
from tests.e2e.refusals_documentation import a_channel, a_management_port, a_sample, an_external_port
from tests.support.manifests import a_domain, a_policy, a_product, a_profile, a_store, a_team, a_waiver

UID = "8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1"

ACCEPTED = {
    "the smallest store": {**a_store(), "spec": {"region": "eu-central-1", "bucketPrefix": "a"}},
    "a prefix of 20 characters": a_store(bucketPrefix="a" * 20),
    "a whole baseline on AWS": without(a_store(baseline=WHOLE), "spec", "endpointUrl"),
    "a relaxed baseline at an endpoint of AWS": a_store(endpointUrl="https://s3.eu-central-1.amazonaws.com", baseline={"tlsOnly": "Off"}),
    "a store with everything": a_store(
        iamEndpointUrl="https://iam.test:8443/iam", plainEndpointUrl="http://s3.test:8080", addressingStyle="path",
        caBundle="-----BEGIN CERTIFICATE-----\nMII\n",
        takeOverFrom=[UID],
        adoptableBuckets=["*", "legacy-*", "*-raw-*", "orders"],
        baseline={"tlsOnly": "Required", "encryption": "Off"},
        allowedDomains={"matchLabels": {"example.com/tier": "gold", "plain": ""},
                        "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "c", "operator": "Exists"}]},
    ),
    "the smallest domain": {**a_domain(), "spec": {}},
    "the smallest policy": a_policy(params={}, rules=[{"name": "a", "expression": "true", "message": "m"}]),
    "a policy with everything": a_policy(
        description="d", category="privacy", regulations=[{"name": "GDPR", "article": "30", "url": "https://example.com/gdpr"}],
        targets={"kinds": ["DataProduct", "AccessGrant"], "lifecycle": ["active"], "domains": {"matchLabels": {"tier": "gold"}}},
        params={"least": 3, "regions": ["eu-central-1"], "nested": {"a": None, "b": 1.5}}, enforcement="Deny",
    ),
    "a domain's policy": a_policy(namespace="sales"),
    "a waiver": a_waiver(),
    "a waiver of a domain's policy for a domain": a_waiver(
        policyRef={"kind": "DomainPolicy", "namespace": "sales", "name": "own"}, objectRef={"kind": "Domain", "name": "sales"}
    ),
    "a dotted domain with namespaces": a_domain("sales.eu", namespaces=[{"name": "sales-eu"}]),
    "a domain of 63 characters": a_domain("d" * 63),
    "a domain with everything": a_domain(
        type="aggregate", parentRef={"name": "commerce"}, stakeholders=[{"name": "Kim", "email": "kim@example.com"}],
        dataSources=[{"name": "pos"}, {"name": "web"}], dataModels=[{"name": "order"}, {"name": "order", "version": "2"}],
        team={"name": "T", "members": [{"username": "kim", "dateIn": "2026-01-01", "dateOut": "2026-01-01"}]},
        access={"owners": [{"kind": "Group", "name": "a"}, {"kind": "ServiceAccount", "name": "ci", "namespace": "sales"}]},
        resources={"limitRange": {"default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "1000m", "memory": "1G"}},
                   "quota": {"count/pods": "5", "nvidia.com/gpu": "1", "requests.cpu": "500m", "requests.memory": "1.5Gi", "pods": "1e3"},
                   "maxDataProducts": 0,
                   "networkIsolation": {"mode": "Domain", "allowFrom": [{"matchLabels": {"a": "b"}}, {}]}},
    ),
    "a domain whose team has rights": a_domain(team=a_team(("kim", "owner", "", "")), access={"fromTeam": True}),
    "a domain with a reserved name in a team without rights": a_domain(team=a_team(("system:masters", "owner", "", ""))),
    "the smallest profile": {**a_profile(), "spec": {}},
    "a profile with everything": a_profile(
        description={"purpose": "p", "limitations": "l", "usage": "u"}, stakeholders=[{"name": "Kim", "email": "kim@example.com"}],
        dataSources=[{"name": "pos", "type": "postgres"}], dataModels=[{"name": "order", "version": "2"}], processing=[{"name": "nightly"}],
        team={"name": "T", "members": [{"username": "kim", "role": "owner", "dateIn": "2026-01-01", "dateOut": "2026-01-01"}]},
        training=[{"name": "GDPR basics", "url": "https://learn.example.com/gdpr", "requiredFor": ["owner", "data steward"],
                   "validFor": "1d", "completedBy": [{"username": "kim", "date": "2028-02-29"}]}, {"name": "s3"}],
        documentation={"text": "t", "configMapRef": {"name": "a", "key": "b"}, "url": "https://x.test"},
    ),
    "a product with a team": a_product(team=a_team(("kim", "owner", "2026-01-01", "2026-01-01"))),
    "a proposed product without storage": without(without(a_product(lifecycle="proposed"), "spec", "storage"), "spec", "producer"),
    "a product with everything": a_product(
        id="urn:acme:dp:orders", version="1.4.0-rc.1+build.5", tags=["a", "b"], customProperties=[{"property": "a", "value": ""}],
        inputPorts=[{"name": "fx", "external": {"description": "ECB"}},
                    {"name": "s", "from": {"namespace": "i", "dataProduct": "s.t", "outputPort": {"name": "d", "version": "1.0.0"}}}],
        storage={"bucketName": "acme-orders", "adoptionPolicy": "IfConsented", "adoptionDelay": "2d",
                 "tags": {"cost-center": "4711", "a:b/c+d@e=f g": "x y"},
                 "lifecycleRules": [{"prefix": "tmp/", "expireAfter": "7d"}, {"abortUploadsAfter": "3d"}]},
    ),
    "ports of paths that only begin alike": a_product(outputPorts=[a_port(), a_port("next", path="daily-2/")]),
    "one port in two versions": a_product(outputPorts=[a_port(), a_port(version="2.0.0", path="v2/")]),
    "a partition in a path": a_product(outputPorts=[a_port(path="dt=2026/v1.0/")]),
    "one port in two major versions beside another": a_product(
        outputPorts=[a_port(), a_port(version="10.0.0", path="v10/"), a_port("hourly", path="hourly/")]
    ),
    "a producer's key of one minute": a_product(producer={"secretName": "orders-producer", "rotateAfter": "1m"}),
    "a key of one minute": a_product(outputPorts=[a_port(access={"rotateAfter": "0d1m", "maxDuration": "1m"})]),
    "a port that asks three people": a_product(outputPorts=[a_port(access={"approvals": 3, "answerWithin": "1m"})]),
    "an Auto port that says that it asks nobody twice": a_product(outputPorts=[a_port(access={"approval": "Auto", "approvals": 1})]),
    "a port that keeps what was given": a_product(outputPorts=[a_port(access={"keepGiven": True, "maxDuration": "10m"})]),
    "a port without cap that keeps nothing": a_product(outputPorts=[a_port(access={"keepGiven": False})]),
    "a grant of ten minutes": a_product(outputPorts=[a_port(access={"maxDuration": "10m"})]),
    "a minDuration as long as the maxDuration": a_product(outputPorts=[a_port(access={"minDuration": "1d0h60m", "maxDuration": "25h"})]),
    "durations with as many digits as they may have": a_product(
        outputPorts=[a_port(access={"minDuration": "99999d99999h99998m", "maxDuration": "99999d99999h99999m"})]
    ),
    **{f"the rule prefix {prefix}": a_rule(prefix=prefix, expireAfter="7d") for prefix in ("tmp/", ".staging", "logs.", "a/b.c-1_2=3")},
    **{f"the port path {path}": a_product(outputPorts=[a_port(path=path)]) for path in ("a/", "v1.0/d-1_2=3/", "_/")},
    **{
        f"the endpoint {url}": a_store(endpointUrl=url)
        for url in ("http://127.0.0.1:1", "https://s3.test:65535/a/b", "https://s3", "https://a-b.c-d.test:9000")
    },
    "names that only look reserved": a_product(storage={"bucketName": "acme-xn--s3alias-x"}),
    "a rule for all objects": a_rule(expireAfter="05d"),
    "a product with every text at its longest": a_product(
        type="sourceAligned", description=dict.fromkeys(("purpose", "limitations", "usage"), "p" * 4096),
        documentation={"text": "# Orders\n" + "d" * 8183, "configMapRef": {"name": "orders-docs", "key": "README.md"},
                       "url": "https://wiki.test/orders?a=b#c"},
        synonyms=[{"synonym": "Bestellungen", "locale": "de", "description": "in the old warehouse"}, {"synonym": "Sales orders"}],
        support=[{"channel": "#a", "description": "d" * 1024, "url": f"https://{'a' * 1016}"}] * 16,
        outputPorts=[a_port(version=f"{n}.0.0", path=f"v{n}/", type="tables", deprecated=n < 2, tags=["t" * 256], contractId="c" * 256,
                            sample="s" * 4096) for n in range(32)],
        externalPorts=[an_external_port(version=f"{n}.0.0", contractId="c", tags=["a"], deprecated=True, description="d" * 1024)
                       for n in range(32)],
        managementPorts=[a_management_port(name=f"p{n}", type="topic", channel="c", tags=["a"], url="http://a.test", deprecated=True)
                         for n in range(16)],
        inputPorts=[{"name": f"i{n}", "contractId": "c" * 256} for n in range(64)],
    ),
    **{f"documentation by {what} alone": a_product(documentation={what: value}) for what, value in {
        "text": "x", "configMapRef": {"name": "docs", "key": "a_b.c-d"}, "url": "http://wiki.test"}.items()},
    **{f"the support link {url}": a_product(support=a_channel(url)) for url in (
        "https://chat.test/a?b=c", "http://chat.test", "mailto:sales-data@example.com?subject=Orders", "slack://channel?team=T1&id=C1",
        "msteams://teams.test/l/channel/1")},
    "a support channel without link": a_product(support=[{"channel": "The blue room"}]),
    "a management port without link": a_product(managementPorts=[a_management_port()]),
    "a sample of public data": a_sample(classification="public"),
    "a sample of internal data": a_sample(),
    "restricted data without a sample": a_product(classification="restricted", personalData=True),
    "an external port of a port's name in another version": a_product(externalPorts=[an_external_port("daily", "2.0.0")]),
    "an input from a product, with its contract": a_product(inputPorts=[
        {"name": "s", "contractId": "c", "from": {"namespace": "i", "dataProduct": "s", "outputPort": {"name": "d", "version": "1.0.0"}}}]),
    "an input from outside, with its contract": a_product(inputPorts=[{"name": "s", "contractId": "c", "external": {"description": "x"}}]),
    **ACCEPTED_ACCESS,
}  # fmt: skip
CHANGES = {
    "forward, step by step": [a_product(lifecycle=stage) for stage in ("proposed", "draft", "active", "deprecated", "retired")],
    "from deprecated back to active": [a_product(lifecycle="deprecated"), a_product()],
    "from proposed to retired at once": [a_product(lifecycle="proposed"), a_product(lifecycle="retired")],
    "storage comes when the product is made": [ACCEPTED["a proposed product without storage"], a_product()],
    "deletion policy, tags and ports": [a_product(), a_product(storage={"deletionPolicy": "Delete", "tags": {"a": "b"}}, outputPorts=[])],
    "namespaces after the home": [a_domain(), a_domain(namespaces=[{"name": "sales"}, {"name": "eu"}]), a_domain()],
    "a sample goes when the data becomes restricted": [a_sample(), a_product(classification="restricted")],
    "a port is deprecated, and is not any more": [a_product(), a_product(outputPorts=[a_port(deprecated=True)]), a_product()],
    "a store's endpoint": [a_store(), a_store(endpointUrl="https://other.test")],
    **CHANGES_ACCESS,
}
