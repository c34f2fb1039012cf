"""A bucket as wanted or as read, in one shape, so that the two can be compared; and what a store was found able to do."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Tags: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted pairs of key and value."""

BucketPath: TypeAlias = Literal["tags", "publicAccessBlock", "ownership", "policy", "encryption", "versioning", "lifecycle"]
Delta: TypeAlias = tuple[BucketPath, ...]
"""The settings in which two buckets differ, in the order in which they are safely written."""

PREFIX = "clouddatamesh"
"""Sids of statements, IDs of lifecycle rules and names of inline policies that begin so are ours."""


@dataclass(frozen=True, order=True)
class Statement:
    """One statement of a bucket or user policy. `principals` is empty in a user policy; conditions are (operator, key, values)."""

    sid: str
    effect: Literal["Allow", "Deny", "Unreadable"]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @classmethod
    def unreadable(cls, sid: str) -> "Statement":
        """A statement under our Sid that is not of our making any more; equal to nothing that we want."""
        return cls(sid, "Unreadable", (), ())


@dataclass(frozen=True, order=True)
class LifecycleRule:
    """One lifecycle rule; times in whole days, None where the rule says nothing of it."""

    id: str
    prefix: str
    expire_days: int | None = None
    expire_noncurrent_days: int | None = None
    abort_uploads_days: int | None = None
    enabled: bool = True
    readable: bool = True
    """False where a rule under our ID is not of our making any more; equal to nothing that we want."""

    @property
    def removes(self) -> bool:
        """Whether objects, their versions or unfinished uploads go by it: all of that is what a bucket holds."""
        return self.enabled and any(days is not None for days in (self.expire_days, self.expire_noncurrent_days, self.abort_uploads_days))


@dataclass(frozen=True)
class Bucket:
    """A bucket. A setting that is None is not wanted (or was not read) and is left alone.

    Foreign statements and rules (those whose Sid or ID does not begin with PREFIX) are carried as canonical JSON, so that they
    survive when ours are written.
    """

    name: str
    region: str = ""
    tags: Tags = ()
    public_access_blocked: bool | None = None
    ownership_enforced: bool | None = None
    policy: tuple[Statement, ...] | None = None
    foreign_statements: tuple[str, ...] = ()
    policy_version: str = "2012-10-17"
    """Of the policy document, on which the meaning of its statements rests; empty where it names none."""
    policy_id: str = ""
    encryption: str | None = None
    versioning: Literal["Enabled", "Suspended", "Off"] | None = None
    lifecycle: tuple[LifecycleRule, ...] | None = None
    foreign_rules: tuple[str, ...] = ()
    transition_minimum: str = ""
    """TransitionDefaultMinimumObjectSize of the lifecycle configuration, where it is not the store's default."""
    is_of_other_account: bool = False
    """It exists, and positively not in the account of these credentials; nothing else of it is known."""

    def tag(self, key: str) -> str | None:
        """The value of one tag, None where the bucket does not carry it."""
        return dict(self.tags).get(key)


@dataclass(frozen=True)
class Openings:
    """Ways in which others may reach a bucket now and would not any more, in words; `unread` names what could not be read."""

    grants: tuple[str, ...] = ()
    """Of its ACL, to others than its owner: `READ to AllUsers`."""
    website: bool = False
    statements: tuple[str, ...] = ()
    """Sids, or places in the policy, of statements that allow something to everybody."""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What a bucket holds, counted up to a bound; `more` says that the bound was reached."""

    versions: int = 0
    delete_markers: int = 0
    uploads: int = 0
    more: bool = False

    @property
    def empty(self) -> bool:
        return not (self.versions or self.delete_markers or self.uploads or self.more)


Verdict: TypeAlias = Literal["Yes", "No", "Unseen", "Unclear"]
Proof: TypeAlias = Literal["Refused", "Effect", "ReadBack", "Unproven"]
"""On what a Yes rests, the best first: a request that must be refused was refused; the effect was seen; the setting was read back as it was
written; or it was read back, and the request that it must refuse could not be tried."""


@dataclass(frozen=True, order=True)
class Capability:
    """Something a store was found able to do, or not; `message` says how that showed, and of a Yes what could not be tried.

    Unclear: the attempt tells neither. Unseen: the store took the setting and does not show it, which it may do later.
    """

    name: str
    verdict: Verdict
    message: str = ""
    proof: Proof = "ReadBack"
    harmful: bool = False
    """Of a No: the setting refuses what it must let through, so that it must not be written to any bucket."""


BLOCK_PUBLIC_ACCESS, TLS_ONLY, ENCRYPTION = "BlockPublicAccess", "TlsOnly", "Encryption"
VERSIONING, OBJECT_OWNERSHIP, LIFECYCLE = "Versioning", "ObjectOwnership", "Lifecycle"
TAGS, EXPECTED_OWNER, IDENTITIES = "Tags", "ExpectedBucketOwner", "Identities"
ATTACHED_POLICIES, GROUPS = "AttachedPolicies", "Groups"
CAPABILITIES = (
    BLOCK_PUBLIC_ACCESS,
    TLS_ONLY,
    ENCRYPTION,
    VERSIONING,
    OBJECT_OWNERSHIP,
    LIFECYCLE,
    TAGS,
    EXPECTED_OWNER,
    IDENTITIES,
    ATTACHED_POLICIES,
    GROUPS,
)
"""Every capability that is probed, by the name under which status shows it."""
