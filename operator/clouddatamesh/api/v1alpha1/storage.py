"""The storage of a DataProduct: its bucket, and what may become of it."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import BucketName, Duration, ObjectPrefix, ObjectReference, TagKey, TagValue, Timestamp, is_some_time

_AGES: Final = ("expireAfter", "expireNoncurrentAfter", "abortUploadsAfter")


class LifecycleRule(Model):
    """What happens to objects with age. S3 counts whole days."""

    prefix: ObjectPrefix = Field(default="", description="Objects whose key begins so; empty: all. Example: tmp/.")
    expire_after: Duration | None = Field(default=None, description="Age at which objects expire. Example: 7d.")
    expire_noncurrent_after: Duration | None = Field(default=None, description="Age at which old versions are removed. Example: 30d.")
    abort_uploads_after: Duration | None = Field(default=None, description="Age at which unfinished uploads are dropped. Example: 3d.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.expireAfter) || has(self.expireNoncurrentAfter) || has(self.abortUploadsAfter)",
            "A lifecycle rule needs expireAfter, expireNoncurrentAfter or abortUploadsAfter; add one or remove the rule",
        ),
        Rule(
            " && ".join(f"(!has(self.{field}) || self.{field}.matches('^0*[1-9][0-9]*d$'))" for field in _AGES),
            "S3 counts the age of objects in whole days; write a number of days, such as 7d, in each duration of a lifecycle rule",
        ),
    )


class Storage(Model):
    """Where a product's data lies."""

    store_ref: ObjectReference = Field(description="ObjectStore in which the bucket is; immutable.")
    bucket_name: BucketName | None = Field(
        default=None, description="Name of the bucket; immutable; absent: a generated one. Example: acme-orders."
    )
    adoption_policy: Literal["Never", "IfOwned", "IfConsented"] = Field(
        default="IfOwned",
        description="Which existing bucket may be taken over: none, this product's own, one with a consent tag. Example: IfOwned.",
    )
    adoption_delay: Duration | None = Field(
        default=None,
        description="Adopt a consenting bucket without the apply-plan annotation, this long after its present plan was first shown."
        " Example: 2d.",
    )
    deletion_policy: Literal["Retain", "Delete"] = Field(
        default="Retain",
        description="What becomes of the bucket when the product is deleted; an adopted bucket is kept unless its consent allows deletion."
        " Example: Retain.",
    )
    force_destroy: bool = Field(default=False, description="Whether Delete may empty the bucket first. Example: false.")
    versioning: Literal["Enabled", "Suspended"] = Field(default="Enabled", description="Whether old versions are kept. Example: Enabled.")
    lifecycle_rules: tuple[LifecycleRule, ...] = Field(
        default=(),
        max_length=32,
        description="What happens to objects with age; one rule per prefix.",
        json_schema_extra={"x-list-map-keys": ["prefix"]},
    )
    tags: dict[TagKey, TagValue] = Field(
        default={}, max_length=32, description='Further tags of the bucket. Example: {cost-center: "4711"}.'
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("self.storeRef == oldSelf.storeRef", "spec.storage.storeRef is immutable; make another product and move the data"),
        Rule(
            "has(self.bucketName) == has(oldSelf.bucketName) && (!has(self.bucketName) || self.bucketName == oldSelf.bucketName)",
            "spec.storage.bucketName is immutable; make another product and move the data",
        ),
        Rule(
            "!has(self.bucketName) || !self.bucketName.matches('^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$')",
            "spec.storage.bucketName begins or ends as S3 reserves it for itself; choose another name",
        ),
        Rule(
            "!has(self.adoptionDelay) || self.adoptionPolicy == 'IfConsented'",
            "spec.storage.adoptionDelay has an effect with adoptionPolicy IfConsented only; set that or remove adoptionDelay",
        ),
        Rule(
            is_some_time("adoptionDelay"),
            "spec.storage.adoptionDelay stands for no time at all; write at least 1m, or remove it",
        ),
        Rule(
            "!has(self.tags) || self.tags.all(key, !key.startsWith('clouddatamesh.dev/') && !key.lowerAscii().startsWith('aws:'))",
            "Tag keys under clouddatamesh.dev/ and aws: are reserved; choose another key in spec.storage.tags",
        ),
        Rule(
            "!has(self.tags) || self.tags.all(key, key.matches('^[A-Za-z0-9 _.:/=+@-]+$'))",
            "A key of spec.storage.tags has characters that S3 refuses; write letters, digits, spaces and _.:/=+-@",
        ),
    )


class StorageStatus(Model):
    """The bucket as it was found."""

    bucket: str = Field(max_length=63, description="Name of the bucket. Example: acme-orders-abcdefghijklmnop.")
    region: str = Field(default="", max_length=63, description="Its region. Example: eu-central-1.")
    region_from: Literal["Store", "Bucket"] | None = Field(
        default=None,
        description="Where the region is known from: the ObjectStore's spec, or the bucket itself, as the store tells it. Example: Bucket.",
    )
    endpoint: str = Field(default="", max_length=512, description="Endpoint of its store; empty: AWS. Example: https://s3.example.com.")
    store_id: str | None = Field(
        default=None, max_length=64, description="Which store it is in. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1."
    )
    phase: Literal["Creating", "Owned", "Adopted"] = Field(description="How it came to be this product's. Example: Owned.")
    ownership_verified: bool = Field(default=False, description="Whether its tags were read and are this product's. Example: true.")
    deletion: Literal["Retain", "Delete", "Destroy"] | None = Field(
        default=None,
        description="What would become of the bucket when the living product was last read: deletionPolicy and forceDestroy, or Retain for"
        " an adopted bucket; a deletion follows the stricter of this and spec. Example: Retain.",
    )
    last_handled_recreate: str | None = Field(
        default=None, max_length=256, description="The last recreate annotation that was acted upon; it counts once. Example: acme-orders."
    )
    loss_seen_at: Timestamp | None = Field(
        default=None,
        description="When the bucket was first seen with another's marks, without a break since. Example: 2026-03-01T08:00:00Z.",
    )
    loss_braked: bool | None = Field(
        default=None, description="Lost together with others, so that nothing is taken until somebody decides. Example: true."
    )
    abandoned: bool | None = Field(
        default=None, description="The platform team gave its ObjectStore up, and what is in it is left there. Example: true."
    )
    may_delete: bool | None = Field(
        default=None,
        description="Whether the bucket may be deleted with its product at all: an adopted one only where its owner's consent says so."
        " Example: true.",
    )
    managed_tags: tuple[TagKey, ...] = Field(
        default=(), max_length=32, description="Keys of further tags that we set. Example: [cost-center]."
    )


class AdoptionStatus(Model):
    """A bucket that is to be adopted, and waits for somebody's word or for time."""

    bucket: str = Field(max_length=63, description="Name of the bucket. Example: legacy-orders.")
    planned_at: Timestamp = Field(description="Since when status.plan says what it says now. Example: 2026-03-01T08:00:00Z.")
