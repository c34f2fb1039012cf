"""The scratch bucket of a probe, what reaches it, and what an answer on it proves: that the store can, that it cannot, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.answers import NotAnAnswerError
from clouddatamesh.storage.errors import code_of, status_of, verdict_of_code
from clouddatamesh.storage.settings import UNSET

Shown: TypeAlias = tuple[b.Proof, str]
"""What an attempt that succeeded proves, and what it could not try."""
Key: TypeAlias = tuple[str, str]
"""An access key and its secret."""
KEY: Final = "clouddatamesh-probe"
MARK: Final = {"Key": "clouddatamesh.dev/probe", "Value": "true"}
"""On every bucket that a probe made."""
_BODY: Final = b"probe"
_REFUSED: Final = ((0.1, 0.4), 3.0)
"""Seconds between the tries of a request that is refused for the moment, and how long a whole probe waits for such."""
_LATE: Final = ((0.1, 0.4, 1.0, 2.0, 4.0, 8.0), 45.0)
"""The same for what was written and does not show yet: reads of IAM and of settings may be many seconds old."""
_NOT_DONE: Final = (
    "NotImplemented", "501", "MethodNotAllowed", "405", "Unsupported", "NotSupportedService", "InvalidAction", "UnsupportedMediaType",
    "InvalidArgument", "InvalidRequest", "InvalidInput", "InvalidParameterValue", "ValidationError", "MalformedXML", "MalformedPolicy",
    "MalformedPolicyDocument", "InvalidEncryptionAlgorithmError", "InvalidTag", "InvalidBucketState", "FeatureDisabled",
    "AccessControlListNotSupported",
)  # fmt: skip
"""Codes by which a store says that it does not do such a thing, now or later."""

_NOT_YET: Final = ("NoSuchBucket", "NoSuchEntity", "NoSuchEntityException", "404")
"""Codes by which a store says of what was just made that it is not there."""

_SETTINGS: Final = (
    ("get_bucket_policy", "Policy", "delete_bucket_policy"),
    ("get_public_access_block", "PublicAccessBlockConfiguration", "delete_public_access_block"),
    ("get_bucket_ownership_controls", "OwnershipControls", "delete_bucket_ownership_controls"),
    ("get_bucket_encryption", "ServerSideEncryptionConfiguration", "delete_bucket_encryption"),
    ("get_bucket_lifecycle_configuration", "Rules", "delete_bucket_lifecycle"),
)
"""How each setting is read, where the answer has it, and how it is removed."""


class Unsupported(Exception):
    """The store answered, and what it did is not what was asked of it."""


class Harmful(Unsupported):
    """It refuses what it must let through."""


class Unseen(Exception):
    """The store took it, and does not show it; it may show it later."""


class Unproven(Exception):
    """What was seen says nothing of what the store can do."""


class Wait:
    """Pauses between tries, no longer than the budget in a whole probe."""

    def __init__(self, sleep: Callable[[float], None], pauses: tuple[float, ...], budget: float) -> None:
        self._sleep, self._pauses, self._left = sleep, pauses, budget

    def again(self, failed: int) -> bool:
        """Whether to try again after so many failures; waits where it is so."""
        if self.is_last(failed) or self._pauses[failed - 1] > self._left:
            return False
        self._left -= self._pauses[failed - 1]
        self._sleep(self._pauses[failed - 1])
        return True

    def is_last(self, failed: int) -> bool:
        """Whether that was the last try, and not the end of the budget."""
        return failed > len(self._pauses)

    def give_up(self) -> None:
        """Nothing more is waited for."""
        self._left = 0.0


class Patience:
    """How long a probe waits: for what is refused for the moment, and for what shows late."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.refused, self.late = Wait(sleep, *_REFUSED), Wait(sleep, *_LATE)

    def of(self, trouble: Exception) -> Wait:
        """What is not there yet may take its time; any other refusal passes soon or not at all."""
        is_late = code_of(trouble) in _NOT_YET if isinstance(trouble, ClientError) else isinstance(trouble, Unseen)
        return self.late if is_late else self.refused

    def give_up(self) -> None:
        """The store does not answer."""
        self.refused.give_up()
        self.late.give_up()


class Patient:
    """A client whose requests are repeated where the refusal may pass: a conflict, what is not visible yet, throttling."""

    def __init__(self, client: Any, patience: Patience) -> None:
        self._client, self._patience = client, patience

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._client, operation)

        def repeated(**arguments: Any) -> Any:
            failed = 0
            while True:
                try:
                    return call(**arguments)
                except ClientError as error:
                    failed += 1
                    if is_not_done(error) or not self._patience.of(error).again(failed):
                        raise

        return repeated


class Owned:
    """A client that names the account which must own the bucket: a name that was free for a moment may be a stranger's."""

    def __init__(self, client: Any, owner: str) -> None:
        self._client, self._owner = client, owner

    def __getattr__(self, operation: str) -> Any:
        found = getattr(self._client, operation)
        if operation in ("meta", "create_bucket", "list_buckets"):
            return found
        return lambda **arguments: found(**{"ExpectedBucketOwner": self._owner, **arguments})


class Opener(Protocol):
    """Opens a client of the same store that is not kept, with another key."""

    def __call__(self, key: Key, *, plain: bool) -> Any:
        """`plain`: without TLS. None where no endpoint for that is known."""


@dataclass
class Guest:
    """The user that the attempts of one probe share, once it was made."""

    name: str = ""
    key: Key | None = field(default=None, repr=False)


def is_not_done(error: ClientError) -> bool:
    """Whether the store positively does not do what was asked. What is absent, refused, in conflict or busy proves nothing."""
    code, status = code_of(error), status_of(error)
    if "Content-MD5" in str((error.response.get("Error") or {}).get("Message")):
        return False  # it is our request that it does not like
    return status in (405, 501) or code in _NOT_DONE or (status == 400 and verdict_of_code(code) is None)


def is_denied(error: ClientError) -> bool:
    """Whether it is a refusal for want of a permission."""
    verdict = verdict_of_code(code_of(error))
    return status_of(error) == 403 and (verdict is None or verdict[1] == reasons.ACCESS_DENIED)


@dataclass(frozen=True)
class Scratch:
    """The scratch bucket and what reaches it. `s3` and `iam` are plain clients; `patient_s3` and `patient_iam` try again."""

    s3: Any
    iam: Any
    bucket: str
    account: str
    patience: Patience
    open_as: Opener | None = None
    guest: Guest = field(default_factory=Guest)
    is_aws: bool = False
    partition: str = "aws"

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def patient_s3(self) -> Any:
        return Patient(self.s3, self.patience)

    @property
    def patient_iam(self) -> Any:
        return Patient(self.iam, self.patience)

    def shows(self, read: Callable[[], object], why: str) -> None:
        """Raise Unseen with `why` unless it reads as true, now or some seconds later: some stores read late."""
        self._await(read, Unseen(why))

    def holds(self, check: Callable[[], object], why: str) -> None:
        """Raise Unsupported with `why` unless the effect is there. What a setting does shows late on AWS alone."""
        self._await(check, Unseen(why) if self.is_aws else Unsupported(why))

    def _await(self, read: Callable[[], object], shown: Exception) -> None:
        failed = 0
        while (trouble := _trouble_of(read, shown)) is not None:
            failed, wait = failed + 1, self.patience.of(trouble)
            if isinstance(trouble, ClientError) and is_not_done(trouble):
                raise trouble
            if not wait.again(failed):
                raise trouble if wait.is_last(failed) else Unproven(str(shown))

    @contextmanager
    def client(self, key: Key, *, plain: bool = False) -> Iterator[Any]:
        """A client for the moment; None where none can be opened."""
        found = self.open_as(key, plain=plain) if self.open_as is not None else None
        if found is None:
            yield None
            return
        with closing(found):
            yield found

    def write_and_read(self, after: str) -> dict[str, Any]:
        """An object must still go in and come out; some stores accept a setting and break on the first write. What it came out with."""
        for operation, arguments in (("put_object", {"Body": _BODY}), ("get_object", {})):
            try:
                answer = getattr(self.patient_s3, operation)(Bucket=self.bucket, Key=KEY, **arguments)
            except ClientError as error:
                if not is_not_done(error):
                    raise
                raise Unsupported(f"{error.operation_name} failed after {after}: {code_of(error)}") from error
        if answer["Body"].read() != _BODY:
            raise Unsupported(f"An object was not read back as written after {after}")
        return dict(answer)

    def is_served(self, s3: Any) -> bool:
        """Whether the object comes out by that client. What refuses it is raised; a page of somebody else's is not the object."""
        return bool(s3.get_object(Bucket=self.bucket, Key=KEY)["Body"].read() == _BODY)

    def versions(self) -> list[tuple[str, str]]:
        """Key and id of each version and delete marker; of a scratch bucket there are few."""
        found = self.s3.list_object_versions(Bucket=self.bucket)
        return [(item["Key"], item["VersionId"]) for part in ("Versions", "DeleteMarkers") for item in found.get(part, ())]

    def clean(self) -> None:
        """As a new bucket is: without the settings and versions of an earlier probe.

        Only what reads as set is removed, and objects go last: RGW takes DeleteBucketOwnershipControls, which it does not know, for
        DeleteBucket, and deletes a bucket that is empty.
        """
        for read, part, remove in _SETTINGS:
            with suppress(ClientError, NotAnAnswerError):
                if getattr(self.s3, read)(Bucket=self.bucket).get(part):
                    getattr(self.s3, remove)(Bucket=self.bucket)
        with suppress(ClientError, NotAnAnswerError):
            self._suspend()
        for key, version in self.versions():
            if key == KEY:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

    def _suspend(self) -> None:
        """Only where versions were ever kept: on a bucket that never kept any it would be a setting of its own."""
        if self.s3.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled":
            self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Suspended"})


def _trouble_of(read: Callable[[], object], shown: Exception) -> Exception | None:
    """None where it reads as true. That the setting is not there, or not in the shape that was written, is `shown`; a refusal is not."""
    with suppress(KeyError, IndexError, ValueError):
        try:
            return None if read() else shown
        except ClientError as error:
            return shown if code_of(error) in UNSET else error
    return shown
