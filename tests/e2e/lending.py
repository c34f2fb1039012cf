"""Buckets that others made and lend to a mesh, and the words in which tests of their adoption are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config

from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.support.aws_manners import AwsManners
from tests.support.manifests import a_product, a_store, annotated

GROUP: Final = "clouddatamesh.dev"
DESTROY: Final = {"deletionPolicy": "Delete", "forceDestroy": True}
SOON: Final = 30.0


@dataclass(frozen=True)
class Lent(Actors):
    """Actors, one of the stores in which buckets of others are, and the name of its ObjectStore."""

    name: str = "lending"
    home: Store | None = None
    manners: AwsManners | None = None
    ca: str = ""
    """File with the certificate of the home, where that is https."""

    @property
    def s3(self) -> Any:
        home = self.home or self.store
        if not self.ca:
            return home.client("s3")
        keys = {"aws_access_key_id": home.access_key, "aws_secret_access_key": home.secret_key}
        style = Config(s3={"addressing_style": "path"})
        return boto3.client("s3", endpoint_url=home.endpoint, region_name=home.region, verify=self.ca, config=style, **keys)

    def lend(self, bucket: str, *, product: str = "", consent: str = "", tags: Mapping[str, str] | None = None) -> None:
        """Somebody's bucket with three objects, which consents to a product of that name (or the bucket's)."""
        self.s3.create_bucket(Bucket=bucket)
        self.put(bucket, "daily/a", "daily/b", "theirs/c")
        word = consent or f"{self.installed.mesh}/sales/{product or bucket}"
        self.tag(bucket, {f"{GROUP}/adopt-by": word, "theirs": "kept", **(tags or {})})

    def tag(self, bucket: str, tags: Mapping[str, str]) -> None:
        self.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})

    def wish(self, bucket: str, *, apply: bool = False, **storage: Any) -> dict[str, Any]:
        wanted = {"storeRef": {"name": self.name}, "bucketName": bucket, "adoptionPolicy": "IfConsented", **storage}
        product = a_product(bucket, storage=wanted)
        return annotated(product, apply_plan=bucket) if apply else product

    def adopt(self, bucket: str, **storage: Any) -> dict[str, Any]:
        """A product that adopts the bucket at once; the product, Ready."""
        self.installed.apply(self.wish(bucket, apply=True, **storage))
        self.installed.wait("dataproduct", bucket, "sales", seconds=SOON)
        return self.product(bucket)

    def planned(self, bucket: str, **storage: Any) -> list[str]:
        """The plan for a bucket, once it is there."""
        self.installed.apply(self.wish(bucket, **storage))
        self.ends(bucket, reason="AdoptionPlanned")
        return list(self.product(bucket)["status"]["plan"])

    def say_yes(self, bucket: str) -> None:
        self.installed.cluster.kubectl("annotate", "dataproduct", bucket, "-n", "sales", f"{GROUP}/apply-plan={bucket}")
        self.installed.wait("dataproduct", bucket, "sales", seconds=SOON)

    def keys(self, bucket: str) -> list[str]:
        return sorted(item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ()))

    def settings(self, bucket: str) -> dict[str, Any]:
        """Everything that an adoption could change, as the store answers it."""
        asked = {
            "tags": (self.s3.get_bucket_tagging, "TagSet"),
            "versioning": (self.s3.get_bucket_versioning, "Status"),
            "policy": (self.s3.get_bucket_policy, "Policy"),
            "block": (self.s3.get_public_access_block, "PublicAccessBlockConfiguration"),
            "rules": (self.s3.get_bucket_lifecycle_configuration, "Rules"),
            "grants": (self.s3.get_bucket_acl, "Grants"),
        }
        found = {}
        for what, (ask, part) in asked.items():
            try:
                found[what] = ask(Bucket=bucket).get(part)
            except self.s3.exceptions.ClientError as error:
                found[what] = error.response["Error"]["Code"]
        return found


def store_at(name: str, endpoint: str, region: str, **spec: Any) -> dict[str, Any]:
    """An ObjectStore whose prefix is its name."""
    return a_store(name, endpointUrl=endpoint, region=region, bucketPrefix=name, **spec)
