"""How others may reach a bucket, as S3's answers tell it, and what a refusal is told as that one of these ways in causes."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import bucket as b
from clouddatamesh.storage.denial import explain_refusal
from clouddatamesh.storage.openings import find_openings, grants_of, public_statements, region_of

OWNER: Final = {"ID": "me", "DisplayName": "me"}
GROUPS: Final = "http://acs.amazonaws.com/groups/global/"


def grant(permission: str, **grantee: str) -> dict[str, Any]:
    return {"Permission": permission, "Grantee": grantee}


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        ([grant("FULL_CONTROL", ID="me", Type="CanonicalUser")], ()),
        ([grant("READ", URI=f"{GROUPS}AllUsers", Type="Group")], ("READ to AllUsers",)),
        ([grant("WRITE", URI="http://acs.amazonaws.com/groups/s3/LogDelivery")], ("WRITE to LogDelivery",)),
        ([grant("READ", ID="other", DisplayName="Kim"), grant("FULL_CONTROL", ID="me")], ("READ to Kim",)),
        ([grant("READ", ID="other")], ("READ to other",)),
        ([grant("READ", EmailAddress="kim@example.com")], ("READ to kim@example.com",)),
        ([grant("READ", URI=f"{GROUPS}AllUsers"), grant("READ", URI=f"{GROUPS}AllUsers")], ("READ to AllUsers",)),
    ],
)
def test_what_an_acl_gives_to_others_than_the_owner(grants: list[dict[str, Any]], told: tuple[str, ...]) -> None:
    assert grants_of({"Owner": OWNER, "Grants": grants}) == told


def test_an_acl_without_owner_gives_to_everybody_it_names() -> None:
    assert grants_of({"Grants": [grant("READ", ID="x")]}) == ("READ to x",)
    assert grants_of({}) == ()


def statement(**differs: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*", **differs}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (statement(), ("S",)),
        ([statement(Principal={"AWS": "*"})], ("S",)),
        ([statement(Principal={"AWS": ["arn:aws:iam::1:root", "*"]})], ("S",)),
        ([statement(Effect="Deny")], ()),
        ([statement(Principal={"AWS": "arn:aws:iam::1:root"})], ()),
        ([statement(Principal={"Service": "logging.s3.amazonaws.com"})], ()),
        ([statement(Effect="Deny"), {name: value for name, value in statement().items() if name != "Sid"}], ("number 2",)),
        ([{**statement(), "Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}}], ("S",)),
        ([statement(Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], ("S",)),
        (["nonsense"], ()),
    ],
    ids=str,
)
def test_which_statements_let_everybody_in(statements: Any, told: tuple[str, ...]) -> None:
    assert public_statements(json.dumps({"Version": "2012-10-17", "Statement": statements})) == told


def test_a_policy_that_is_none_lets_nobody_in() -> None:
    assert public_statements("[]") == public_statements("x") == ()


ANSWERS: Final[dict[str, Mapping[str, Any]]] = {
    "get_bucket_acl": {"Owner": OWNER, "Grants": [grant("READ", URI=f"{GROUPS}AllUsers")]},
    "get_bucket_website": {"IndexDocument": {"Suffix": "index.html"}},
    "get_bucket_policy": {"Policy": json.dumps({"Statement": [statement()]})},
}


def test_all_three_ways_in_are_found() -> None:
    assert find_openings(lambda operation, **_: ANSWERS[operation]) == b.Openings(("READ to AllUsers",), True, ("S",))


def test_what_is_not_set_or_not_known_is_no_way_in() -> None:
    def nothing(operation: str, *, unless: tuple[str, ...]) -> Mapping[str, Any] | None:
        return {} if operation not in ANSWERS or not unless else None

    assert find_openings(nothing) == b.Openings()


def test_what_is_refused_is_named_and_what_fails_is_raised() -> None:
    def refuse(operation: str, *, unless: tuple[str, ...]) -> Mapping[str, Any] | None:
        assert "NotImplemented" in unless
        if operation == "get_bucket_acl":
            raise Transient(reasons.ACCESS_DENIED, "AccessDenied")
        return None

    assert find_openings(refuse).unread == ("its ACL",)

    def fail(operation: str, *, unless: tuple[str, ...]) -> Mapping[str, Any] | None:
        raise Transient(reasons.STORE_UNAVAILABLE, f"{operation} {unless}")

    with pytest.raises(MeshError):
        find_openings(fail)


@pytest.mark.parametrize(
    ("answer", "is_aws", "region"),
    [
        ({"LocationConstraint": None}, True, "us-east-1"),
        ({"LocationConstraint": None}, False, ""),
        ({}, False, ""),
        ({"LocationConstraint": "EU"}, True, "eu-west-1"),
        ({"LocationConstraint": "eu-central-1"}, True, "eu-central-1"),
        ({"LocationConstraint": "default"}, False, "default"),
    ],
    ids=str,
)
def test_where_a_bucket_is(answer: dict[str, Any], is_aws: bool, region: str) -> None:
    assert region_of(answer, is_aws=is_aws) == region


DENIED: Final = Transient(reasons.ACCESS_DENIED, "PutBucketPolicy failed: AccessDenied")
PUBLIC: Final = b.Bucket("x", foreign_statements=(json.dumps(statement(Sid="PublicRead")),))
PRIVATE: Final = b.Bucket("x", foreign_statements=(json.dumps(statement(Effect="Deny")),))


def test_a_policy_that_is_refused_for_a_public_statement_says_so_and_waits_for_somebody() -> None:
    error = explain_refusal(DENIED, PUBLIC, "policy")
    assert (type(error), error.reason) == (Terminal, reasons.STORE_REFUSED)
    assert "PublicRead" in error.message and "AccessDenied" in error.message


@pytest.mark.parametrize(
    ("error", "want", "path"),
    [
        (DENIED, PRIVATE, "policy"),
        (DENIED, PUBLIC, "tags"),
        (Transient(reasons.THROTTLED, "SlowDown"), PUBLIC, "policy"),
        (Terminal(reasons.STORE_REFUSED, "MalformedPolicy"), PUBLIC, "policy"),
        (Terminal(reasons.STORE_REFUSED, "InvalidBucketAclWithObjectOwnership"), PUBLIC, "tags"),
    ],
    ids=str,
)
def test_other_errors_are_what_they_are(error: MeshError, want: b.Bucket, path: b.BucketPath) -> None:
    assert explain_refusal(error, want, path) is error


def test_ownership_that_is_refused_for_an_acl_says_so() -> None:
    refused = Terminal(reasons.STORE_REFUSED, "PutBucketOwnershipControls failed: InvalidBucketAclWithObjectOwnership")
    assert "grants" in explain_refusal(refused, PRIVATE, "ownership").message
