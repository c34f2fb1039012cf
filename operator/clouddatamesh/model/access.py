"""The few facts on which access rests, as they are read from raw manifests, and what is decided on them.

`readable` says whether the whole object could be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from clouddatamesh import reasons
from clouddatamesh.model.objects import Key
from clouddatamesh.model.takeover import TakeOver

DAWN: Final = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_MODES: Final = ("ReadOnly",)


@dataclass(frozen=True)
class Place:
    """Where a principal is, and what it reaches, as it was recorded before it was made."""

    store: str
    bucket: str
    path: str
    store_id: str = ""
    """Which store that is; empty in records of before stores were told apart."""
    handed_on: bool = False
    """Another port had the path while nothing new could be given: what it reached was taken, and is another port's data since."""


@dataclass(frozen=True)
class GrantId:
    """One very grant: another object of its name has another uid."""

    key: Key
    uid: str


@dataclass(frozen=True)
class Ask:
    """What an AccessRequest asks, and what its status recorded."""

    key: Key
    uid: str
    product: Key
    port: tuple[str, str]
    """Name and major version."""
    mode: str
    consumer: Key
    created: datetime | None = None
    version: str = ""
    duration: str | None = None
    permanent: bool = False
    secret_name: str = ""
    renewal_at: datetime | None = None
    grant_key: Key | None = None
    grant_uid: str = ""
    """Of the grant on which what is in the store rests; of several the one that ends first."""
    counted: tuple[GrantId, ...] = ()
    """All of them, where the port asked for several approvals."""
    place: Place | None = None
    principal: str = ""
    key_ids: frozenset[str] = frozenset()
    """Of the keys that were issued for it and may work."""
    secret: str = ""
    """Name of the Secret that status tells of."""
    recorded_end: datetime | None = None
    decided_at: datetime | None = None
    rotated_at: datetime | None = None
    """Since when its present key is known."""
    was_given: bool = False
    """Status tells since when access is given."""
    is_provisioned: bool = False
    """Status says that access was read back."""
    is_in_doubt: bool = False
    """Status says that it is not known whether anything is left in the store."""
    has_expired: bool = False
    """Status says that an earlier grant ended by time: then its absence is no reason to make another."""
    abandoned: str = ""
    """The ObjectStore that was given up with the principal in it; empty where that is not so."""
    abandoned_id: str = ""
    """Which store that was; empty in records of before it was told."""
    take_over: TakeOver = field(default_factory=TakeOver)
    readable: bool = True

    @property
    def grants(self) -> tuple[GrantId, ...]:
        """Every grant on which what is in the store rests."""
        lead = (GrantId(self.grant_key, self.grant_uid),) if self.grant_key is not None and self.grant_uid else ()
        return (*lead, *(one for one in self.counted if one not in lead)) if self.grant_uid else ()

    @property
    def grant_uids(self) -> frozenset[str]:
        """Their uids."""
        return frozenset((self.grant_uid, *(one.uid for one in self.counted))) if self.grant_uid else frozenset()


@dataclass(frozen=True)
class Answer:
    """What an AccessGrant says, and what its status recorded. A decision that is not Approve is Deny."""

    key: Key
    uid: str
    created: datetime
    decision: Literal["Approve", "Deny"]
    product: str = ""
    port: tuple[str, str] | None = None
    request: Key | None = None
    consumer_namespace: str = ""
    consumer: Key | None = None
    mode: str = ""
    ends: datetime | None = None
    permanent: bool = False
    note: str = ""
    approver: str = ""
    """Whose approval it is; empty where it does not say."""
    deleting: bool = False
    held: bool = False
    superseded: bool = False
    cap: timedelta | None = None
    """The longest duration that its port allowed when it gave."""
    approvals: int = 1
    """On how many approvals the access rests that it gives."""
    required: int = 1
    """How many the port asked for when this one was first seen: it never gives with fewer."""
    data: "DataTerms | None" = None
    """What the product said of its data when it came into effect; None where that was not recorded."""
    is_reassessment_due: bool = False
    """Status says so."""
    generation: int = 0
    """Of the spec that was read."""
    ended: bool = False
    """Access on this very spec ended by its port's terms, or with its port: it never gives again as it is."""
    given_domain: str = ""
    """The consumer's Domain when it gave, and the UID of its namespace; empty where it has not given yet."""
    given_namespace: str = ""
    owner: str = ""
    """The mark of the request for which the operator itself made it; empty where somebody else did."""
    denied: bool = False
    """It violates a policy whose enforcement is Deny, or may do so: it gives nothing new."""
    undecided: bool = False
    """Whether it does could not be asked just now."""
    readable: bool = True


@dataclass(frozen=True)
class DataTerms:
    """What a product says of its data."""

    classification: str
    personal_data: bool


@dataclass(frozen=True)
class Port:
    """An output port, as the product has it, or (draining) as it had it last."""

    name: str
    major: str
    version: str
    path: str
    approval: str = "Manual"
    max_duration: timedelta | None = None
    min_duration: timedelta = timedelta(hours=1)
    allow_permanent: bool = False
    rotate_after: timedelta | None = None
    modes: tuple[str, ...] | None = DEFAULT_MODES
    """None where they cannot be read or are not known any more."""
    draining: bool = False
    deprecated: bool = False
    """No new access is given; what runs goes on."""
    refused: bool = False
    """A policy refuses these terms, or it is not known whether one does: nothing lasts longer by them."""
    keep_given: bool = False
    """What was given stands to the end that it was given with, whatever the cap is now."""
    approvals: int | None = 1
    """How many people have to approve; None where that cannot be read or is not known any more."""
    answer_within: timedelta | None = None


@dataclass(frozen=True)
class Offer:
    """What a DataProduct offers, and how its bucket is."""

    key: Key
    uid: str
    lifecycle: str
    ports: tuple[Port, ...] = ()
    former_ports: tuple[Port, ...] = ()
    """Ports that status still tells of."""
    deleting: bool = False
    cut_off: frozenset[str] = frozenset()
    """The product's name, or `port/version`: access that is to end now."""
    suspended: bool = False
    mode: str = "Manage"
    store: str = ""
    bucket: str = ""
    region: str = ""
    """Of the bucket, where it was read; empty: as the store's spec says."""
    verified: bool = False
    storage_reason: str = ""
    """Why the bucket is not as it should be; empty where it is."""
    storage_message: str = ""
    denied: bool = False
    """It violates a policy whose enforcement is Deny."""
    undecided: bool = False
    """Whether it does could not be asked."""
    data: DataTerms | None = None
    """None where it cannot be read."""
    readable: bool = True


@dataclass(frozen=True)
class Home:
    """A Domain, seen from what is in its namespaces."""

    name: str
    cordoned: bool = False
    """It takes nothing new: its spec says so, or it violates a policy that denies."""
    labels: Mapping[str, str] = field(default_factory=dict)
    readable: bool = True
    deleting: bool = False
    """It takes nothing new, so that it can go, and what came after its deletion is its successor's."""
    denied: bool = False
    """It is closed because it violates a policy that denies, and not by its spec."""
    undecided: bool = False
    """Whether it does could not be asked, so it takes nothing new for now."""


@dataclass(frozen=True)
class Decision:
    """Whether access is to be, and why. Only with `grant` it is; `until` is then its end, None for none.

    Of access that has expired `until` is the end that passed, where a grant still tells it.
    """

    reason: str
    message: str
    stalled: bool = False
    """Somebody must change something; else something else must happen first."""
    grant: Answer | None = None
    """The approval whose end is the access's: of several that are needed together the one that ends first."""
    others: tuple[Answer, ...] = ()
    """The others of them, and of those that would give where an obstacle keeps them from that."""
    required: int = 1
    """On how many approvals it rests."""
    until: datetime | None = None
    port: Port | None = None
    answer: bool = False
    """The port's approval is Auto, and a grant is to be made now."""
    superseded: tuple[Answer, ...] = ()
    """Approvals that never give again, though their status does not say so yet."""
    past: bool = False
    """Access ended by time, whatever else keeps it from being given now."""
    unnoted: tuple[Answer, ...] = ()
    """Approvals with the number that the port asks for by now, which their status does not say yet."""
    ended: tuple[Answer, ...] = ()
    """Approvals that ended by their port's terms, or with their port, though their status does not say so yet."""
    trouble: "Decision | None" = None
    """Access is kept, and this is what is wrong with it."""
    stays: bool = False
    """Access goes on, and nothing new is given: it reaches nothing beyond what was recorded."""
    behind: "Decision | None" = None
    """Access goes on behind this obstacle, for which nothing new is given."""
    withheld: Answer | None = None
    """The approval that would give, where only an obstacle keeps it from that."""
    passes: bool = False
    """An obstacle that nobody decided on: what runs passes to another approval meanwhile, as when a grant is renamed."""

    @property
    def gives(self) -> bool:
        return self.grant is not None

    @property
    def grants(self) -> tuple[Answer, ...]:
        """Every approval that gives."""
        return (*self.others, self.grant) if self.grant is not None else ()

    def rests_on(self, answer: Answer) -> bool:
        """Whether a grant is one of those that give."""
        return any(one.uid == answer.uid for one in self.grants)

    @property
    def is_frozen(self) -> bool:
        """Access is kept as it is, and nothing about it is written: something that it rests on cannot be read."""
        return self.trouble is not None and self.trouble.reason == reasons.UNREADABLE
