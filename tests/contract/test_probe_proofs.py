"""What a Yes of the probe rests on: a request that must be refused was refused, the effect was seen, or the setting was only read back."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection
from clouddatamesh.plan import policies
from clouddatamesh.storage.clients import BotoStores
from clouddatamesh.storage.policy import build_document
from hack.tools.store import Store
from tests.contract.test_probe import Fault, Probing, always, refusal
from tests.contract.worlds import fresh, over_boto

pytestmark = pytest.mark.real


@pytest.fixture
def probing(moto: Store) -> Iterator[Probing]:
    probing = Probing(moto)
    yield probing
    for client in (probing.s3, probing.sts, probing.iam):
        client.close()


def body(_: int) -> dict[str, Any]:
    """The object, and nothing else about it."""
    return {"Body": io.BytesIO(b"probe")}


def test_each_capability_says_on_what_it_rests(probing: Probing) -> None:
    found = probing.run(put_object_acl=always("AccessControlListNotSupported", 400))
    assert {name: one.proof for name, one in found.items() if one.verdict == "Yes"} == {
        b.ATTACHED_POLICIES: "ReadBack",
        b.ENCRYPTION: "Effect",
        b.GROUPS: "ReadBack",
        b.IDENTITIES: "Refused",
        b.LIFECYCLE: "ReadBack",
        b.OBJECT_OWNERSHIP: "Refused",
        b.TAGS: "ReadBack",
        b.VERSIONING: "Effect",
    }


def test_an_owner_of_every_object_is_none_where_an_acl_is_still_taken(probing: Probing) -> None:
    found = probing.run()[b.OBJECT_OWNERSHIP]
    assert (found.verdict, found.message) == ("No", "An ACL is accepted while the bucket's owner owns every object")
    busy = probing.run(put_object_acl=always("SlowDown", 503))[b.OBJECT_OWNERSHIP]
    assert busy.verdict == "Unclear"


def test_encryption_that_no_object_shows_was_only_read_back(probing: Probing) -> None:
    found = probing.run(get_object=body)[b.ENCRYPTION]
    assert (found.verdict, found.proof) == ("Yes", "ReadBack")


def test_a_public_acl_that_is_accepted_is_public_access(probing: Probing) -> None:
    public: Fault = lambda number: refusal("AccessDenied", 403) if number % 2 == 0 else None  # noqa: E731
    found = probing.run(put_bucket_policy=public, put_object_acl=lambda _: {})[b.BLOCK_PUBLIC_ACCESS]
    assert (found.verdict, found.message) == ("No", "A public ACL is accepted while public access is blocked")


def test_a_user_whose_key_does_more_than_its_policy_is_no_identity(probing: Probing) -> None:
    probing.of_users = {"put_object": lambda _: {}}
    found = probing.run()[b.IDENTITIES]
    assert (found.verdict, found.message) == ("No", "A user's key writes, which its policy does not allow")


def test_a_user_whose_key_outlives_its_policy_is_no_identity(probing: Probing) -> None:
    probing.of_users = {"get_object": body}
    found = probing.run()[b.IDENTITIES]
    assert (found.verdict, found.message) == ("Unseen", "A user's key reads after its policy was removed")


def test_a_key_that_is_not_accepted_in_time_proves_nothing_and_is_no_reason_to_stop(probing: Probing) -> None:
    probing.of_users = {"get_object": always("InvalidAccessKeyId", 403)}
    found = probing.run()[b.IDENTITIES]
    assert (found.verdict, found.proof) == ("Yes", "ReadBack")
    assert "not accepted in time" in found.message


def document(probing: Probing) -> str:
    """As the attempt for TLS writes it."""
    arn = f"arn:aws:s3:::{probing.scratch}/*"
    actions = ("s3:GetObject", "s3:PutObject")
    written = (replace(one, actions=actions, resources=(arn,)) for one in policies.tls_only(probing.scratch))
    return build_document(tuple(written))


AWS: Final = Connection("us-east-1")


def tls(probing: Probing, *, at: Connection | None = None, **of_users: Fault) -> b.Capability:
    """The verdict where the policy is taken, and shows; what it does is what the faults of users say: moto does not look at conditions."""
    probing.tls, probing.of_users, probing.connection = True, of_users, at or probing.connection
    found = probing.run(put_bucket_policy=lambda _: {}, get_bucket_policy=lambda _: {"Policy": document(probing)})
    return found[b.TLS_ONLY]


def since_the_policy(fault: Exception) -> Fault:
    """The first request is made before."""
    return lambda number: fault if number > 1 else None


def test_tls_is_proven_by_a_request_without_it_that_was_served_before_the_policy_and_refused_after(probing: Probing) -> None:
    found = tls(probing, plain_get_object=since_the_policy(refusal("AccessDenied", 403)))
    assert (found.verdict, found.proof, found.message) == ("Yes", "Refused", "")


def test_tls_is_not_enforced_where_a_request_without_it_is_still_served(probing: Probing) -> None:
    found = tls(probing)
    assert (found.verdict, found.harmful) == ("Unseen", False)
    assert found.message == "A request without TLS is served, whatever the policy says"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (always("AccessDenied", 403), "answers AccessDenied"),
        (always("301", 301), "answers 301"),
        (lambda _: {"Body": io.BytesIO(b"<html>Please log in</html>")}, "answers something else"),
        (lambda _: EndpointConnectionError(endpoint_url="http://x"), "answers nothing"),
        (since_the_policy(refusal("SlowDown", 503)), "SlowDown"),
        (since_the_policy(EndpointConnectionError(endpoint_url="http://x")), "no answer came"),
    ],
    ids=[
        "it is refused anyway",
        "it is sent elsewhere",
        "somebody else answers",
        "nobody answers",
        "the store is busy",
        "nobody answers any more",
    ],
)
def test_what_could_not_be_tried_without_tls_is_said_to_be_unproven(probing: Probing, fault: Fault, told: str) -> None:
    found = tls(probing, plain_get_object=fault)
    assert (found.verdict, found.proof) == ("Yes", "Unproven")
    assert told in found.message
    assert "could not be tried" in found.message


def test_who_is_refused_over_tls_by_the_policy_alone_is_harmed_by_it(probing: Probing) -> None:
    found = tls(probing, get_object=lambda number: refusal("AccessDenied", 403) if number in (2, 4) else None)
    assert (found.verdict, found.harmful) == ("No", True)


def test_who_is_refused_over_tls_once_is_not_harmed(probing: Probing) -> None:
    """With the policy, without it, with it again: only what follows the policy is its doing."""
    denied = since_the_policy(refusal("AccessDenied", 403))
    once: Fault = lambda number: refusal("AccessDenied", 403) if number == 2 else None  # noqa: E731
    assert tls(probing, get_object=once, plain_get_object=denied).proof == "Refused"
    found = tls(probing, get_object=lambda number: refusal("AccessDenied", 403) if number >= 2 else None)
    assert (found.verdict, found.harmful) == ("Unclear", False)


def test_where_no_user_may_read_at_all_nothing_is_known_of_tls(probing: Probing) -> None:
    assert tls(probing, get_object=always("AccessDenied", 403)).verdict == "Unclear"


def test_on_aws_the_operator_asks_over_tls_where_a_new_key_takes_its_time_and_nobody_asks_without(probing: Probing) -> None:
    asked = lambda _: pytest.fail("the operator's key went out without TLS")  # noqa: E731
    found = tls(probing, at=AWS, get_object=always("InvalidAccessKeyId", 403), plain_get_object=asked)
    assert (found.verdict, found.proof) == ("Yes", "Unproven")
    assert "a new user's key was not accepted in time" in found.message


def test_on_aws_what_does_not_show_in_time_is_unclear(probing: Probing) -> None:
    probing.connection = AWS
    found = probing.run(get_bucket_encryption=always("ServerSideEncryptionConfigurationNotFoundError", 404))
    assert found[b.ENCRYPTION].verdict == "Unclear"
    assert found[b.BLOCK_PUBLIC_ACCESS].verdict == "Unclear", "moto takes a public policy"


def test_on_aws_a_policy_that_takes_its_time_is_unproven(probing: Probing) -> None:
    found = tls(probing, at=AWS)
    assert (found.verdict, found.proof) == ("Yes", "Unproven")
    assert "some seconds after the policy was read back" in found.message


def test_every_request_about_the_scratch_bucket_names_its_owner_once_the_store_is_known_to_look(probing: Probing) -> None:
    """A bucket of that name that is a stranger's is neither read nor written."""
    probing.connection = replace(probing.connection, expected_owner="123456789012")
    sent: list[tuple[str, str | None]] = []

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        sent.append((model.name, params["headers"].get("x-amz-expected-bucket-owner")))

    probing.s3.meta.events.register("before-call.s3", note)
    probing.run()
    assert {name for name, owner in sent if owner is None} <= {"CreateBucket", "ListBuckets"}
    assert len(sent) > 30


def refuse_without_digest(request: AWSRequest, **_: Any) -> AWSResponse | None:
    """As stores of before 2025 do, some of them on every write."""
    if request.method not in ("PUT", "POST") or "Content-MD5" in request.headers:
        return None
    words = b"<Error><Code>InvalidRequest</Code><Message>Missing required header for this request: Content-MD5</Message></Error>"
    raw = io.BytesIO(words)
    raw.stream = lambda: iter((words,))  # type: ignore[attr-defined]
    return AWSResponse(request.url, 400, {"Content-Type": "application/xml"}, raw)


def test_a_store_that_wants_a_digest_with_every_write_can_do_what_others_can(moto: Store) -> None:
    stores, plain = BotoStores(), over_boto(moto).connection
    stores._client("s3", plain).meta.events.register("before-send.s3", refuse_without_digest)
    found = stores.buckets(plain).probe(fresh("probe"))
    usual = over_boto(moto).able
    assert {capability.name for capability in found if capability.verdict == "Yes"} == usual
