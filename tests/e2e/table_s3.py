"""A bucket's tags, rules and statements as the store's administrator changes them: read, and written as a whole."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.e2e.table_eye import Manifest, ask

_ATTEMPTS, _A_LOOK = 10, 4.0
"""How often traces are removed, and the seconds in which a look that has begun is over."""


def tags_of(s3: Any, bucket: str) -> dict[str, str]:
    found = ask(lambda: s3.get_bucket_tagging(Bucket=bucket))
    return {tag["Key"]: tag["Value"] for tag in found.get("TagSet", ())}


def put_tags(s3: Any, bucket: str, tags: Mapping[str, str]) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})


def remove_traces(s3: Any, bucket: str) -> dict[str, str]:
    """Tags, rules and policy go, so that nothing in the bucket is a witness; the former tags.

    A look of the operator may fall between: it then has a witness, and repairs the rest. So it is done until nothing returns."""
    before = tags_of(s3, bucket)
    for _ in range(_ATTEMPTS):
        s3.delete_bucket_tagging(Bucket=bucket)
        s3.delete_bucket_lifecycle(Bucket=bucket)
        s3.delete_bucket_policy(Bucket=bucket)
        time.sleep(_A_LOOK)
        if not (tags_of(s3, bucket) or rules_of(s3, bucket) or statements_of(s3, bucket)):
            return before
    raise AssertionError(f"the traces in {bucket} return")


def rules_of(s3: Any, bucket: str) -> list[Manifest]:
    """With a Filter each, as a mixture of both forms is refused."""
    found = ask(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)).get("Rules", ())
    return [
        {**{k: v for k, v in rule.items() if k != "Prefix"}, "Filter": rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}}
        for rule in found
    ]


def put_rules(s3: Any, bucket: str, rules: Sequence[Manifest]) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def add_rule(s3: Any, bucket: str, rule: Manifest) -> None:
    put_rules(s3, bucket, [*rules_of(s3, bucket), rule])


def statements_of(s3: Any, bucket: str) -> list[Manifest]:
    text = ask(lambda: s3.get_bucket_policy(Bucket=bucket)).get("Policy")
    return list(json.loads(text)["Statement"]) if text else []


def put_statements(s3: Any, bucket: str, statements: Sequence[Manifest]) -> None:
    if statements:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    else:
        s3.delete_bucket_policy(Bucket=bucket)


def add_statement(s3: Any, bucket: str, statement: Manifest) -> None:
    put_statements(s3, bucket, [*statements_of(s3, bucket), statement])
