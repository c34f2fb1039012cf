"""What a probe concludes: a store that refuses, stumbles, lags or is silent for a moment proves nothing of what it can do."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection
from clouddatamesh.storage.s3 import S3Buckets
from hack.tools.store import Store
from tests.contract.worlds import fresh

pytestmark = pytest.mark.real

Fault = Callable[[int], Exception | dict[str, Any] | None]
"""By the number of the call, from 1: what is raised or answered instead; None: the store's own answer."""


class Faulty:
    """A client some of whose operations go wrong. `asked` names every operation in order.

    It says of itself that it speaks over TLS where it is told to: the statement is tried nowhere else.
    """

    def __init__(self, client: Any, faults: dict[str, Fault], *, tls: bool = False) -> None:
        self._client, self._faults, self._tls = client, faults, tls
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name == "meta":
            return SimpleNamespace(endpoint_url="https://store.test") if self._tls else found

        def call(**arguments: Any) -> Any:
            self.asked.append(name)
            outcome = self._faults.get(name, _never)(self.asked.count(name))
            if isinstance(outcome, Exception):
                raise outcome
            return found(**arguments) if outcome is None else outcome

        return call


def _never(_: int) -> None:
    return None


def refusal(code: str, status: int, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutBucketEncryption")


def always(code: str, status: int, message: str = "") -> Fault:
    return lambda _: refusal(code, status, message)


def first(times: int, code: str, status: int) -> Fault:
    return lambda number: refusal(code, status) if number <= times else None


class Probing:
    """A probe of moto over clients that go wrong."""

    def __init__(self, store: Store) -> None:
        self.s3, self.sts, self.iam = (store.client(service) for service in ("s3", "sts", "iam"))
        self.connection = Connection(store.region, store.endpoint, store.endpoint)
        self._store = store
        self.of_users: dict[str, Fault] = {}
        """What goes wrong with requests that are signed by the probe's user."""
        self.scratch = fresh("probe")
        self.tls = False
        self.slept: list[float] = []
        self.asked: list[str] = []

    def run(self, **faults: Fault) -> dict[str, b.Capability]:
        """The verdicts by name."""
        s3, iam = Faulty(self.s3, faults, tls=self.tls), Faulty(self.iam, faults)
        connection, sleep = self.connection, self.slept.append
        found = S3Buckets(s3, self.sts, iam, connection, open_as=self.open_as, sleep=sleep).probe(self.scratch)
        self.asked = s3.asked
        return {capability.name: capability for capability in found}

    def open_as(self, key: tuple[str, str], *, plain: bool) -> Any:
        """moto has no endpoint with TLS: what speaks without is what all speak."""
        client = self._store.client("s3", access_key=key[0], secret_key=key[1])
        faults = {name.removeprefix("plain_"): fault for name, fault in self.of_users.items() if name.startswith("plain_") == plain}
        return Faulty(client, faults)

    def verdicts(self, **faults: Fault) -> dict[str, str]:
        return {name: capability.verdict for name, capability in self.run(**faults).items()}


@pytest.fixture
def probing(moto: Store) -> Iterator[Probing]:
    probing = Probing(moto)
    yield probing
    for client in (probing.s3, probing.sts, probing.iam):
        client.close()


@pytest.fixture(scope="session")
def undisturbed(moto: Store) -> dict[str, str]:
    """What the store can do."""
    return Probing(moto).verdicts()


PASSING: Final = {
    "a conflict": ("OperationAborted", 409),
    "what is not there": ("NoSuchBucket", 404),
    "a missing permission": ("AccessDenied", 403),
    "throttling": ("SlowDown", 503),
    "an inner error": ("InternalError", 500),
    "a bad gateway without a word": ("502", 502),
    "an unknown conflict": ("Whatever", 409),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_no_verdict_and_spoils_no_other(probing: Probing, undisturbed: dict[str, str], fault: str) -> None:
    found = probing.run(put_bucket_encryption=always(*PASSING[fault]))
    assert found[b.ENCRYPTION].verdict == "Unclear"
    assert PASSING[fault][0] in found[b.ENCRYPTION].message
    others = {name: capability.verdict for name, capability in found.items() if name != b.ENCRYPTION}
    assert others == {name: verdict for name, verdict in undisturbed.items() if name != b.ENCRYPTION}


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_within_three_tries_is_as_if_it_never_was(probing: Probing, undisturbed: dict[str, str], fault: str) -> None:
    assert probing.verdicts(put_bucket_encryption=first(2, *PASSING[fault])) == undisturbed


@pytest.mark.parametrize(
    ("code", "status"),
    [("NotImplemented", 501), ("MethodNotAllowed", 405), ("405", 405), ("InvalidArgument", 400), ("VendorsOwnWord", 400)],
)
def test_what_the_store_says_that_it_does_not_do_is_no_at_once(probing: Probing, code: str, status: int) -> None:
    assert probing.run(put_bucket_encryption=always(code, status))[b.ENCRYPTION].verdict == "No"
    assert probing.asked.count("put_bucket_encryption") == 1


def test_a_request_that_the_store_wants_in_another_shape_says_nothing_of_what_it_can_do(probing: Probing) -> None:
    words = "Missing required header for this request: Content-MD5"
    assert probing.verdicts(put_bucket_encryption=always("InvalidRequest", 400, words))[b.ENCRYPTION] == "Unclear"


NOT_SET: Final = ("ServerSideEncryptionConfigurationNotFoundError", 404)


def test_a_setting_that_shows_late_is_there(probing: Probing, undisturbed: dict[str, str]) -> None:
    assert probing.verdicts(get_bucket_encryption=first(2, *NOT_SET)) == undisturbed


def test_a_setting_that_never_shows_may_still_show_later(probing: Probing) -> None:
    found = probing.run(get_bucket_encryption=always(*NOT_SET))
    assert found[b.ENCRYPTION] == b.Capability(b.ENCRYPTION, "Unseen", "Encryption was not read back as written")
    assert 10 < sum(probing.slept) < 20


def test_a_whole_probe_waits_for_what_shows_late_for_three_quarters_of_a_minute_at_most(probing: Probing) -> None:
    late = ("get_bucket_encryption", "get_bucket_lifecycle_configuration", "get_public_access_block", "get_bucket_ownership_controls")
    found = probing.verdicts(**dict.fromkeys(late, always(*NOT_SET)), list_user_policies=lambda _: {"PolicyNames": []})
    assert {found[name] for name in (b.BLOCK_PUBLIC_ACCESS, b.ENCRYPTION)} == {"Unseen"}
    assert (found[b.LIFECYCLE], found[b.OBJECT_OWNERSHIP]) == ("Unclear", "Unclear"), "there was no time left to wait for them"
    assert 30 < sum(probing.slept) <= 48


def test_a_setting_that_may_not_be_read_back_is_unclear(probing: Probing) -> None:
    assert probing.verdicts(get_bucket_encryption=always("AccessDenied", 403))[b.ENCRYPTION] == "Unclear"


def test_a_user_that_shows_late_is_there(probing: Probing, undisturbed: dict[str, str]) -> None:
    """After it was made: the first look, before that, is to find nothing in any case."""
    late: Fault = lambda number: refusal("NoSuchEntity", 404) if number in (2, 3, 4) else None  # noqa: E731
    assert probing.verdicts(get_user=late) == undisturbed


@pytest.mark.parametrize("operation", ["list_attached_user_policies", "list_groups_for_user"])
@pytest.mark.parametrize(
    ("code", "status", "verdict"), [("AccessDenied", 403, "Unclear"), ("InvalidAction", 400, "No"), ("405", 405, "No")]
)
def test_lists_of_what_else_a_user_has_are_known_by_being_answered(
    probing: Probing, operation: str, code: str, status: int, verdict: str
) -> None:
    name = {"list_attached_user_policies": b.ATTACHED_POLICIES, "list_groups_for_user": b.GROUPS}[operation]
    found = probing.verdicts(**{operation: always(code, status)})
    assert (found[name], found[b.IDENTITIES]) == (verdict, "Yes")


def test_silence_ends_the_asking_and_proves_nothing(probing: Probing) -> None:
    found = probing.run(put_bucket_lifecycle_configuration=lambda _: EndpointConnectionError(endpoint_url="http://x"))
    after = sorted(name for name in found if name >= b.LIFECYCLE)
    assert [found[name].verdict for name in after] == ["Unclear"] * len(after)
    assert found[b.ENCRYPTION].verdict == "Yes"
    assert "put_bucket_versioning" not in probing.asked[probing.asked.index("put_bucket_lifecycle_configuration") :]


def test_no_refusal_is_taken_for_the_one_that_was_expected(probing: Probing) -> None:
    """A public policy, and a wrong owner, must be refused by the setting and not by a store that is busy."""
    found = probing.verdicts(put_bucket_policy=always("SlowDown", 503))
    assert found[b.BLOCK_PUBLIC_ACCESS] == "Unclear"
    wrong: Fault = lambda number: refusal("ServiceUnavailable", 503) if number > 1 else None  # noqa: E731
    assert probing.verdicts(get_bucket_versioning=wrong)[b.EXPECTED_OWNER] == "Unclear"


def test_only_a_policy_that_is_refused_for_being_public_proves_the_block(probing: Probing) -> None:
    """moto takes it; the first policy of two is one that harms nobody."""
    public: Fault = lambda number: refusal("AccessDenied", 403) if number == 2 else None  # noqa: E731
    acl = always("AccessDenied", 403)
    assert probing.verdicts(put_bucket_policy=public, put_object_acl=acl)[b.BLOCK_PUBLIC_ACCESS] == "Yes"
    assert probing.verdicts(put_bucket_policy=always("AccessDenied", 403))[b.BLOCK_PUBLIC_ACCESS] == "Unclear"
    assert probing.verdicts(put_bucket_policy=always("NotImplemented", 501), put_object_acl=acl)[b.BLOCK_PUBLIC_ACCESS] == "Yes"


@pytest.mark.parametrize("code", ["AccessDenied", "OperationAborted"])
def test_objects_that_may_not_be_written_at_all_make_everything_unclear(probing: Probing, code: str) -> None:
    found = probing.run(put_object=always(code, 403 if code == "AccessDenied" else 409))
    assert {capability.verdict for capability in found.values()} == {"Unclear"}
    assert all(code in capability.message for capability in found.values())


@pytest.mark.parametrize(
    ("code", "status"), [("BucketAlreadyExists", 409), ("AccessDenied", 403), ("OperationAborted", 409), ("TooManyBuckets", 400)]
)
def test_a_scratch_bucket_that_cannot_be_made_makes_everything_unclear(probing: Probing, code: str, status: int) -> None:
    found = probing.run(create_bucket=always(code, status))
    assert {capability.verdict for capability in found.values()} == {"Unclear"}
    assert all(code in capability.message for capability in found.values())


def test_a_bucket_of_somebody_is_left_as_it_is(probing: Probing) -> None:
    probing.s3.create_bucket(Bucket=probing.scratch)
    theirs = [{"Key": "team", "Value": "data"}]
    probing.s3.put_bucket_tagging(Bucket=probing.scratch, Tagging={"TagSet": theirs})
    assert set(probing.verdicts().values()) == {"Unclear"}
    assert probing.s3.get_bucket_tagging(Bucket=probing.scratch)["TagSet"] == theirs


def test_a_user_of_somebody_is_left_as_it_is(probing: Probing, undisturbed: dict[str, str]) -> None:
    probing.iam.create_user(UserName=probing.scratch, Path="/theirs/")
    found = probing.run()
    of_users = {b.IDENTITIES, b.ATTACHED_POLICIES, b.GROUPS}
    assert {name for name, capability in found.items() if capability.verdict == "Unclear"} == of_users
    assert all("remove it" in found[name].message for name in of_users)
    assert probing.iam.get_user(UserName=probing.scratch)["User"]["Path"] == "/theirs/"
    assert {name: found[name].verdict for name in found if name not in of_users} == {
        name: verdict for name, verdict in undisturbed.items() if name not in of_users
    }


def test_leftovers_of_an_interrupted_probe_change_no_verdict_and_go(probing: Probing, undisturbed: dict[str, str]) -> None:
    s3, about = probing.s3, {"Bucket": probing.scratch}
    probing.run()
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    s3.put_bucket_encryption(**about, ServerSideEncryptionConfiguration={"Rules": rules})
    rule = {"ID": "probe", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(**about, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(**about, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        s3.put_object(**about, Key="clouddatamesh-probe", Body=b"old")
    assert probing.verdicts(put_bucket_versioning=always("NotImplemented", 501))[b.VERSIONING] == "No", "old versions prove nothing"
    assert probing.verdicts() == undisturbed
    assert "Versions" not in s3.list_object_versions(**about)
    for read in (s3.get_bucket_encryption, s3.get_bucket_lifecycle_configuration, s3.get_bucket_policy, s3.get_public_access_block):
        with pytest.raises(ClientError):
            read(**about)


def in_the_attempt(probing: Probing, fault: Callable[[], Exception | None]) -> Fault:
    """Wrong only while the bucket has the policy for TLS."""
    return lambda _: fault() if _is_denied_without_tls(probing) else None


def _is_denied_without_tls(probing: Probing) -> bool:
    try:
        return "aws:SecureTransport" in probing.s3.get_bucket_policy(Bucket=probing.scratch)["Policy"]
    except ClientError:
        return False


def test_a_store_that_takes_tls_for_none_is_found_out_and_can_still_be_cleaned(probing: Probing) -> None:
    """moto does not look at the condition, and so denies everybody what the statement denies."""
    probing.tls = True
    found = probing.run()
    assert found[b.TLS_ONLY].verdict == "No"
    assert "A request over TLS is refused" in found[b.TLS_ONLY].message
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        probing.s3.get_bucket_policy(Bucket=probing.scratch)
    assert probing.run() == found


def test_a_busy_store_is_not_taken_for_one_that_takes_tls_for_none(probing: Probing) -> None:
    probing.tls = True
    probing.of_users = {"get_object": in_the_attempt(probing, lambda: refusal("SlowDown", 503))}
    assert probing.run()[b.TLS_ONLY].verdict == "Unclear"


def test_a_whole_probe_waits_for_three_seconds_at_most(probing: Probing) -> None:
    refused = always("OperationAborted", 409)
    operations = ("put_bucket_encryption", "put_bucket_versioning", "put_bucket_lifecycle_configuration", "put_public_access_block")
    more = ("put_bucket_ownership_controls", "create_user", "get_bucket_versioning", "put_bucket_policy")
    found = probing.verdicts(**dict.fromkeys((*operations, *more), refused))
    assert list(found.values()).count("Unclear") >= 8
    assert 0 < sum(probing.slept) <= 3
