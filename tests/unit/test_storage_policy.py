"""Policies are compared by meaning: whatever a store makes of our text, reading it gives what was wanted."""

import json
from typing import Any

import pytest

from clouddatamesh.model.bucket import Statement
from clouddatamesh.plan import policies
from clouddatamesh.storage.policy import build_document, parse_document, parse_policy

OURS = Statement(
    "clouddatameshA", "Deny", ("s3:*",), ("arn:aws:s3:::b", "arn:aws:s3:::b/*"), ("*",), (("Bool", "aws:SecureTransport", ("false",)),)
)
RAW = {
    "Sid": "clouddatameshA",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:*"],
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
}


def parsed(**changes: Any) -> tuple[Statement, ...]:
    raw = {key: value for key, value in {**RAW, **changes}.items() if value is not None}
    return parse_document({"Statement": [raw]})[0]


@pytest.mark.parametrize("statements", [(OURS,), policies.tls_only("b"), policies.producer("b"), ()])
def test_what_is_written_is_read(statements: tuple[Statement, ...]) -> None:
    assert parse_policy(build_document(statements)) == (tuple(sorted(statements)), ())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Action": "s3:*"},
        {"Action": ["s3:*", "s3:*"]},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["*"]}},
        {"Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": False}}},
    ],
    ids=json.dumps,
)
def test_another_way_to_write_the_same_is_the_same(changes: dict[str, Any]) -> None:
    assert parsed(**changes) == (OURS,)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Allow"},
        {"Effect": "Perhaps"},
        {"Action": "s3:Get*"},
        {"Action": None, "NotAction": "s3:Get*"},
        {"Principal": None},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"CanonicalUser": "x"}},
        {"Principal": {"AWS": "*", "Service": "x"}},
        {"Principal": ["*"]},
        {"NotPrincipal": "*"},
        {"Condition": None},
        {"Condition": "x"},
        {"Condition": {"Bool": "x"}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"a": "b"}}},
    ],
    ids=json.dumps,
)
def test_another_meaning_is_another_statement(changes: dict[str, Any]) -> None:
    assert parsed(**changes) != (OURS,)


def test_an_account_by_number_and_by_its_root_are_the_same_principal() -> None:
    assert parsed(Principal={"AWS": "123456789012"}) == parsed(Principal={"AWS": ["arn:aws:iam::123456789012:root"]})


def test_a_single_statement_need_not_stand_in_a_list() -> None:
    assert parse_document({"Statement": RAW}) == ((OURS,), ())


def test_foreign_statements_are_carried_word_for_word() -> None:
    theirs = [{"Effect": "Allow", "NotAction": "s3:*"}, {"Sid": "theirs", "Effect": "Deny", "Principal": {"Service": ["x"]}}]
    ours, foreign = parse_document({"Statement": [*theirs, RAW]})
    written = json.loads(build_document(ours, foreign))["Statement"]
    assert [statement for statement in written if statement in theirs] == sorted(theirs, key=lambda raw: json.dumps(raw, sort_keys=True))
    assert parse_policy(build_document(ours, foreign)) == (ours, foreign)


@pytest.mark.parametrize("text", ["junk", "[]", '"x"', '{"Statement": ["x"]}'])
def test_what_is_no_policy_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_policy(text)
