"""A principal of a store (an IAM user with one inline policy and its keys), and how a store is reached."""

from dataclasses import dataclass, field

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

    `endpoint` and `iam_endpoint` are None on AWS. `access_key_id` None means the SDK's own chain (workload identity).
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


@dataclass(frozen=True)
class StoreAccount:
    """Whose credentials these are: the account that owns what they make, empty where the store does not say."""

    id: str = ""
