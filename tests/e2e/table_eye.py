"""How the world looks from outside: objects as kubectl shows them, buckets and users by boto3, and what a key can really do."""

import json
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from hack.tools.store import Store
from tests.support.reading import Reader

Manifest = dict[str, Any]
GROUP = "clouddatamesh.dev"
KINDS = (
    "objectstores,domains,dataproducts,accessrequests,accessgrants,accessinboxes,"
    "secrets,namespaces,resourcequotas,limitranges,networkpolicies,rolebindings"
)
WORDS_OF_PEOPLE = ("adopt-by", "transfer-to", "released")
"""Tags under our group that people set; the operator takes off what it acted upon."""
SEED, PRIVATE, NEIGHBOUR = "daily/seed", "private/seed", "table-neighbour"
"""An object in the port, one outside of it, and a bucket that is nobody's of the mesh."""
QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2"


@dataclass
class Eye:
    """One look at the whole cluster at a time."""

    reader: Reader
    _seen: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)

    def look(self) -> "Eye":
        self._seen = {_key(one): one for one in self.reader.all(KINDS)}
        return self

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest:
        """As it was at the last look; empty where it was not there."""
        return self._seen.get((kind.lower(), namespace, name), {})

    def secret(self, name: str, namespace: str) -> dict[str, str]:
        data = self.get("secret", name, namespace).get("data") or {}
        return {key: b64decode(value).decode() for key, value in data.items()}

    def condition(self, kind: str, name: str, namespace: str = "", type_: str = "Ready") -> Manifest:
        conditions = self.get(kind, name, namespace).get("status", {}).get("conditions", ())
        return next((dict(found) for found in conditions if found["type"] == type_), {})


def _key(one: Manifest) -> tuple[str, str, str]:
    return str(one["kind"]).lower(), str(one["metadata"].get("namespace", "")), str(one["metadata"]["name"])


_MAKING = threading.Lock()


def client(store: Store, service: str) -> Any:
    """The store's administrator; made once."""
    with _MAKING:
        return _administrator(store, service)


@cache
def _administrator(store: Store, service: str) -> Any:
    return store.client(service)


def code_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def ask(call: Callable[[], Any]) -> dict[str, Any]:
    """An answer; empty where there is no such thing, or the store does not know the question."""
    try:
        return dict(call())
    except ClientError as error:
        if code_of(error) in (404, 405, 501):
            return {}
        raise


# Buckets


@dataclass(frozen=True)
class Picture:
    """What is ours of an object, which must come back, and what is others', which must stay."""

    ours: Any = None
    others: Any = None


def picture_bucket(store: Store, bucket: str) -> Picture:
    s3 = client(store, "s3")
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        return Picture("not to be seen")
    read: Callable[[str], dict[str, Any]] = lambda name: ask(lambda: getattr(s3, name)(Bucket=bucket))  # noqa: E731
    tags = {tag["Key"]: tag["Value"] for tag in read("get_bucket_tagging").get("TagSet", ())}
    rules = [_plain(rule) for rule in read("get_bucket_lifecycle_configuration").get("Rules", ())]
    text = read("get_bucket_policy").get("Policy")
    policy = json.loads(text) if text else {}
    block = read("get_public_access_block").get("PublicAccessBlockConfiguration", {})
    controls = read("get_bucket_ownership_controls").get("OwnershipControls", {}).get("Rules", [])
    encryption = read("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    default = encryption[0].get("ApplyServerSideEncryptionByDefault", {}) if encryption else {}
    kept = [found for found in policy.get("Statement", ()) if not str(found.get("Sid", "")).startswith("clouddatamesh")]
    own_tags = {key for key in tags if _is_mark(key)} | ({"cost-center"} & set(tags))
    own_or_used = own_tags | {f"{GROUP}/{word}" for word in WORDS_OF_PEOPLE}
    return Picture(
        {
            "tags": {key: tags[key] for key in sorted(own_tags)},
            "rules": sorted((rule for rule in rules if rule["ID"].startswith("clouddatamesh")), key=str),
            "statements": sorted((found for found in policy.get("Statement", ()) if found not in kept), key=str),
            "public access": sorted(key for key, value in block.items() if value),
            "versioning": read("get_bucket_versioning").get("Status"),
            "encrypted": bool(default),
        },
        {
            "tags": {key: tags[key] for key in sorted(set(tags) - own_or_used)},
            "rules": sorted((rule for rule in rules if not rule["ID"].startswith("clouddatamesh")), key=str),
            "statements": sorted(kept, key=str),
            "key": default.get("KMSMasterKeyID"),
            "ownership": controls,
            "cors": read("get_bucket_cors").get("CORSRules"),
            "website": read("get_bucket_website").get("IndexDocument"),
            "grants": len(read("get_bucket_acl").get("Grants", ())),
        },
    )


def _is_mark(key: str) -> bool:
    return key.startswith(f"{GROUP}/") and key.removeprefix(f"{GROUP}/") not in WORDS_OF_PEOPLE


def _plain(rule: Mapping[str, Any]) -> Manifest:
    """A rule without a prefix comes back in two ways."""
    prefix = rule.get("Prefix") or rule.get("Filter", {}).get("Prefix") or ""
    kept = ("ID", "Status", "Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    return {**{key: rule[key] for key in kept if key in rule}, "Prefix": prefix}


def contents(store: Store, bucket: str) -> dict[str, int]:
    """How many versions there are of each object."""
    found: dict[str, int] = {}
    try:
        for version in client(store, "s3").list_object_versions(Bucket=bucket).get("Versions", ()):
            found[version["Key"]] = found.get(version["Key"], 0) + 1
    except ClientError as error:
        if code_of(error) not in (403, 404):
            raise
    return found


# Users


def picture_user(store: Store, name: str) -> Picture:
    """All rights that a user has, but for what goes while it is read. One that AWS puts into quarantine stays there."""
    iam = client(store, "iam")
    found = ask(lambda: iam.get_user(UserName=name))
    if not found:
        return Picture("gone")
    names = ask(lambda: iam.list_user_policies(UserName=name)).get("PolicyNames", ())
    inline = {policy: document for policy in names if (document := _document(iam, name, policy)) is not None}
    attached = [policy["PolicyArn"] for policy in ask(lambda: iam.list_attached_user_policies(UserName=name)).get("AttachedPolicies", ())]
    groups = [group["GroupName"] for group in ask(lambda: iam.list_groups_for_user(UserName=name)).get("Groups", ())]
    quarantined = [arn for arn in attached if arn == QUARANTINE]
    ours = {"path": found["User"].get("Path"), "inline": inline, "attached": sorted(set(attached) - set(quarantined)), "groups": groups}
    return Picture(ours, {"quarantine": quarantined})


def _document(iam: Any, user: str, policy: str) -> Any:
    raw = ask(lambda: iam.get_user_policy(UserName=user, PolicyName=policy)).get("PolicyDocument")
    if raw is None:
        return None
    found = raw if isinstance(raw, dict) else json.loads(unquote(raw))
    return sorted(found["Statement"], key=str)


def is_alive(store: Store, user: str, key_id: str) -> bool:
    """Whether the store still has a user with a policy and this very key, and takes the key."""
    iam = client(store, "iam")
    try:
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        policies = iam.list_user_policies(UserName=user)["PolicyNames"]
    except ClientError as error:
        if code_of(error) != 404:
            raise
        return False
    return bool(policies) and (key_id, "Active") in [(key["AccessKeyId"], key["Status"]) for key in keys]


# Keys


@dataclass(frozen=True)
class Grip:
    """A key as somebody keeps it, also when its Secret is gone."""

    store: Store
    bucket: str
    id: str
    secret: str = field(repr=False)

    def client(self) -> Any:
        """Of S3. One at a time is made, as boto3 wants it."""
        with _MAKING:
            return _client_of(self)

    def reads(self) -> bool:
        """Whether it is let in. That the object is not there is told only to those who are."""
        try:
            self.client().get_object(Bucket=self.bucket, Key=SEED)
        except ClientError as error:
            if code_of(error) not in (403, 404):
                raise
            return str(error.response["Error"].get("Code")) == "NoSuchKey"
        return True


@cache
def _client_of(grip: Grip) -> Any:
    return grip.store.client("s3", access_key=grip.id, secret_key=grip.secret)


def is_allowed(call: Callable[[], object]) -> bool:
    """Whether the store does it. A bucket that is not there allows nothing; what else goes wrong is raised."""
    try:
        call()
    except ClientError as error:
        if code_of(error) not in (403, 404):
            raise
        return False
    return True


def trespasses(grip: Grip, *, consumes: bool) -> list[str]:
    """What a key does beyond its grant: a consumer reads its port and nothing else, a producer uses its own bucket's objects."""
    s3 = grip.client()
    own, other = {"Bucket": grip.bucket}, {"Bucket": NEIGHBOUR}
    tries: dict[str, Callable[[], object]] = {
        "reads another bucket": lambda: s3.get_object(**other, Key=SEED),
        "writes another bucket": lambda: s3.put_object(**other, Key="daily/mine", Body=b"x"),
        "changes the bucket's settings": lambda: s3.put_bucket_versioning(**own, VersioningConfiguration={"Status": "Suspended"}),
    }
    if consumes:
        tries |= {
            "reads outside its port": lambda: s3.get_object(**own, Key=PRIVATE),
            "writes into its port": lambda: s3.put_object(**own, Key="daily/mine", Body=b"x"),
        }
    return [what for what, act in tries.items() if is_allowed(act)]


# Objects of the cluster


def value_at(manifest: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        manifest = (manifest or {}).get(step)
    return manifest


def picture_secret(found: Manifest) -> Picture:
    """Our fields but for the key itself, and the mark."""
    if not found:
        return Picture("gone")
    data = {key: value for key, value in found.get("data", {}).items() if not re.search(r"access-key|theirs", key)}
    present = sorted(key for key in found.get("data", {}) if "access-key" in key)
    owner = (found["metadata"].get("annotations") or {}).get(f"{GROUP}/owner")
    return Picture({"data": data, "key": present, "owner": owner, "type": found.get("type")})


def picture_child(found: Manifest) -> Picture:
    if not found:
        return Picture("gone")
    metadata = found["metadata"]
    own = {key: value for key, value in (metadata.get("labels") or {}).items() if key.startswith((GROUP, "app.kubernetes.io/managed-by"))}
    owner = (metadata.get("annotations") or {}).get(f"{GROUP}/owner")
    return Picture({"labels": own, "owner": owner, **{part: found[part] for part in ("spec", "subjects", "roleRef") if part in found}})


def picture_object(found: Manifest) -> Picture:
    """One of the mesh's own kinds: its spec is the user's, finalizer and records are the operator's."""
    if not found:
        return Picture("gone")
    status, metadata = found.get("status", {}), found["metadata"]
    held = f"{GROUP}/finalizer" in metadata.get("finalizers", ())
    facts = {name: status.get(name) for name in ("principal", "namespaces", "bucket", "marker", "storeId", "binding")}
    facts["producer"] = (status.get("producer") or {}).get("principal")
    return Picture({"held": held, "facts": facts, "bucket": (status.get("storage") or {}).get("bucket")}, {"spec": found.get("spec")})
