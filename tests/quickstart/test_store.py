"""The quickstart's store as a process of its own: its root key works from the first request on, and nothing is served without one."""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from hack.tools.children import ROOT, free_ports, is_answering, make_log_dir, start_child, stop_child, wait_until
from hack.tools.store import Store
from quickstart.store import READY

KEY = ("AKIAQUICKSTARTTRIALS", "0123456789012345678901234567890123456789")
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """The program with its environment of the Deployment, on localhost by name: a Service's name is one too."""
    (port,) = free_ports(1)
    log = make_log_dir("quickstart") / "store.log"
    env = {"ACCESS_KEY_ID": KEY[0], "SECRET_ACCESS_KEY": KEY[1], "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    child = start_child([sys.executable, "-m", "quickstart", "serve", "--port", str(port)], log=log, env=env)
    try:
        wait_until("the store", lambda: is_answering(f"http://127.0.0.1:{port}{READY}"), child=child)
        yield Store(f"http://quickstart.localhost:{port}", *KEY, "us-east-1", "moto", lambda: 0)
    finally:
        stop_child(child, grace=60)
        assert child.returncode == 0, "SIGTERM is not obeyed"
        assert KEY[1] not in log.read_text()


@pytest.fixture(scope="module", autouse=True)
def names() -> Iterator[None]:
    """quickstart.localhost is this machine, whatever its resolver knows."""
    known = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: known("127.0.0.1" if host == "quickstart.localhost" else host, *rest, **more)
        )
        yield


def code_of(call: Callable[[], object]) -> int:
    try:
        call()
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def test_the_root_key_does_everything_and_users_do_what_their_policy_says(store: Store) -> None:
    root = store.client("s3")
    root.create_bucket(Bucket="orders")
    root.put_object(Bucket="orders", Key="daily/a", Body=b"1")
    iam = store.client("iam")
    iam.create_user(UserName="reader", Path="/clouddatamesh/")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::orders/daily/*"}]}'
    iam.put_user_policy(UserName="reader", PolicyName="daily", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = store.client("s3", access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
    assert reader.get_object(Bucket="orders", Key="daily/a")["Body"].read() == b"1"
    assert code_of(lambda: reader.put_object(Bucket="orders", Key="daily/a", Body=b"2")) == 403
    iam.delete_user_policy(UserName="reader", PolicyName="daily")
    assert code_of(lambda: reader.get_object(Bucket="orders", Key="daily/a")) == 403
    assert store.client("sts").get_caller_identity()["Account"]


@pytest.mark.parametrize("call", ["anonymous", "presigned", "wrong secret", "unknown key"])
def test_nobody_is_served_without_a_key_of_the_store(store: Store, call: str) -> None:
    root = store.client("s3")
    root.create_bucket(Bucket="closed")
    root.put_object(Bucket="closed", Key="a", Body=b"1", ACL="public-read")
    place = {"Bucket": "closed", "Key": "a"}
    link = root.generate_presigned_url("get_object", Params=place)
    anonymous = anonymous_client(store)
    assert code_of(lambda: anonymous.delete_objects(Bucket="closed", Delete={"Objects": [{"Key": "a"}]})) == 403
    calls: dict[str, Callable[[], object]] = {
        "anonymous": lambda: anonymous.get_object(**place),
        "presigned": lambda: urllib.request.urlopen(link, timeout=30),  # noqa: S310 - http
        "wrong secret": lambda: store.client("s3", access_key=KEY[0], secret_key="x" * 40).get_object(**place),
        "unknown key": lambda: store.client("s3", access_key="AKIA" + "Z" * 16, secret_key="x" * 40).get_object(**place),
    }
    assert code_of(calls[call]) == 403
    assert root.get_object(**place)["Body"].read() == b"1"


def anonymous_client(store: Store) -> Any:
    import boto3

    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=store.endpoint, region_name=store.region, config=config)


@pytest.mark.parametrize("path", ["/moto-api/", "/moto-api/data.json", "/moto-api/reset", "/moto-api/reset-auth", "/latest/meta-data/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("signed", [False, True])
def test_the_api_of_moto_itself_is_not_served(store: Store, path: str, method: str, *, signed: bool) -> None:
    """Nor to whoever pretends to sign: it asks for no permission. As a bucket's name, moto answers some of these with 500."""
    scope = f"{KEY[0]}/20260101/us-east-1/s3/aws4_request"
    header = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00",
        "X-Amz-Date": "20260101T000000Z",
    }
    body = b"100000" if method == "POST" else None
    request = urllib.request.Request(store.endpoint + path, data=body, headers=header if signed else {}, method=method)  # noqa: S310 - http
    assert code_of(lambda: urllib.request.urlopen(request, timeout=30)) in ((403, 500) if signed else (403,))  # noqa: S310
    assert store.client("iam").list_users()["Users"]
    assert code_of(lambda: anonymous_client(store).list_buckets()) == 403


def test_no_other_service_is_served(store: Store) -> None:
    assert code_of(lambda: store.client("sqs").list_queues()) == 403
