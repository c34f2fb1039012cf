"""The storage of a DataProduct: its bucket, and the policies for its adoption and deletion."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import BucketName, Duration, ObjectPrefix, ObjectReference, TagKey, TagValue, Timestamp, is_some_time

_AGES: Final = ("expireAfter", "expireNoncurrentAfter", "abortUploadsAfter")


class LifecycleRule(Model):
    """A lifecycle rule by the age of objects. S3 counts whole days."""

    prefix: ObjectPrefix = Field(default="", description="Prefix of the keys of the objects; empty: all objects. Example: tmp/.")
    expire_after: Duration | None = Field(default=None, description="Age at which objects expire. Example: 7d.")
    expire_noncurrent_after: Duration | None = Field(default=None, description="Age at which old versions are removed. Example: 30d.")
    abort_uploads_after: Duration | None = Field(default=None, description="Age at which incomplete uploads are aborted. Example: 3d.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.expireAfter) || has(self.expireNoncurrentAfter) || has(self.abortUploadsAfter)",
            "A lifecycle rule requires expireAfter, expireNoncurrentAfter or abortUploadsAfter; add one or remove the rule",
        ),
        Rule(
            " && ".join(f"(!has(self.{field}) || self.{field}.matches('^0*[1-9][0-9]*d$'))" for field in _AGES),
            "S3 counts the age of objects in whole days; use a number of days, such as 7d, in each duration of a lifecycle rule",
        ),
    )


class Storage(Model):
    """Bucket of a product, and policies for it."""

    store_ref: ObjectReference = Field(description="ObjectStore that contains the bucket; immutable.")
    bucket_name: BucketName | None = Field(
        default=None, description="Name of the bucket; immutable; absent: a generated name. Example: acme-orders."
    )
    adoption_policy: Literal["Never", "IfOwned", "IfConsented"] = Field(
        default="IfOwned",
        description="Which existing bucket may be adopted. Never: none. IfOwned: one with this product's marks. IfConsented: also one"
        " with a consent tag. Example: IfOwned.",
    )
    adoption_delay: Duration | None = Field(
        default=None,
        description="Adopts a consenting bucket without the apply-plan annotation, after the plan has been the same for this duration."
        " Example: 2d.",
    )
    deletion_policy: Literal["Retain", "Delete"] = Field(
        default="Retain",
        description="Whether the bucket is deleted with the product. An adopted bucket is kept unless its consent tag allows deletion."
        " Example: Retain.",
    )
    force_destroy: bool = Field(
        default=False, description="Whether deletionPolicy Delete may empty the bucket first. This destroys data. Example: false."
    )
    versioning: Literal["Enabled", "Suspended"] = Field(default="Enabled", description="Whether old versions are kept. Example: Enabled.")
    lifecycle_rules: tuple[LifecycleRule, ...] = Field(
        default=(),
        max_length=32,
        description="Lifecycle rules by the age of objects; one rule for each prefix.",
        json_schema_extra={"x-list-map-keys": ["prefix"]},
    )
    tags: dict[TagKey, TagValue] = Field(
        default={}, max_length=32, description='Additional tags of the bucket. Example: {cost-center: "4711"}.'
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("self.storeRef == oldSelf.storeRef", "spec.storage.storeRef is immutable; create another product and move the data"),
        Rule(
            "has(self.bucketName) == has(oldSelf.bucketName) && (!has(self.bucketName) || self.bucketName == oldSelf.bucketName)",
            "spec.storage.bucketName is immutable; create another product and move the data",
        ),
        Rule(
            "!has(self.bucketName) || !self.bucketName.matches('^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$')",
            "spec.storage.bucketName has a prefix or suffix that S3 reserves; choose another name",
        ),
        Rule(
            "!has(self.adoptionDelay) || self.adoptionPolicy == 'IfConsented'",
            "spec.storage.adoptionDelay has an effect only with adoptionPolicy IfConsented; set that policy or remove adoptionDelay",
        ),
        Rule(
            is_some_time("adoptionDelay"),
            "spec.storage.adoptionDelay is zero; set at least 1m, or remove it",
        ),
        Rule(
            "!has(self.tags) || self.tags.all(key, !key.startsWith('clouddatamesh.dev/') && !key.lowerAscii().startsWith('aws:'))",
            "Tag keys under clouddatamesh.dev/ and aws: are reserved; choose another key in spec.storage.tags",
        ),
        Rule(
            "!has(self.tags) || self.tags.all(key, key.matches('^[A-Za-z0-9 _.:/=+@-]+$'))",
            "A key of spec.storage.tags has characters that S3 refuses; use letters, digits, spaces and _.:/=+-@",
        ),
    )


class StorageStatus(Model):
    """State of the bucket."""

    bucket: str = Field(max_length=63, description="Name of the bucket. Example: acme-orders-abcdefghijklmnop.")
    uid: str | None = Field(
        default=None,
        max_length=64,
        description="UID of the DataProduct that recorded this. If it is the UID of another living product, a backup tool copied the"
        " status, and the operator drops it. Absent in a status of an earlier version. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    region: str = Field(default="", max_length=63, description="Region of the bucket. Example: eu-central-1.")
    region_from: Literal["Store", "Bucket"] | None = Field(
        default=None,
        description="Source of the region. Store: the ObjectStore's spec. Bucket: the bucket's own location. Example: Bucket.",
    )
    endpoint: str = Field(default="", max_length=512, description="Endpoint of the store; empty: AWS. Example: https://s3.example.com.")
    store_id: str | None = Field(
        default=None, max_length=64, description="Id of the store that contains the bucket. Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1."
    )
    phase: Literal["Creating", "Owned", "Adopted"] = Field(description="How the product got the bucket. Example: Owned.")
    ownership_verified: bool = Field(
        default=False,
        description="Whether the operator read the tags and they prove that the bucket belongs to this product. Example: true.",
    )
    deletion: Literal["Retain", "Delete", "Destroy"] | None = Field(
        default=None,
        description="Effective deletion policy before the deletion of the product: deletionPolicy and forceDestroy, or Retain for an"
        " adopted"
        " bucket. A deletion follows the stricter of this and the spec. Example: Retain.",
    )
    last_handled_recreate: str | None = Field(
        default=None,
        max_length=256,
        description="Value of the last recreate annotation that was handled; it counts once. Example: acme-orders.",
    )
    loss_seen_at: Timestamp | None = Field(
        default=None,
        description="Time since which the bucket has had the marks of another owner, in RFC 3339. Example: 2026-03-01T08:00:00Z.",
    )
    loss_braked: bool | None = Field(
        default=None,
        description="Whether the bucket was lost together with others, so that no access is revoked until you decide. Example: true.",
    )
    abandoned: bool | None = Field(
        default=None, description="Whether the platform team gave up the ObjectStore, so that its contents stay there. Example: true."
    )
    may_delete: bool | None = Field(
        default=None,
        description="Whether the bucket may be deleted with its product. An adopted bucket only if its owner's consent tag says so."
        " Example: true.",
    )
    managed_tags: tuple[TagKey, ...] = Field(
        default=(), max_length=32, description="Keys of the additional tags that the operator set. Example: [cost-center]."
    )


class AdoptionStatus(Model):
    """A bucket that is planned for adoption, and waits for agreement or for adoptionDelay."""

    bucket: str = Field(max_length=63, description="Name of the bucket. Example: legacy-orders.")
    planned_at: Timestamp = Field(description="Time since which status.plan has been the same. Example: 2026-03-01T08:00:00Z.")
