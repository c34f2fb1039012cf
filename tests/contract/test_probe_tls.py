"""TLS on Ceph RGW: the statements refuse what came without it, let pass what came with it, and are not written where they would cut all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clouddatamesh.model import bucket as b
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.plan import policies
from clouddatamesh.storage.clients import BotoStores
from hack.tools.store import Store
from tests.contract.worlds import fresh
from tests.support.evidence import seen
from tests.support.fault_proxy import FaultProxy
from tests.support.tls_proxy import TlsProxy

pytestmark = pytest.mark.real
SETTINGS: Final = frozenset({b.TLS_ONLY, b.TAGS})


def connection(rgw: Store, proxy: TlsProxy, **more: Any) -> Connection:
    """The store as it is reached over TLS."""
    return Connection(
        region=rgw.region,
        endpoint=proxy.endpoint,
        iam_endpoint=proxy.endpoint,
        ca_bundle=proxy.certificate,
        access_key_id=rgw.access_key,
        secret_access_key=rgw.secret_key,
        settings=SETTINGS,
        **more,
    )


def probed(at: Connection) -> b.Capability:
    found = BotoStores().buckets(at).probe(fresh("probe"))
    return next(capability for capability in found if capability.name == b.TLS_ONLY)


def test_over_plain_http_it_is_not_tried(rgw: Store) -> None:
    plain = Connection(rgw.region, rgw.endpoint, rgw.endpoint, access_key_id=rgw.access_key, secret_access_key=rgw.secret_key)
    assert probed(plain) == b.Capability(b.TLS_ONLY, "No", "The endpoint is spoken to without TLS")


def test_behind_a_proxy_that_tells_of_tls_it_is_proven_by_a_refused_request(rgw: Store) -> None:
    with TlsProxy(rgw.endpoint) as proxy, FaultProxy(rgw.endpoint) as plain:
        found = probed(connection(rgw, proxy, plain_endpoint=plain.endpoint))
        assert (found.verdict, found.proof, found.message) == ("Yes", "Refused", "")
        assert {asked.action for asked in plain.asked} == {"GetObject"}, "nothing else is sent without TLS"
        assert len(plain.asked) == 2


def test_where_no_endpoint_without_tls_is_known_it_is_said_to_be_unproven(rgw: Store) -> None:
    with TlsProxy(rgw.endpoint) as proxy:
        found = probed(connection(rgw, proxy))
    assert (found.verdict, found.proof) == ("Yes", "Unproven")
    assert "spec.plainEndpointUrl" in found.message


def test_where_nobody_answers_without_tls_it_is_said_to_be_unproven(rgw: Store) -> None:
    with TlsProxy(rgw.endpoint) as proxy:
        found = probed(connection(rgw, proxy, plain_endpoint="http://127.0.0.1:9"))
    assert (found.verdict, found.proof) == ("Yes", "Unproven")
    assert "http://127.0.0.1:9 answers nothing" in found.message


def test_behind_a_proxy_that_does_not_tell_it_would_cut_everybody_off(rgw: Store) -> None:
    with TlsProxy(rgw.endpoint, tells=False) as proxy:
        found = probed(connection(rgw, proxy, plain_endpoint=rgw.endpoint))
    assert (found.verdict, found.harmful) == ("No", True)
    assert "a proxy ends TLS and the store does not know of it" in found.message


def test_where_a_way_around_tls_is_served_it_does_not_hold(rgw: Store) -> None:
    with TlsProxy(rgw.endpoint) as proxy, FaultProxy(rgw.endpoint) as liar:
        liar.adds = proxy.adds
        found = probed(connection(rgw, proxy, plain_endpoint=liar.endpoint))
    assert (found.verdict, found.harmful) == ("Unseen", False)
    assert "A request without TLS is served" in found.message


@contextmanager
def a_producer(at: Connection) -> Iterator[tuple[str, tuple[str, str]]]:
    """A bucket, and the key of a user that may write all of it."""
    stores = BotoStores()
    buckets, identities, name = stores.buckets(at), stores.identities(at), fresh()
    buckets.create(b.Bucket(name))
    user = Principal(name, "/clouddatamesh/acme/", policy=policies.producer(name))
    identities.create(user)
    identities.put_policy(user)
    key = identities.create_key(name)
    yield name, (key.id, key.secret)
    identities.delete_policy(name, b.PREFIX)
    identities.delete_key(name, key.id)
    identities.delete(name)


def writes(key: tuple[str, str], bucket: str, endpoint: str, verify: str | None = None) -> bool:
    """Whether a stock client with that key may write there."""
    options = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
    given = {"aws_access_key_id": key[0], "aws_secret_access_key": key[1], "region_name": "us-east-1", "config": options}
    s3 = boto3.client("s3", endpoint_url=endpoint, verify=verify, **given)
    try:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    finally:
        s3.close()
    return True


def test_a_producer_is_served_over_tls_and_refused_without(rgw: Store, tmp_path: Any) -> None:
    with TlsProxy(rgw.endpoint) as proxy:
        bundle = tmp_path / "ca.pem"
        bundle.write_text(proxy.certificate)
        at = connection(rgw, proxy)
        buckets = BotoStores().buckets(at)
        with a_producer(at) as (name, key):
            assert writes(key, name, rgw.endpoint)
            former = policies.tls_only(name)[:1]
            buckets.update(b.Bucket(name, policy=former), ("policy",))
            assert writes(key, name, rgw.endpoint), "RGW says nothing of a request without TLS, and so the first statement never matches"
            buckets.update(b.Bucket(name, policy=policies.tls_only(name)), ("policy",))
            assert not writes(key, name, rgw.endpoint)
            assert writes(key, name, proxy.endpoint, str(bundle))
            assert seen(buckets.observe(name)).policy == policies.tls_only(name)
            buckets.update(b.Bucket(name, policy=()), ("policy",))
            assert writes(key, name, rgw.endpoint)
