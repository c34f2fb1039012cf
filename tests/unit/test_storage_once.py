"""What a single call of the IAM adapter does and concludes: one key by one call, and no answer that breaks its reader."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import ATTACHED_POLICIES, GROUPS, Bucket
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.storage.clients import BotoStores
from clouddatamesh.storage.iam import IamIdentities
from clouddatamesh.storage.s3 import S3Buckets
from tests.support.evidence import error_of, seen
from tests.unit.test_storage_clients import KEY_XML, answering, at

USER = {"User": {"UserName": "u", "Path": "/clouddatamesh/acme/"}}
READ: dict[str, Any] = {
    "get_user": USER,
    "list_user_policies": {"PolicyNames": []},
    "list_access_keys": {"AccessKeyMetadata": []},
    "list_attached_user_policies": {"AttachedPolicies": [{"PolicyName": "p", "PolicyArn": "arn:p"}]},
    "list_groups_for_user": {"Groups": [{"GroupName": "g"}]},
}
CONNECTION = Connection("us-east-1", settings=frozenset({ATTACHED_POLICIES, GROUPS}))


class Scripted:
    """A client whose operations answer what they are told to; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Any:
        answer = self._answers[operation]

        def call(**_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Act")


def identities(**answers: Any) -> IamIdentities:
    return IamIdentities(Scripted(**{**READ, **answers}), CONNECTION)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_key_is_asked_for_once_whatever_the_answer(status: int) -> None:
    with answering(b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", status=status) as (endpoint, asked):
        with pytest.raises(MeshError):
            BotoStores().identities(at(endpoint)).create_key("orders")
        assert len(asked) == 1


def test_a_key_is_asked_for_once_where_nothing_comes_back() -> None:
    """A lost answer: the key may have been made."""
    with answering(b"", drop=True) as (endpoint, asked):
        with pytest.raises(Transient) as caught:
            BotoStores().identities(at(endpoint)).create_key("orders")
        assert (caught.value.reason, len(asked)) == (reasons.STORE_UNAVAILABLE, 1)
        error_of(BotoStores().identities(at(endpoint)).observe("orders"))
        assert len(asked) > 2, "a read is tried again"


def test_a_key_that_is_answered_is_handed_out() -> None:
    with answering(KEY_XML) as (endpoint, asked):
        assert BotoStores().identities(at(endpoint)).create_key("orders").id == "NEWKEY"
    assert len(asked) == 1


def test_the_gate_is_asked_before_each_request_that_may_change_something() -> None:
    """Also before the second one of a write that is several: this process may have stood still between them, and lead no more."""
    gates: list[str] = []

    def gate(service: str) -> None:
        gates.append(service)
        if len(gates) > 1:
            raise Transient(reasons.CONFLICT, "Another replica leads")

    with answering(KEY_XML) as (endpoint, asked):
        stores = BotoStores(gate=gate, agent="clouddatamesh/1 (pod-0)")
        users, buckets = stores.identities(at(endpoint)), stores.buckets(at(endpoint))
        users.create_key("orders")
        sent = len(asked)
        for write in (lambda: users.create_key("orders"), lambda: buckets.delete("orders")):
            with pytest.raises(Transient, match="Another replica leads"):
                write()
        assert (len(asked), gates) == (sent, ["iam", "iam", "s3"])
        error_of(users.observe("orders"))
        assert len(asked) > sent, "reads go on"


def test_a_full_quota_of_keys_passes_and_one_of_users_does_not() -> None:
    full = refusal("LimitExceeded", 409)
    with pytest.raises(Transient) as keys:
        identities(create_access_key=full).create_key("u")
    with pytest.raises(Terminal) as users:
        identities(create_user=full).create(Principal("u", "/clouddatamesh/acme/"))
    assert keys.value.reason == users.value.reason == reasons.LIMIT_EXCEEDED


def test_a_user_that_is_said_to_exist_and_does_not_show_is_waited_for() -> None:
    late = identities(create_user=refusal("EntityAlreadyExists", 409), get_user=refusal("NoSuchEntity", 404))
    with pytest.raises(Transient) as caught:
        late.create(Principal("u", "/clouddatamesh/acme/"))
    assert caught.value.reason == reasons.CONFLICT


def test_managed_policies_and_groups_are_read_where_they_are_asked_for() -> None:
    found = seen(identities().observe("u"))
    assert (found.attached, found.groups) == (("arn:p",), ("g",))


@pytest.mark.parametrize("operation", sorted(set(READ) - {"get_user"}))
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal("NoSuchEntity", 404), reasons.NOT_VISIBLE_YET),
        (refusal("AccessDenied", 403), reasons.ACCESS_DENIED),
        (refusal("Throttling", 400), reasons.THROTTLED),
        ({}, reasons.STORE_UNAVAILABLE),
        (RecursionError(), reasons.STORE_UNAVAILABLE),
    ],
    ids=["not there", "refused", "throttled", "without its list", "made to break its reader"],
)
def test_a_user_of_whom_a_part_cannot_be_read_is_unknown(operation: str, answer: Any, reason: str) -> None:
    error = error_of(identities(**{operation: answer}).observe("u"))
    assert (type(error), error.reason) == (Transient, reason)


def test_only_the_user_itself_can_be_absent() -> None:
    assert identities(get_user=refusal("NoSuchEntity", 404)).observe("u") == Absent()
    assert error_of(identities(get_user={}).observe("u")).reason == reasons.STORE_UNAVAILABLE


@pytest.mark.parametrize(
    "answers",
    [
        {"get_bucket_tagging": {"TagSet": [{"Key": "a"}]}},
        {"get_bucket_tagging": {"TagSet": [None]}},
        {"get_bucket_policy": {"Policy": "[" * 100_000}},
        {"get_bucket_policy": {"Policy": '{"Statement": [3]}'}},
        {"get_bucket_lifecycle_configuration": {"Rules": [{"ID": "clouddatamesh-a", "Filter": 3}]}},
    ],
    ids=["a tag without a value", "no tag", "a policy made to break its reader", "a policy of numbers", "a rule of numbers"],
)
def test_a_bucket_whose_answer_is_strange_is_unknown(answers: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "get_bucket_tagging": {"TagSet": []},
        "get_bucket_policy": {},
        "get_bucket_lifecycle_configuration": {"Rules": []},
    }
    connection = Connection("us-east-1", settings=frozenset({"TlsOnly", "Lifecycle"}))
    assert seen(S3Buckets(Scripted(**usual), None, None, connection).observe("b")) == Bucket("b", policy=(), lifecycle=())
    error = error_of(S3Buckets(Scripted(**{**usual, **answers}), None, None, connection).observe("b"))
    assert error.reason in (reasons.STORE_UNAVAILABLE, reasons.STORE_REFUSED)
