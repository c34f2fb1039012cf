"""Everything that was read of the world before a plan is made, one value per kind; `now` is part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clouddatamesh.api.v1alpha1.accessgrant import AccessGrant
from clouddatamesh.api.v1alpha1.accessrequest import AccessRequest
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.bucket import Bucket, Capability, Contents
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.settings import Settings


@dataclass(frozen=True)
class ProductWorld:
    """What a DataProduct's plan rests on. Parts that were not needed (nothing was ever made) are None."""

    now: datetime
    settings: Settings
    domain: Domain | None = None
    namespace_terminating: bool = False
    store: ObjectStore | None = None
    bucket: Bucket | None = None
    contents: Contents | None = None
    """Read only where it decides: an unmarked bucket under a Creating record, or a deletion."""
    principal: Principal | None = None
    secret: Manifest | None = None
    """Metadata of the Secret that spec.producer names."""
    former_secret: Manifest | None = None
    """Metadata of the Secret that status names, where spec names another one or none."""
    living_uids: frozenset[str] = frozenset()
    """Of all other products of this cluster."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Each input port that is not satisfied, with the sentence that says what is missing."""
    requests: tuple[Manifest, ...] = ()
    """AccessRequests for this product."""
    lineage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AccessWorld:
    """What the answer to an AccessRequest rests on, and what stands of it in the store."""

    now: datetime
    settings: Settings
    product: DataProduct | None = None
    product_domain: Domain | None = None
    consumer_exists: bool = False
    consumer_domain: Domain | None = None
    grants: tuple[AccessGrant, ...] = ()
    """Living grants that name this request, or refuse its whole namespace."""
    store: ObjectStore | None = None
    """Where the principal stands or is to stand; None where the store is not asked, as nothing stands and nothing is given."""
    principal: Principal | None = None
    secret: Manifest | None = None


@dataclass(frozen=True)
class GrantWorld:
    """What an AccessGrant's plan rests on."""

    access: AccessWorld
    request: AccessRequest | None = None


@dataclass(frozen=True)
class DomainWorld:
    """What a Domain's plan rests on."""

    now: datetime
    settings: Settings
    namespaces: Mapping[str, Manifest]
    """Every namespace that spec names or that carries our label with this domain's name, by name."""
    children: tuple[Manifest, ...]
    """Objects that carry our label in those namespaces."""
    claims: Mapping[str, str]
    """Namespace -> the domain that named it first, for namespaces that more than one domain names."""
    products: tuple[Key, ...] = ()
    """DataProducts in those namespaces."""
    access: tuple[Key, ...] = ()
    """AccessRequests and AccessGrants in those namespaces."""
    subdomains: tuple[str, ...] = ()
    lineage: tuple[str, ...] = ()
    """The parents upwards; the domain's own name appears in it where there is a cycle."""
    parent_missing: bool = False


@dataclass(frozen=True)
class StoreWorld:
    """What an ObjectStore's plan rests on."""

    now: datetime
    settings: Settings
    cluster_uid: str
    users: tuple[Key, ...] = ()
    """DataProducts that name this store, and AccessRequests whose principals stand in it."""
    mesh_bucket: Bucket | None = None
    capabilities: tuple[Capability, ...] = ()
    """As last probed; empty where there was no probe."""
    freshly_probed: bool = False
    """Whether that was in this very reconciliation."""
    orphans: tuple[str, ...] = ()
    """Principals under the mesh's path that no living product and no request's record holds."""
    due_orphans: tuple[Principal, ...] = ()
    """Those of them that are to end now, as they stand."""
