"""A principal of a store (an IAM user with one inline policy and its keys), and how a store is reached."""

from dataclasses import dataclass, field

from clouddatamesh.model.aws import is_aws_endpoint, partition_of
from clouddatamesh.model.bucket import Statement, Tags


@dataclass(frozen=True, order=True)
class AccessKey:
    """An access key as it can be read back: never with its secret."""

    id: str
    active: bool = True
    created: str = ""
    """RFC 3339, UTC."""


@dataclass(frozen=True)
class IssuedKey:
    """A new key, as the store hands it out once. Its secret never shows in a repr, a log or a status."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Principal:
    """An IAM user as wanted or as read. `policy` is the inline policy named PREFIX; `other_policies` names any further ones.

    `attached` are ARNs of managed policies, `groups` names of groups: both give what our policy does not say.
    """

    name: str
    path: str
    tags: Tags = ()
    policy: tuple[Statement, ...] | None = None
    other_policies: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    keys: tuple[AccessKey, ...] = ()


@dataclass(frozen=True)
class Connection:
    """How one store is reached. Two equal connections may share their clients.

    `endpoint` is None, or one of its own, on AWS; `iam_endpoint` None is AWS's. `plain_endpoint` is the same store without TLS, where that
    is known: nothing but what must be refused is sent there. `access_key_id` None means the SDK's own chain (workload identity).
    `expected_owner` is the account id sent as ExpectedBucketOwner, None where the store does not answer to it.
    `settings` names the capabilities whose settings are read and written: others are left alone and cost no call.
    """

    region: str
    endpoint: str | None = None
    iam_endpoint: str | None = None
    addressing_style: str = "path"
    ca_bundle: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    expected_owner: str | None = None
    settings: frozenset[str] = frozenset()
    plain_endpoint: str | None = None

    @property
    def is_aws(self) -> bool:
        """Whether it is AWS that answers."""
        return is_aws_endpoint(self.endpoint)

    @property
    def partition(self) -> str:
        """The second word of the store's ARNs."""
        return partition_of(self.region) if self.is_aws else "aws"


@dataclass(frozen=True)
class StoreAccount:
    """Whose credentials these are: the account that owns what they make, empty where the store does not say."""

    id: str = ""
