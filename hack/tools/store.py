"""What a started S3 store looks like to those who use it, whichever it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class Store:
    """An S3, IAM and STS endpoint, and the credentials that the operator gets for it."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    kind: str
    count: Callable[[], int] = field(repr=False, compare=False)
    admin: tuple[str, str] = field(default=("", ""), repr=False)
    """The key of the store's admin API, by which accounts are made and limited; only RGW has one."""

    def requests(self) -> int:
        """How many requests the store itself has counted since it started; differences are what means something."""
        return self.count()

    def client(self, service: str, *, access_key: str = "", secret_key: str = "") -> Any:
        """A boto3 client of `s3`, `iam` or `sts` here; of the operator, or of the key given."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=access_key or self.access_key,
            aws_secret_access_key=secret_key or self.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def users(self, path: str) -> list[str]:
        """Names of the users below a path, sorted. One page does not do: RGW looks at 100 users, of whatever path, for each."""
        pages = self.client("iam").get_paginator("list_users").paginate(PathPrefix=path)
        return sorted(user["UserName"] for page in pages for user in page["Users"])
