"""Everything that was read of the world before a plan is made, one value per kind; `now` is part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.domainprofile import DomainProfile
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.team import TeamMember
from clouddatamesh.errors import MeshError
from clouddatamesh.model.access import Answer, Ask, Home, Offer
from clouddatamesh.model.bucket import Bucket, Capability, Contents, Openings
from clouddatamesh.model.evidence import Absent, Seen
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Settings
from clouddatamesh.model.takeover import FormerUser, LostCluster


@dataclass(frozen=True)
class ProductWorld:
    """What a DataProduct's plan rests on. What was not asked for, as nothing was ever made, is Absent."""

    now: datetime
    settings: Settings
    is_time_trusted: bool = True
    cluster: str = ""
    """UID of the namespace kube-system."""
    home: Home | None = None
    namespace_uid: str = ""
    namespace_terminating: bool = False
    is_readable: bool = True
    """Whether the whole object could be read; of one that is being deleted the rest is."""
    is_store_ready: bool = True
    """Whether the ObjectStore is: it could be read, and what answers is proven to be that store."""
    store: ObjectStore | None = None
    obstacle: MeshError | None = None
    """Why nothing may be made now: no domain, no store, or one that does not serve it."""
    denied: bool = False
    """Whether a policy refuses the product as its spec is now, or may do so: nothing in it that is new counts. One that goes is judged no
    more, and its last edit may be such a one."""
    abandoned: bool = False
    """The store, or what is in it, was given up: it is not asked any more."""
    bucket: Seen[Bucket] = field(default_factory=Absent)
    region: tuple[str, Literal["Store", "Bucket"]] | None = None
    """The bucket's region and where it is known from, as it was asked in this look; None where status knows or nobody could tell."""
    openings: Openings = field(default_factory=Openings)
    """Asked only of a bucket that is about to be adopted."""
    contents: Seen[Contents] = field(default_factory=Absent)
    """Read only where it decides: an unmarked bucket under a Creating record, or a deletion."""
    principal: Seen[Principal] = field(default_factory=Absent)
    secret: Seen[Manifest] = field(default_factory=Absent)
    """Metadata of the Secret that spec.producer names."""
    formers: tuple[FormerUser, ...] = ()
    """Users that lost clusters made for it."""
    former_secret: Seen[Manifest] = field(default_factory=Absent)
    """Metadata of the Secret that status names, where spec names another one or none."""
    rival: Key | None = None
    """The product that named this bucket first."""
    uid_lives: bool = False
    """Whether the uid on the bucket is that of another living product."""
    handed_over: bool = False
    """Whether another product took the bucket over, which needs somebody's consent."""
    losses: int = 0
    """Other products whose buckets are in doubt or were lost within an hour, as `reconcile.siblings` counts them."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Each input port that is not satisfied, with the sentence that says what is missing."""
    requests: tuple[Manifest, ...] = ()
    """AccessRequests for this product."""
    lineage: Mapping[str, Any] = field(default_factory=dict)
    inbox: Manifest | None = None


@dataclass(frozen=True)
class AccessWorld:
    """What the answer to an AccessRequest rests on, and what is in the store for it."""

    now: datetime
    settings: Settings
    is_time_trusted: bool = True
    cluster: str = ""
    offer: Offer | None = None
    product_home: Home | None = None
    consumer_exists: bool = False
    consumer_deleting: bool = False
    consumer_home: Home | None = None
    namespace_uid: str = ""
    answers: tuple[Answer, ...] = ()
    """Grants that name this request, or refuse its whole namespace; those that are being deleted included."""
    refusal: MeshError | None = None
    """Why a policy lets nothing new be given: the request violates it, or the grant that the port would make."""
    answer_exists: bool = False
    """An object has the name of the grant that the port would make, be it being deleted."""
    store: ObjectStore | None = None
    """Where the principal is or is to be; None where the store is not asked, as nothing is there and nothing is given."""
    obstacle: MeshError | None = None
    """Why nothing may be given now, though it is granted: the store does not serve."""
    abandoned: bool = False
    """The store, or what is in it, was given up: it is not asked any more."""
    principal: Seen[Principal] = field(default_factory=Absent)
    formers: tuple[FormerUser, ...] = ()
    """Users that lost clusters made for it."""
    secret: Seen[Manifest] = field(default_factory=Absent)
    request: AccessRequest | None = None
    """The request as a whole; None where it cannot be read."""
    left: Seen[Principal] | None = None
    """What is left in a store that was given up, where that store is here again; None where it is not asked."""


@dataclass(frozen=True)
class GrantWorld:
    """What an AccessGrant's plan rests on."""

    access: AccessWorld
    ask: Ask | None = None
    """The request that it names."""
    refused: tuple[Ask, ...] = ()
    """The requests that a refusal of a whole namespace answers."""


@dataclass(frozen=True)
class DomainWorld:
    """What a Domain's plan rests on."""

    now: datetime
    settings: Settings
    namespaces: Mapping[str, Manifest]
    """Every namespace that spec or status names, or whose label or marks name this domain, and `former` ones; by name."""
    children: tuple[Manifest, ...]
    """Objects in these whose label or mark names this domain; in a close look also those that lost the label by which they are watched."""
    claims: Mapping[str, str]
    """Namespace -> the domain that named it first, for namespaces that more than one domain names."""
    denial: MeshError | None = None
    """Why a policy refuses the Domain as its spec is now: nobody gets rights by it, and it gets no namespace."""
    witnessed: frozenset[str] = frozenset()
    """UIDs of children that lost their mark and were made by our field manager."""
    former: frozenset[str] = frozenset()
    """Namespaces without any mark in which children of this domain are left that our field manager wrote."""
    unread: Mapping[str, MeshError] = field(default_factory=dict)
    """Of these namespaces it is not known whether more of ours is there than `children`, for this reason."""
    products: tuple[Key, ...] = ()
    """DataProducts in the namespaces that it has."""
    access: tuple[Key, ...] = ()
    """AccessRequests and AccessGrants in the namespaces that it has."""
    violations: int = 0
    """How often the objects in these violate policies, without those that have waivers."""
    newcomers: frozenset[Key] = frozenset()
    """Of these what came after the domain's deletion began and holds nothing: it waits for the next domain of this name."""
    subdomains: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    """The parents upwards; the domain's own name appears in it where there is a cycle."""
    parent_missing: bool = False
    parent_deleting: bool = False
    is_time_trusted: bool = True
    profile: DomainProfile | None = None
    """As far as it can be read."""
    former_members: tuple[TeamMember, ...] = ()
    """Members of its products' teams who have a last day."""


@dataclass(frozen=True)
class ProfileWorld:
    """What is said of a DomainProfile."""

    now: datetime
    is_time_trusted: bool = True
    domain: Domain | None = None
    """The Domain that has its namespace, as far as that can be read."""
    home: str = ""
    """The home namespace of that Domain."""


@dataclass(frozen=True)
class StoreWorld:
    """What an ObjectStore's plan rests on."""

    now: datetime
    settings: Settings
    cluster: str
    is_time_trusted: bool = True
    users: tuple[Key, ...] = ()
    """DataProducts that name this store, and AccessRequests whose principals are in it."""
    unreadable: MeshError | None = None
    """What of the ObjectStore this operator cannot read: nothing is made, and those who take away still reach it."""
    holders: tuple[Key, ...] = ()
    """Of the users those that let go of a store that is given up by themselves: requests, and products that are being deleted."""
    left: tuple[str, ...] = ()
    """What the others have in it: buckets and principals."""
    account: Seen[str] = field(default_factory=Absent)
    """Whose credentials these are; Unknown where the store refuses them or does not answer."""
    mesh_bucket: Seen[Bucket] = field(default_factory=Absent)
    marker: Seen[Principal] = field(default_factory=Absent)
    """The user by which the mesh knows its IAM endpoint again."""
    recorded_stores: frozenset[str] = frozenset()
    """Ids of the stores in which users of this ObjectStore say that something was made."""
    is_marked_still: bool = False
    """The mesh's bucket is lost, and the IAM endpoint, which is at the same place, has the marker of the recorded store."""
    known_principal: bool = False
    """Whether a principal that some object recorded was seen at the IAM endpoint."""
    capabilities: tuple[Capability, ...] = ()
    """As status has them, with what a probe of this very reconciliation found; empty where there was none."""
    freshly_probed: bool = False
    """Whether that was in this very reconciliation."""
    principals: int = 0
    """How many principals this cluster has in the store."""
    orphans: tuple[str, ...] = ()
    """Those of them that no living product and no request's record holds."""
    lost_clusters: tuple[LostCluster, ...] = ()
    """Those of spec.takeOverFrom, as far as they could be listed."""
    due_unclaimed: tuple[Principal, ...] = ()
    """Users of one of them that no object owns and that are to end, as they are."""
    due_orphans: tuple[Principal, ...] = ()
    """Those that are to end now, as they are."""
