"""What a store can do with users, tried with one of the probe's own that may read the scratch bucket's objects and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.storage.errors import code_of
from clouddatamesh.storage.policy import build_document
from clouddatamesh.storage.scratch import KEY, Key, Scratch, Shown, Unproven, is_denied, is_not_done

_USER_PATH: Final = "/clouddatamesh-probe/"
_POLICY: Final = "probe"
_GONE: Final = ("NoSuchEntity", "NoSuchEntityException")


@contextmanager
def undone(undo: Callable[[], object]) -> Iterator[None]:
    """Undo in the end; what stays for want of an answer is removed by the next probe."""
    try:
        yield
    finally:
        with suppress(ClientError):
            undo()


def is_refused(act: Callable[[], object]) -> bool:
    """Whether the store refuses what it should. A conflict, a busy store or an unknown key is no refusal, and raised."""
    try:
        act()
    except ClientError as error:
        if is_denied(error) or is_not_done(error):
            return True
        raise
    return False


def make_user(scratch: Scratch) -> str:
    """The probe's own user: made once, since reads of IAM are late, and removed in the end."""
    guest, name = scratch.guest, scratch.bucket[:60]
    if not guest.name:
        remove_user(scratch.iam, name)
        scratch.patient_iam.create_user(UserName=name, Path=_USER_PATH)
        guest.name = name
    return name


def make_reader(scratch: Scratch) -> Key:
    """The key of that user, which may read the scratch bucket's objects from now on."""
    name, iam = make_user(scratch), scratch.patient_iam
    statement = b.Statement(f"{b.PREFIX}Probe", "Allow", ("s3:GetObject",), (f"{scratch.arn}/*",))
    iam.put_user_policy(UserName=name, PolicyName=_POLICY, PolicyDocument=build_document((statement,)))
    if scratch.guest.key is None:
        made = iam.create_access_key(UserName=name)["AccessKey"]
        scratch.guest.key = (made["AccessKeyId"], made["SecretAccessKey"])
    return scratch.guest.key


def is_let_in(scratch: Scratch, s3: Any) -> bool:
    """Whether it may read the object, now or some seconds later: a new key, and its policy, may take effect late."""
    failed = 0
    while True:
        with suppress(ClientError):
            if scratch.is_served(s3):
                return True
        failed += 1
        if not scratch.patience.late.again(failed):
            return False


def try_identities(scratch: Scratch) -> Shown:
    """A key opens what its user's policy allows, nothing else, and nothing once the policy is gone."""
    iam, name, key = scratch.iam, make_user(scratch), make_reader(scratch)
    scratch.shows(lambda: iam.get_user(UserName=name)["User"]["Path"] == _USER_PATH, "A user's path was not kept")
    scratch.shows(lambda: iam.list_user_policies(UserName=name)["PolicyNames"] == [_POLICY], "A user's policy was not read back")
    scratch.shows(lambda: _key_ids(iam, name) == [key[0]], "A user's key was not read back")
    with scratch.client(key) as s3:
        if s3 is None or not is_let_in(scratch, s3):
            return "ReadBack", "A new key was not accepted in time, so nothing was tried with it"
        return _prove(scratch, name, s3)


def _prove(scratch: Scratch, name: str, s3: Any) -> Shown:
    about = {"Bucket": scratch.bucket, "Key": KEY}
    writes = "A user's key writes, which its policy does not allow"
    scratch.holds(lambda: is_refused(lambda: s3.put_object(**about, Body=b"probe")), writes)
    if scratch.is_aws:
        return "Refused", "Whether access ends with its policy was not tried: AWS takes some seconds for it"
    scratch.patient_iam.delete_user_policy(UserName=name, PolicyName=_POLICY)
    reads = "A user's key reads after its policy was removed"
    scratch.shows(lambda: is_refused(lambda: s3.get_object(**about)), reads)
    return "Refused", ""


def try_attached_policies(scratch: Scratch) -> Shown:
    """They can be listed."""
    name, ask = make_user(scratch), scratch.iam.list_attached_user_policies
    scratch.shows(lambda: ask(UserName=name)["AttachedPolicies"] == [], "A new user's managed policies were not read as none")
    return "ReadBack", ""


def try_groups(scratch: Scratch) -> Shown:
    """They can be listed."""
    name, ask = make_user(scratch), scratch.iam.list_groups_for_user
    scratch.shows(lambda: ask(UserName=name)["Groups"] == [], "A new user's groups were not read as none")
    return "ReadBack", ""


def _key_ids(iam: Any, name: str) -> list[str]:
    return [str(item["AccessKeyId"]) for item in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]]


def remove_user(iam: Any, name: str) -> None:
    """A probe's own user by its path, whatever an interrupted probe left of it; anything else of that name is left."""
    found = _unless_gone(lambda: iam.get_user(UserName=name))
    if found is None:
        return
    if found["User"].get("Path") != _USER_PATH:
        raise Unproven(f"IAM user {name} is needed for probing and is somebody's; remove it")
    for key in (_unless_gone(lambda: iam.list_access_keys(UserName=name)) or {}).get("AccessKeyMetadata", ()):
        _unless_gone(partial(iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"]))
    for policy in (_unless_gone(lambda: iam.list_user_policies(UserName=name)) or {}).get("PolicyNames", ()):
        _unless_gone(partial(iam.delete_user_policy, UserName=name, PolicyName=policy))
    _unless_gone(lambda: iam.delete_user(UserName=name))


def _unless_gone(act: Callable[[], Any]) -> Any:
    """None where what it is about is gone; a read that is late may still have shown it."""
    try:
        return act()
    except ClientError as error:
        if code_of(error) in _GONE:
            return None
        raise
