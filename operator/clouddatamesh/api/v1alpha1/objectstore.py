"""ObjectStore: an S3 endpoint with its credentials, its defaults, and the capabilities that the operator found in it."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from clouddatamesh.api.base import Model, Resource, Rule, Status
from clouddatamesh.api.fields import BucketPattern, BucketPrefix, EndpointUrl, LabelSelector, ObjectReference, PlainUrl, Uid, Word
from clouddatamesh.api.v1alpha1.takeover import TakenOverStatus

Level = Literal["Required", "IfSupported", "Off"]


class Baseline(Model):
    """Protection of every bucket. Required: a store without the capability is not Ready. Off: the operator does not change the setting."""

    block_public_access: Level = Field(default="IfSupported", description="Block all public access. Example: Required.")
    tls_only: Level = Field(default="IfSupported", description="Refuse requests without TLS. Example: Required.")
    encryption: Level = Field(default="IfSupported", description="Encrypt objects at rest, at least with AES256. Example: Required.")
    versioning: Level = Field(
        default="IfSupported", description="Set versioning as the product's spec.storage.versioning. Example: Required."
    )
    object_ownership: Level = Field(default="IfSupported", description="Let the bucket's owner own every object. Example: Required.")


class ObjectStoreSpec(Model):
    """Endpoints and credentials of a store, and defaults of its buckets."""

    endpoint_url: EndpointUrl | None = Field(
        default=None, description="URL of the S3 endpoint; absent: AWS. Example: https://s3.example.com."
    )
    iam_endpoint_url: EndpointUrl | None = Field(
        default=None, description="URL of the IAM endpoint; absent: endpointUrl, or AWS. Example: https://iam.example.com."
    )
    plain_endpoint_url: PlainUrl | None = Field(
        default=None,
        description="URL of the same S3 endpoint without TLS. The probe sends a request there that must be refused, and nothing else is"
        " sent."
        " Absent: port 80 if endpointUrl uses port 443. Example: http://s3.example.com:8080.",
    )
    region: Word = Field(description="Region in which buckets are created. Example: eu-central-1.")
    addressing_style: Literal["path", "virtual"] | None = Field(
        default=None, description="Place of the bucket name in a URL; absent: virtual on AWS, otherwise path. Example: path."
    )
    ca_bundle: str | None = Field(
        default=None,
        max_length=65536,
        pattern=r"-----BEGIN CERTIFICATE-----",
        description="CA certificates in PEM; absent: those of the system. Example: -----BEGIN CERTIFICATE-----.",
    )
    credentials_secret_ref: ObjectReference | None = Field(
        default=None,
        description="Secret in the operator's namespace with the keys access-key-id and secret-access-key; absent: workload identity.",
    )
    bucket_prefix: BucketPrefix = Field(description="First part of every bucket name, at most 20 characters; immutable. Example: acme.")
    allowed_domains: LabelSelector | None = Field(
        default=None, description="Selects the Domains that may use the store, by label; absent: all Domains."
    )
    adoptable_buckets: tuple[BucketPattern, ...] = Field(
        default=(),
        max_length=32,
        description="Names of existing buckets that products may adopt with a consent tag, in addition to those that begin with"
        " bucketPrefix."
        " An asterisk matches any characters. Buckets of the mesh itself and generated names are never adopted. Example: [legacy-*].",
        json_schema_extra={"x-list-set": True},
    )
    deletion_enabled: bool = Field(
        default=False,
        description="Whether buckets of this store may be deleted. If false, no bucket is deleted, whatever a product's deletionPolicy."
        " Example: false.",
    )
    baseline: Baseline | None = Field(
        default=None,
        description="Protection of every bucket; on AWS everything is Required, and without endpointUrl no other level is accepted.",
    )
    take_over_from: Annotated[tuple[Uid, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = Field(
        default=(),
        max_length=8,
        description="UIDs of the kube-system namespaces of lost clusters that used this store. Their buckets and users are taken over"
        " object by"
        " object. Keep a UID while anything of that cluster is left. Example: [8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1].",
        json_schema_extra={
            "x-list-set": True,
            "x-undefaulted": True,
        },  # an earlier version takes no list, and finds none where none is given
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule("self.bucketPrefix == oldSelf.bucketPrefix", "spec.bucketPrefix is immutable; create another ObjectStore with the new prefix"),
        Rule(
            "!(self.bucketPrefix + '-').matches('^(xn--|sthree-|amzn-s3-demo-)')",
            "spec.bucketPrefix begins with a prefix that S3 reserves; choose another prefix",
        ),
        Rule(
            "has(self.endpointUrl) || !has(self.baseline) || ["
            "self.baseline.blockPublicAccess, self.baseline.tlsOnly, self.baseline.encryption, self.baseline.versioning,"
            " self.baseline.objectOwnership].all(level, level == 'Required')"
            " || (oldSelf.hasValue() && !has(oldSelf.value().endpointUrl) && has(oldSelf.value().baseline)"
            " && oldSelf.value().baseline == self.baseline)",
            "spec.endpointUrl is absent, so this store is AWS, where every protection is Required; remove spec.baseline, or set each of its"
            " five fields to Required",
            tolerates_old=True,
        ),
    )


class CapabilityStatus(Model):
    """A capability of the store."""

    name: str = Field(max_length=64, description="Name of the capability. Example: Encryption.")
    supported: bool = Field(description="Whether the store has the capability. Example: true.")
    proof: Literal["Refused", "Effect", "ReadBack", "Unproven"] | None = Field(
        default=None,
        description="Evidence. Refused: a request that must be refused was refused. Effect: the effect was observed. ReadBack: the"
        " setting was"
        " read back. Unproven: it was read back, but a request that must be refused could not be tried. Example: Refused.",
    )
    message: str | None = Field(
        default=None,
        max_length=1024,
        description="Why the capability is missing, or what could not be tried. Example: PutObject failed.",
    )
    checked_at: str | None = Field(
        default=None, max_length=64, description="Time of this result, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    failures: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Number of consecutive failed probes of a capability that worked before. It is dropped after three. Example: 0.",
    )


class OrphanStatus(Model):
    """An IAM user below the mesh's path whose owner does not exist."""

    name: str = Field(max_length=64, description="Name of the IAM user. Example: sales-orders-abcdefghijklmnop.")
    seen_at: str = Field(
        max_length=64, description="Time when it was first found without an owner, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    disabled_at: str | None = Field(
        default=None, max_length=64, description="Time when its keys were disabled, in RFC 3339. Example: 2026-01-01T00:05:00Z."
    )


class ObjectStoreStatus(Status):
    """State of the store."""

    capabilities: tuple[CapabilityStatus, ...] = Field(default=(), max_length=32, description="Capabilities that were probed.")
    bucket: str | None = Field(
        default=None, max_length=63, description="Name of the mesh's own bucket. Example: acme-mesh-abcdefghijklmnop."
    )
    bucket_phase: Literal["Creating", "Owned"] | None = Field(default=None, description="State of that bucket. Example: Owned.")
    orphans: tuple[OrphanStatus, ...] = Field(default=(), max_length=21, description="IAM users without an owner in this cluster.")
    taken_over: tuple[TakenOverStatus, ...] = Field(default=(), max_length=8, description="Remaining users of lost clusters.")
    account: str | None = Field(
        default=None,
        max_length=128,
        description="Account that owns the buckets. Credentials of another account are refused. Example: 123456789012.",
    )
    mesh: str | None = Field(default=None, max_length=253, description="Name of the mesh that the store belongs to. Example: acme.")
    last_handled_recreate: str | None = Field(
        default=None,
        max_length=256,
        description="Value of the last recreate annotation that was handled. Example: acme-mesh-abc.",
    )
    store_id: str | None = Field(
        default=None,
        max_length=64,
        description="Id of the store, from a tag of the mesh's bucket. Resources that were created in a store with another id are not"
        " expected here."
        " Example: 8a0c2b7e-5a51-4f4e-9c0e-0f4bb0a5f7c1.",
    )
    marker: str | None = Field(
        default=None,
        max_length=64,
        description="IAM user without permissions by which the operator recognizes the IAM endpoint. Example: mesh.marker-abc.",
    )
    provider: Literal["aws", "s3"] | None = Field(default=None, description="Type of the store. Example: s3.")
    probed_generation: int | None = Field(default=None, ge=0, description="Generation that was probed. Example: 1.")
    probed_at: str | None = Field(
        default=None, max_length=64, description="Time of the last probe, in RFC 3339. Example: 2026-01-01T00:00:00Z."
    )
    probe_unclear: str | None = Field(
        default=None,
        max_length=1024,
        description="Why the last probe gave no verdict on some capabilities; absent if it gave all. Example: SlowDown.",
    )
    probed_place: str | None = Field(
        default=None, max_length=1200, description="Endpoints and account of the last probe. Example: https://s3.example.com||main."
    )
    probed_version: str | None = Field(
        default=None, max_length=64, description="Version of the operator that made the last probe. Example: 0.1.0."
    )


class ObjectStore(Resource):
    """An S3 endpoint with its credentials, its defaults, and the capabilities that the operator found in it."""

    spec: ObjectStoreSpec
    status: ObjectStoreStatus = ObjectStoreStatus()
