"""The ceiling: the calls that one product costs, to the same store and API server, by plain clients without an operator between."""

import contextlib
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.plan import policies
from clouddatamesh.storage.policy import build_document
from hack.tools.store import Store
from tests.bench.api import MERGE, PRODUCTS, THREADS, Raw
from tests.support.manifests import a_product

APPLY = "application/apply-patch+yaml"
FINALIZER = "clouddatamesh.dev/replay"
INBOXES = PRODUCTS.replace("dataproducts", "accessinboxes")
TAGS = [{"Key": f"clouddatamesh.dev/{key}", "Value": "x" * 36} for key in ("mesh", "namespace", "name", "uid")]
_BLOCK = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
_WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    b.BLOCK_PUBLIC_ACCESS: ("put_public_access_block", {"PublicAccessBlockConfiguration": _BLOCK}),
    b.OBJECT_OWNERSHIP: (
        "put_bucket_ownership_controls",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    ),
    b.ENCRYPTION: (
        "put_bucket_encryption",
        {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}},
    ),
    b.VERSIONING: ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
    b.LIFECYCLE: (
        "put_bucket_lifecycle_configuration",
        {"LifecycleConfiguration": {"Rules": [{"ID": "w", "Status": "Disabled", "Filter": {"Prefix": "w/"}, "Expiration": {"Days": 1}}]}},
    ),
}
_READS = {
    b.BLOCK_PUBLIC_ACCESS: "get_public_access_block",
    b.OBJECT_OWNERSHIP: "get_bucket_ownership_controls",
    b.ENCRYPTION: "get_bucket_encryption",
    b.VERSIONING: "get_bucket_versioning",
    b.LIFECYCLE: "get_bucket_lifecycle_configuration",
}


class Replay:
    """Makes a product's bucket, principal, key, Secret and statuses by hand, in the operator's order. The operator must be off."""

    def __init__(self, raw: Raw, store: Store, supported: frozenset[str]) -> None:
        self._raw, self._supported = raw, supported
        self._s3, self._iam = (client(store, service) for service in ("s3", "iam"))

    def make(self, name: str) -> None:
        """Every call of one product, beginning with the user's own."""
        made = self._raw.send("POST", PRODUCTS, a_product(name))
        with absent():
            self._s3.get_bucket_tagging(Bucket=f"acme-{name}")
        with absent():
            self._iam.get_user(UserName=f"acme-{name}")
        self._apply(name, "", {"metadata": {"finalizers": [FINALIZER]}})
        self._apply(name, "/status", {"status": {"storage": {"bucket": f"acme-{name}", "phase": "Creating"}}})
        self._make_bucket(f"acme-{name}")
        self._make_inbox(name)
        self._make_secret(name, self._make_user(f"acme-{name}"), made["metadata"]["uid"])
        self._read_back(f"acme-{name}")
        self._apply(name, "/status", {"status": _READY})
        self._tell(name)

    def forget(self, name: str) -> None:
        """Take the product away again, not its bucket; untimed."""
        self._raw.send("PATCH", f"{PRODUCTS}/{name}", {"metadata": {"finalizers": None}}, content=MERGE)
        self._raw.send("DELETE", f"{PRODUCTS}/{name}")
        self._raw.send("DELETE", f"{INBOXES}/{name}")

    def _apply(self, name: str, part: str, body: dict[str, Any]) -> None:
        identity = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "DataProduct"}
        metadata = {"name": name, **body.get("metadata", {})}
        place = f"{PRODUCTS}/{name}{part}?fieldManager=replay{part.strip('/')}&force=true"
        self._raw.send("PATCH", place, {**body, **identity, "metadata": metadata}, content=APPLY)

    def _make_bucket(self, bucket: str) -> None:
        self._s3.create_bucket(Bucket=bucket)
        with absent():
            self._s3.get_bucket_tagging(Bucket=bucket)
        self._s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
        self._s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1000)
        self._s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TAGS})
        for setting, (operation, arguments) in _WRITES.items():
            if setting in self._supported:
                getattr(self._s3, operation)(Bucket=bucket, **arguments)

    def _make_user(self, name: str) -> dict[str, str]:
        self._iam.create_user(UserName=name, Path="/clouddatamesh/replay/", Tags=TAGS)
        self._iam.put_user_policy(UserName=name, PolicyName=b.PREFIX, PolicyDocument=build_document(policies.producer(name)))
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return {"access-key-id": key["AccessKeyId"], "secret-access-key": key["SecretAccessKey"]}

    def _make_secret(self, name: str, data: dict[str, str], uid: str) -> None:
        owner = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "DataProduct", "name": name, "uid": uid}
        metadata = {"name": f"{name}-producer", "namespace": "sales", "ownerReferences": [owner]}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {**data, "bucket": f"acme-{name}"}}
        self._raw.send("POST", "/api/v1/namespaces/sales/secrets", secret)

    def _make_inbox(self, name: str) -> None:
        inbox = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "AccessInbox", "metadata": {"name": name, "namespace": "sales"}}
        self._raw.send("POST", INBOXES, inbox)
        place = f"{INBOXES}/{name}/status?fieldManager=replaystatus&force=true"
        self._raw.send("PATCH", place, {**inbox, "status": {"observedGeneration": 1}}, content=APPLY)

    def _tell(self, name: str) -> None:
        about = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "DataProduct", "namespace": "sales", "name": name}
        event = {
            "metadata": {"generateName": f"{name}.", "namespace": "sales"},
            "involvedObject": about,
            "reason": "Given",
            "type": "Normal",
        }
        self._raw.send("POST", "/api/v1/namespaces/sales/events", event)

    def _read_back(self, name: str) -> None:
        self._s3.get_bucket_tagging(Bucket=name)
        for setting, operation in _READS.items():
            if setting in self._supported:
                with absent():
                    getattr(self._s3, operation)(Bucket=name)
        self._iam.get_user(UserName=name)
        self._iam.list_user_policies(UserName=name)
        self._iam.list_access_keys(UserName=name)
        self._iam.list_attached_user_policies(UserName=name)
        self._iam.list_groups_for_user(UserName=name)
        self._iam.get_user_policy(UserName=name, PolicyName=b.PREFIX)


_READY: dict[str, Any] = json.loads(
    '{"conditions": [{"type": "Ready", "status": "True", "reason": "Replayed", "message": "", '
    '"lastTransitionTime": "2026-01-01T00:00:00Z"}], "observedGeneration": 1}'
)


def client(store: Store, service: str) -> Any:
    """As the operator has it: enough connections for every thread, no checksums that nobody asked for."""
    config = Config(
        max_pool_connections=THREADS * 2,
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    keys = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
    return boto3.client(service, endpoint_url=store.endpoint, region_name=store.region, config=config, **keys)


def absent() -> contextlib.AbstractContextManager[None]:
    """Around a read of what is not there: the answer is an error by its nature."""
    return contextlib.suppress(ClientError)
