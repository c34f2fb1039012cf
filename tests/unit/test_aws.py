"""Partitions and endpoints by region, held to what botocore knows, and hosts that are AWS's own."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config

from clouddatamesh.model.aws import endpoint_of, is_aws_endpoint, partition_of
from clouddatamesh.model.identity import Connection

SESSION = boto3.Session(aws_access_key_id="A", aws_secret_access_key="B")
PARTITIONS = tuple(SESSION.get_available_partitions())


def regions() -> Iterator[tuple[str, str]]:
    for partition in PARTITIONS:
        for region in SESSION.get_available_regions("s3", partition_name=partition):
            yield partition, region


REGIONS = tuple(regions())


def host_of(region: str, service: str = "s3", **options: bool) -> str:
    client = SESSION.client(service, region_name=region, config=Config(**options))
    found = str(client.meta.endpoint_url)
    client.close()
    return found


def test_botocore_knows_the_partitions_that_are_meant() -> None:
    assert {"aws", "aws-cn", "aws-us-gov"} <= set(PARTITIONS)
    assert len(REGIONS) > 30


@pytest.mark.parametrize(("partition", "region"), REGIONS, ids=[region for _, region in REGIONS])
def test_each_region_is_in_its_partition(partition: str, region: str) -> None:
    assert partition_of(region) == partition
    assert Connection(region).partition == partition


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"])
def test_the_endpoint_is_the_one_that_clients_find(region: str) -> None:
    assert endpoint_of(region) == host_of(region)


@pytest.mark.parametrize("service", ["s3", "iam", "sts"])
@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"])
def test_every_form_of_an_endpoint_of_aws_is_aws(region: str, service: str) -> None:
    forms = [{}, {"use_fips_endpoint": True}] + ([{"use_dualstack_endpoint": True}] if service == "s3" else [])
    for options in forms:
        if options.get("use_fips_endpoint") and region.startswith("cn-"):
            continue  # there is none
        assert is_aws_endpoint(host_of(region, service, **options)), options


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, True),
        ("https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", True),
        ("https://S3.EU-CENTRAL-1.AMAZONAWS.COM", True),
        ("http://s3.eu-central-1.amazonaws.com", True),
        ("https://s3.example.com", False),
        ("https://s3.amazonaws.com.example.com", False),
        ("https://s3amazonaws.com", False),
        ("https://example.com/s3.eu-central-1.amazonaws.com", False),
        ("https://ec2-1-2-3-4.compute.amazonaws.com", False),
        ("https://lb-123.elb.eu-central-1.amazonaws.com:9000", False),
        ("https://minio.s3.internal", False),
    ],
)
def test_whose_an_endpoint_is(url: str | None, expected: bool) -> None:
    assert is_aws_endpoint(url) is expected


def test_elsewhere_a_region_that_is_called_as_one_of_aws_has_no_partition() -> None:
    assert Connection("cn-north-1", "https://s3.example.com").partition == "aws"
