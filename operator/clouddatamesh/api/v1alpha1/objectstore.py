"""ObjectStore: an S3 endpoint, its credentials and defaults, and what it was found able to do."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import BucketPattern, BucketPrefix, EndpointUrl, LabelSelector, ObjectReference, PlainUrl, Uid, Word
from clouddatamesh.api.v1alpha1.takeover import TakenOverStatus

Level = Literal["Required", "IfSupported", "Off"]


class Baseline(Model):
    """What every bucket of the store gets. Required: a store that cannot do it is not Ready. Off: left alone."""

    block_public_access: Level = Field(default="IfSupported", description="Block all public access. Example: Required.")
    tls_only: Level = Field(default="IfSupported", description="Refuse requests without TLS. Example: Required.")
    encryption: Level = Field(default="IfSupported", description="Encrypt objects at rest with AES256. Example: Required.")
    versioning: Level = Field(default="IfSupported", description="Keep versions as the product asks. Example: Required.")
    object_ownership: Level = Field(default="IfSupported", description="Let the bucket's owner own every object. Example: Required.")


class ObjectStoreSpec(Model):
    """How a store is reached and what its buckets are like."""

    endpoint_url: EndpointUrl | None = Field(default=None, description="S3 endpoint; absent: AWS. Example: https://s3.example.com.")
    iam_endpoint_url: EndpointUrl | None = Field(
        default=None, description="IAM endpoint; absent: endpointUrl, or AWS. Example: https://iam.example.com."
    )
    plain_endpoint_url: PlainUrl | None = Field(
        default=None,
        description="The same S3 without TLS, where requests without TLS must be refused: the probe tries one of its own there, and nothing"
        " else is sent. Absent: port 80 where endpointUrl is at port 443. Example: http://s3.example.com:8080.",
    )
    region: Word = Field(description="Region in which buckets are made. Example: eu-central-1.")
    addressing_style: Literal["path", "virtual"] | None = Field(
        default=None, description="Where the bucket's name stands in a URL; absent: virtual on AWS, else path. Example: path."
    )
    ca_bundle: str | None = Field(
        default=None,
        max_length=65536,
        pattern=r"-----BEGIN CERTIFICATE-----",
        description="CA certificates in PEM; absent: the system's. Example: -----BEGIN CERTIFICATE-----.",
    )
    credentials_secret_ref: ObjectReference | None = Field(
        default=None,
        description="Secret in the operator's namespace with keys access-key-id and secret-access-key; absent: workload identity.",
    )
    bucket_prefix: BucketPrefix = Field(description="First part of every bucket name, at most 20 characters. Example: acme.")
    allowed_domains: LabelSelector | None = Field(default=None, description="Domains that may use the store, by label; absent: all.")
    adoptable_buckets: tuple[BucketPattern, ...] = Field(
        default=(),
        max_length=32,
        description="Names of existing buckets, in which * stands for any characters, that products may adopt with a consent tag besides"
        " those that begin with bucketPrefix; never buckets of the mesh itself or generated names. Example: [legacy-*].",
        json_schema_extra={"x-list-set": True},
    )
    deletion_enabled: bool = Field(
        default=False, description="Whether buckets of this store may ever be deleted, whatever a product says. Example: false."
    )
    baseline: Baseline | None = Field(default=None, description="Protection that every bucket gets; on AWS everything is Required.")
    take_over_from: Annotated[tuple[Uid, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = Field(
        default=(),
        max_length=8,
        description="UIDs of kube-system of lost clusters whose store this was; what they made is taken over object by object. Keep them"
        " while anything of theirs is left. Example: [8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1].",
        json_schema_extra={
            "x-list-set": True,
            "x-undefaulted": True,
        },  # an earlier version takes no list, and finds none where none is given
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("self.bucketPrefix == oldSelf.bucketPrefix", "spec.bucketPrefix is immutable; make another ObjectStore with the new prefix"),
        Rule(
            "!(self.bucketPrefix + '-').matches('^(xn--|sthree-|amzn-s3-demo-)')",
            "spec.bucketPrefix begins as S3 reserves it for itself; choose another prefix",
        ),
    )


class CapabilityStatus(Model):
    """One thing that the store was found able to do, or not."""

    name: str = Field(max_length=64, description="What was tried. Example: Encryption.")
    supported: bool = Field(description="Whether it works. Example: true.")
    proof: Literal["Refused", "Effect", "ReadBack", "Unproven"] | None = Field(
        default=None,
        description="What shows that it works: a request that must be refused was refused, the effect was seen, or the setting was read"
        " back. Unproven: it was read back, and what it must refuse could not be tried. Example: Refused.",
    )
    message: str | None = Field(
        default=None,
        max_length=1024,
        description="How it showed that it does not work, or what could not be tried. Example: PutObject failed.",
    )
    checked_at: str | None = Field(
        default=None, max_length=64, description="Since when this is known, RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    failures: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Probes in a row that failed though it worked, or did not show what they wrote; three are believed. Example: 0.",
    )


class OrphanStatus(Model):
    """A principal under the mesh's path whose owner does not live any more."""

    name: str = Field(max_length=64, description="Name of the IAM user. Example: sales-orders-abcdefghijklmnop.")
    seen_at: str = Field(max_length=64, description="When it was first seen so, RFC 3339. Example: 2026-01-01T00:00:00Z.")
    disabled_at: str | None = Field(
        default=None, max_length=64, description="When its keys were disabled, RFC 3339. Example: 2026-01-01T00:05:00Z."
    )


class ObjectStoreStatus(Status):
    """What is known of the store."""

    capabilities: tuple[CapabilityStatus, ...] = Field(default=(), max_length=32, description="What was probed.")
    bucket: str | None = Field(default=None, max_length=63, description="The mesh's own bucket. Example: acme-mesh-abcdefghijklmnop.")
    bucket_phase: Literal["Creating", "Owned"] | None = Field(default=None, description="How far that bucket is. Example: Owned.")
    orphans: tuple[OrphanStatus, ...] = Field(default=(), max_length=21, description="Principals without a living owner.")
    taken_over: tuple[TakenOverStatus, ...] = Field(default=(), max_length=8, description="What is left of lost clusters' users.")
    account: str | None = Field(
        default=None,
        max_length=128,
        description="Account that owns the buckets; credentials of another one are refused. Example: 123456789012.",
    )
    mesh: str | None = Field(default=None, max_length=253, description="Mesh that the store belongs to. Example: acme.")
    last_handled_recreate: str | None = Field(
        default=None,
        max_length=256,
        description="The last recreate annotation that was acted upon. Example: acme-mesh-abc.",
    )
    store_id: str | None = Field(
        default=None,
        max_length=64,
        description="Which store this is, as a tag of the mesh's bucket says; what was made in another one is not looked for here."
        " Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    marker: str | None = Field(
        default=None, max_length=64, description="User without rights by which the IAM endpoint is known again. Example: mesh.marker-abc."
    )
    provider: Literal["aws", "s3"] | None = Field(default=None, description="Kind of store. Example: s3.")
    probed_generation: int | None = Field(default=None, ge=0, description="Generation that was probed. Example: 1.")
    probed_at: str | None = Field(default=None, max_length=64, description="When, RFC 3339. Example: 2026-01-01T00:00:00Z.")
    probe_unclear: str | None = Field(
        default=None, max_length=1024, description="Why the last probe could not tell of everything; absent: it could. Example: SlowDown."
    )
    probed_place: str | None = Field(
        default=None, max_length=1200, description="Endpoints and account that were probed. Example: https://s3.example.com||main."
    )
    probed_version: str | None = Field(default=None, max_length=64, description="Operator version that probed. Example: 0.1.0.")


class ObjectStore(Resource):
    """An S3 endpoint, its credentials, defaults, and what it was found able to do."""

    spec: ObjectStoreSpec
    status: ObjectStoreStatus = ObjectStoreStatus()
