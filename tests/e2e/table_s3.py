"""A bucket's tags, rules and statements as the store's administrator changes them: read, and written as a whole."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.e2e.table_eye import Manifest, ask


def tags_of(s3: Any, bucket: str) -> dict[str, str]:
    found = ask(lambda: s3.get_bucket_tagging(Bucket=bucket))
    return {tag["Key"]: tag["Value"] for tag in found.get("TagSet", ())}


def put_tags(s3: Any, bucket: str, tags: Mapping[str, str]) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]})


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
