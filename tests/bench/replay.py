"""The ceiling: the calls that one product costs, to the same store and API server, by plain clients without an operator between."""

import base64
import json
from collections.abc import Callable
from typing import Any

from clouddatamesh.plan import policies
from clouddatamesh.storage.policy import build_document
from hack.tools.store import Store
from tests.bench.api import PRODUCTS, Raw
from tests.support.manifests import a_product

APPLY = "application/apply-patch+yaml"
_TAGS = {"TagSet": [{"Key": f"clouddatamesh.dev/{key}", "Value": "x"} for key in ("mesh", "namespace", "name", "uid")]}
_BLOCK = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


class Replay:
    """Makes a product's bucket, principal, key, Secret and statuses by hand, in the operator's order, reading back as it does."""

    def __init__(self, raw: Raw, store: Store, supported: frozenset[str]) -> None:
        self._raw, self._supported = raw, supported
        self._s3, self._iam = store.client("s3"), store.client("iam")

    def make(self, name: str) -> None:
        """Every call of one product, after its manifest was created (paused, so that the operator leaves it alone)."""
        self._raw.send("POST", PRODUCTS, a_product(name, suspend=True))
        self.calls(name)

    def clean(self, names: list[str]) -> None:
        """Take the manifests away again: their statuses are not the operator's."""
        for name in names:
            self._raw.send("DELETE", f"{PRODUCTS}/{name}")
            self._raw.send("PATCH", f"{PRODUCTS}/{name}", {"metadata": {"finalizers": None}}, content="application/merge-patch+json")

    def calls(self, name: str) -> None:
        """The calls alone."""
        bucket, user = f"replay-{name}", f"replay-{name}"
        _absent(lambda: self._s3.get_bucket_tagging(Bucket=bucket))
        _absent(lambda: self._iam.get_user(UserName=user))
        self._apply(name, "", {"metadata": {"finalizers": ["clouddatamesh.dev/replay"]}})
        self._apply(name, "/status", {"status": {"plan": ["creating"]}})
        self._make_bucket(bucket)
        key = self._make_user(user, bucket)
        secret = {name: base64.b64encode(value.encode()).decode() for name, value in key.items()}
        metadata = {"name": f"replay-{name}", "namespace": "sales"}
        self._raw.send(
            "POST", "/api/v1/namespaces/sales/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": secret}
        )
        self._read_back(bucket, user)
        self._apply(name, "/status", {"status": {"plan": ["made"]}})

    def _apply(self, name: str, part: str, body: dict[str, Any]) -> None:
        identity = {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "DataProduct"}
        metadata = {"name": name, **body.pop("metadata", {})}
        manager = f"?fieldManager=replay{part.strip('/')}&force=true"
        self._raw.send("PATCH", f"{PRODUCTS}/{name}{part}{manager}", {**identity, "metadata": metadata, **body}, content=APPLY)

    def _make_bucket(self, bucket: str) -> None:
        s3, on = self._s3, self._supported
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging=_TAGS)
        if "BlockPublicAccess" in on:
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_BLOCK)
        if "ObjectOwnership" in on:
            s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        if "Encryption" in on:
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        if "Versioning" in on:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def _make_user(self, user: str, bucket: str) -> dict[str, str]:
        self._iam.create_user(UserName=user, Path="/clouddatamesh/replay/")
        document = build_document(policies.producer(bucket))
        self._iam.put_user_policy(UserName=user, PolicyName="clouddatamesh", PolicyDocument=document)
        key = self._iam.create_access_key(UserName=user)["AccessKey"]
        return {"access-key-id": key["AccessKeyId"], "secret-access-key": key["SecretAccessKey"]}

    def _read_back(self, bucket: str, user: str) -> None:
        s3, on = self._s3, self._supported
        s3.get_bucket_tagging(Bucket=bucket)
        readers: dict[str, Callable[..., object]] = {
            "BlockPublicAccess": s3.get_public_access_block,
            "ObjectOwnership": s3.get_bucket_ownership_controls,
            "Encryption": s3.get_bucket_encryption,
            "Versioning": s3.get_bucket_versioning,
        }
        for name, read in readers.items():
            if name in on:
                read(Bucket=bucket)
        if "Lifecycle" in on:
            _absent(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket))
        self._iam.get_user(UserName=user)
        self._iam.list_user_policies(UserName=user)
        self._iam.get_user_policy(UserName=user, PolicyName="clouddatamesh")
        self._iam.list_access_keys(UserName=user)


def _absent(read: Callable[[], object]) -> None:
    """A read of what is not there."""
    try:
        read()
    except Exception as error:  # the store's answer is an error by its nature
        json.dumps(str(error))


__all__ = ["Replay"]
