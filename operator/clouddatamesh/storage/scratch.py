"""The scratch bucket of a probe, what reaches it, and what an answer on it proves: that the store can, that it cannot, or nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.storage.errors import code_of, status_of, verdict_of_code
from clouddatamesh.storage.settings import UNSET

KEY: Final = "clouddatamesh-probe"
MARK: Final = {"Key": "clouddatamesh.dev/probe", "Value": "true"}
"""On every bucket that a probe made."""
_BODY: Final = b"probe"
_TRIES: Final = 3
_PAUSES: Final = (0.1, 0.4)
_BUDGET: Final = 3.0
_NOT_DONE: Final = (
    "NotImplemented", "501", "MethodNotAllowed", "405", "Unsupported", "NotSupportedService", "InvalidAction", "UnsupportedMediaType",
    "InvalidArgument", "InvalidRequest", "InvalidInput", "InvalidParameterValue", "ValidationError", "MalformedXML", "MalformedPolicy",
    "MalformedPolicyDocument", "InvalidEncryptionAlgorithmError", "InvalidTag", "InvalidBucketState", "FeatureDisabled",
)  # fmt: skip
"""Codes by which a store says that it does not do such a thing, now or later."""

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


class Unproven(Exception):
    """What was seen says nothing of what the store can do."""


class Patience:
    """Waits between tries, no longer than the budget in a whole probe."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep, self._left = sleep, _BUDGET

    def wait(self, failed: int) -> bool:
        """Whether to try again after so many failures; waits where it is so."""
        if failed >= _TRIES or _PAUSES[failed - 1] > self._left:
            return False
        self._left -= _PAUSES[failed - 1]
        self._sleep(_PAUSES[failed - 1])
        return True

    def give_up(self) -> None:
        """The store does not answer: nothing more is waited for."""
        self._left = 0.0


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
                    if is_not_done(error) or not self._patience.wait(failed):
                        raise

        return repeated


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

    @property
    def patient_s3(self) -> Any:
        return Patient(self.s3, self.patience)

    @property
    def patient_iam(self) -> Any:
        return Patient(self.iam, self.patience)

    def shows(self, read: Callable[[], object], why: str) -> None:
        """Raise Unsupported with `why` unless it reads as true, now or a moment later: some stores read late."""
        failed = 0
        while (trouble := _trouble_of(read, why)) is not None:
            failed += 1
            if isinstance(trouble, ClientError) and is_not_done(trouble):
                raise trouble
            if not self.patience.wait(failed):
                raise trouble if failed >= _TRIES else Unproven(why)

    def write_and_read(self, after: str) -> None:
        """An object must still go in and come out; some stores accept a setting and break on the first write."""
        for operation, arguments in (("put_object", {"Body": _BODY}), ("get_object", {})):
            try:
                answer = getattr(self.patient_s3, operation)(Bucket=self.bucket, Key=KEY, **arguments)
            except ClientError as error:
                if not is_not_done(error):
                    raise
                raise Unsupported(f"{error.operation_name} failed after {after}: {code_of(error)}") from error
        if answer["Body"].read() != _BODY:
            raise Unsupported(f"An object was not read back as written after {after}")

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
            with suppress(ClientError):
                if getattr(self.s3, read)(Bucket=self.bucket).get(part):
                    getattr(self.s3, remove)(Bucket=self.bucket)
        with suppress(ClientError):
            self._suspend()
        for key, version in self.versions():
            if key == KEY:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

    def _suspend(self) -> None:
        """Only where versions were ever kept: on a bucket that never kept any it would be a setting of its own."""
        if self.s3.get_bucket_versioning(Bucket=self.bucket).get("Status") == "Enabled":
            self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Suspended"})


def _trouble_of(read: Callable[[], object], why: str) -> Exception | None:
    """None where it reads as true. That the setting is not there, or not in the shape that was written, is a verdict; a refusal is not."""
    with suppress(KeyError, IndexError, ValueError):
        try:
            return None if read() else Unsupported(why)
        except ClientError as error:
            return Unsupported(why) if code_of(error) in UNSET else error
    return Unsupported(why)
