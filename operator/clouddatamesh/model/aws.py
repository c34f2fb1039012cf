"""What is AWS, and what it is called there: partition and endpoint by region. A test compares the table with botocore's own."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_PARTITIONS: Final = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
)
"""How the names of a partition's regions begin, the partition, and how its hosts end."""
_STANDARD: Final = ("aws", "amazonaws.com")
_HOSTS: Final = re.compile(
    r"(^|[.-])(s3|iam|sts)[a-z0-9.-]*\.("
    r"amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(com\.cn|eu)"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov"
    r"|api\.aws\.ic\.gov|api\.aws\.scloud|api\.cloud-aws\.adc-e\.uk|api\.aws\.hci\.ic\.gov)$"
)
"""Hosts of AWS's own services: plain, FIPS, dual-stack and VPC endpoints of every partition."""


def partition_of(region: str) -> str:
    """The partition of a region of AWS: the second word of every ARN in it."""
    return _find(region)[0]


def endpoint_of(region: str) -> str:
    """Where clients find S3 in a region of AWS."""
    return f"https://s3.{region}.{_find(region)[1]}"


@lru_cache(maxsize=256)
def is_aws_endpoint(url: str | None) -> bool:
    """Whether an endpoint is AWS's own; none means the SDK's default, which is."""
    return url is None or _HOSTS.search((urlsplit(url).hostname or "").lower()) is not None


def _find(region: str) -> tuple[str, str]:
    return next(((name, suffix) for prefix, name, suffix in _PARTITIONS if region.startswith(prefix)), _STANDARD)
