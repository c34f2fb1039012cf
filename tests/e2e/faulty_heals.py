"""What nobody watches stands in the way of a product or a request, and is then removed: nobody tells the operator that it was."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.faulty import GROUP, MESH, Faulty, Manifest, deal_on, product_on, store_at
from tests.support.fault_proxy import Rule
from tests.support.manifests import a_domain, annotated
from tests.support.rgw_admin import limit_buckets

SMALL_ACCOUNT, SMALL_KEY = 3, "small-s3"
FOREIGN_BUCKET = "f-main-foreign"
_POLICY = {"apiVersion": "admissionregistration.k8s.io/v1"}


@dataclass(frozen=True)
class Obstacle:
    """A manifest that is Stalled as soon as it is applied; `removes` is all that anybody does about it."""

    name: str
    manifest: Manifest
    removes: Callable[[Faulty], None]
    puts: Callable[[Faulty], None] = lambda _: None

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"]).lower()

    @property
    def namespace(self) -> str:
        return str(self.manifest["metadata"]["namespace"])


def foreign_secret(name: str, namespace: str) -> Callable[[Faulty], None]:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": {"theirs": "x"}}
    return lambda mesh: mesh.installed.apply(secret)


def delete(kind: str, *names: str, namespace: str = "") -> Callable[[Faulty], None]:
    place = ("-n", namespace) if namespace else ()
    return lambda mesh: _kubectl(mesh, "delete", kind, *names, *place)


def _kubectl(mesh: Faulty, *args: str) -> None:
    mesh.installed.cluster.kubectl(*args)


def foreign_bucket(mesh: Faulty) -> None:
    mesh.s3.create_bucket(Bucket=FOREIGN_BUCKET)
    mesh.put(FOREIGN_BUCKET, "daily/theirs")


def consent(mesh: Faulty) -> None:
    mesh.put_tags(FOREIGN_BUCKET, {f"{GROUP}/adopt-by": f"{MESH}/sales/foreign"})


def full_quota(mesh: Faulty) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-secrets", "namespace": "narrow"}}
    mesh.installed.apply(a_domain("narrow"))
    mesh.installed.wait("domain", "narrow")
    mesh.installed.apply({**quota, "spec": {"hard": {"secrets": "0"}}})
    counted = lambda: mesh.installed.get("resourcequota", "no-secrets", "narrow").get("status", {}).get("used")  # noqa: E731
    mesh.installed.until(counted, what="the quota counts")


def refuse_secret(mesh: Faulty) -> None:
    """An admission policy that lets nobody make a certain Secret."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"]}
    spec: dict[str, Any] = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.metadata.name != 'refused-producer'", "message": "not on a Wednesday"}],
    }
    binding = {"policyName": "wednesdays", "validationActions": ["Deny"]}
    mesh.installed.apply(
        {**_POLICY, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "wednesdays"}, "spec": spec},
        {**_POLICY, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "wednesdays"}, "spec": binding},
    )
    mesh.installed.until(lambda: _is_refused(mesh), what="the policy is in force")


def _is_refused(mesh: Faulty) -> bool:
    metadata = {"name": "refused-producer", "namespace": "default"}
    return "not on a Wednesday" in mesh.installed.refusal({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})


def fill_account(mesh: Faulty) -> None:
    limit_buckets(mesh.store, SMALL_ACCOUNT, 1)


def raise_limit(mesh: Faulty) -> None:
    limit_buckets(mesh.store, SMALL_ACCOUNT, 100)


def refuse_call(name: str, rule: Rule) -> tuple[Callable[[Faulty], None], Callable[[Faulty], None]]:
    """The proxy refuses one call, until it does not."""
    return lambda mesh: mesh.kept.update({name: mesh.proxy.add(rule)}), lambda mesh: mesh.proxy.lift(mesh.kept[name])


_FEW_BUCKETS = refuse_call("capped", Rule("CreateBucket", "f-main-capped", refuses=(400, "TooManyBuckets")))
_FEW_USERS = refuse_call("crowded", Rule("CreateUser", user="sales-crowded-*", refuses=(409, "LimitExceeded")))
_STORE_SAYS_NO = refuse_call("forbidding", Rule("CreateBucket", "f-main-forbidding", refuses=(403, "AccessDenied")))

OBSTACLES = (
    Obstacle("a foreign bucket, then tagged with consent",
             annotated(product_on("foreign", storage={"bucketName": FOREIGN_BUCKET, "adoptionPolicy": "IfConsented"}),
                       apply_plan=FOREIGN_BUCKET),
             consent, foreign_bucket),
    Obstacle("a foreign Secret, then removed", product_on("careful"),
             delete("secret", "careful-producer", namespace="sales"), foreign_secret("careful-producer", "sales")),
    Obstacle("a request's Secret that is somebody's, then removed", deal_on("polite", "open").request,
             delete("secret", "polite", namespace="inventory"), foreign_secret("polite", "inventory")),
    Obstacle("a quota, then lifted", product_on("measured", namespace="narrow"),
             delete("resourcequota", "no-secrets", namespace="narrow"), full_quota),
    Obstacle("an account that may have no more buckets, then may", product_on("bounded", "small"), raise_limit, fill_account),
    Obstacle("a store that takes no more buckets, then does", product_on("capped", storage={"bucketName": "f-main-capped"}),
             _FEW_BUCKETS[1], _FEW_BUCKETS[0]),
    Obstacle("a store that takes no more users, then does", product_on("crowded"), _FEW_USERS[1], _FEW_USERS[0]),
    Obstacle("a role that may not make buckets, then may", product_on("forbidding", storage={"bucketName": "f-main-forbidding"}),
             _STORE_SAYS_NO[1], _STORE_SAYS_NO[0]),
    Obstacle("an admission policy, then removed", product_on("refused"),
             delete("validatingadmissionpolicybinding,validatingadmissionpolicy", "wednesdays"), refuse_secret),
)  # fmt: skip
SMALL_STORE = "small"


def small_store(mesh: Faulty) -> Manifest:
    """In an account of its own, whose limits can be changed."""
    return store_at(SMALL_STORE, mesh.store.endpoint, mesh.store.region, credentialsSecretRef={"name": SMALL_KEY})
