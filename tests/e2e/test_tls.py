"""TLS as users see it, on Ceph RGW behind proxies that end it: what is said to be refused is refused, and nobody is cut off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.e2e.actors import Actors
from tests.support.manifests import a_store
from tests.support.tls_proxy import TlsProxy


@pytest.fixture(scope="module")
def telling(mesh: Actors) -> Iterator[TlsProxy]:
    """It tells the store of TLS."""
    with TlsProxy(mesh.store.endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def silent(mesh: Actors) -> Iterator[TlsProxy]:
    """To the store everything is plain http."""
    with TlsProxy(mesh.store.endpoint, tells=False) as proxy:
        yield proxy


def a_store_behind(mesh: Actors, proxy: TlsProxy, name: str, **spec: Any) -> dict[str, Any]:
    """A Ready store; the object."""
    at = {"endpointUrl": proxy.endpoint, "caBundle": proxy.certificate, "region": mesh.store.region, "bucketPrefix": name}
    mesh.installed.apply(a_store(name, **at, **spec))
    mesh.installed.wait("objectstore", name, seconds=60)
    return mesh.installed.get("objectstore", name)


def tls_of(store: dict[str, Any]) -> dict[str, Any]:
    return next(dict(found) for found in store["status"]["capabilities"] if found["name"] == "TlsOnly")


def may_write(mesh: Actors, product: str, endpoint: str, certificate: str, folder: Path) -> bool:
    """Whether a stock client may write with the producer's Secret, at this endpoint."""
    secret = mesh.installed.secret(f"{product}-producer", "sales")
    bundle = folder / "ca.pem"
    bundle.write_text(certificate)
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        verify=str(bundle),
        region_name=secret["region"],
        aws_access_key_id=secret["access-key-id"],
        aws_secret_access_key=secret["secret-access-key"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    try:
        s3.put_object(Bucket=secret["bucket"], Key="daily/a", Body=b"x")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    finally:
        s3.close()
    return True


def test_what_is_said_to_be_refused_is_refused_without_tls_and_served_with_it(mesh: Actors, telling: TlsProxy, tmp_path: Path) -> None:
    store = a_store_behind(mesh, telling, "proven", plainEndpointUrl=mesh.store.endpoint)
    found = tls_of(store)
    assert (found["supported"], found["proof"]) == (True, "Refused")
    mesh.make("over-tls", storage={"storeRef": {"name": "proven"}})
    assert may_write(mesh, "over-tls", telling.endpoint, telling.certificate, tmp_path)
    assert not may_write(mesh, "over-tls", mesh.store.endpoint, telling.certificate, tmp_path)


def test_what_could_not_be_tried_is_said_to_be_unproven(mesh: Actors, telling: TlsProxy, tmp_path: Path) -> None:
    store = a_store_behind(mesh, telling, "untried")
    found = tls_of(store)
    assert (found["supported"], found["proof"]) == (True, "Unproven")
    assert "spec.plainEndpointUrl" in found["message"]
    ready = next(condition for condition in store["status"]["conditions"] if condition["type"] == "Ready")
    assert "not proven by a refused request: TlsOnly" in ready["message"]
    mesh.make("perhaps", storage={"storeRef": {"name": "untried"}})
    assert may_write(mesh, "perhaps", telling.endpoint, telling.certificate, tmp_path)
    assert not may_write(mesh, "perhaps", mesh.store.endpoint, telling.certificate, tmp_path)


def test_where_it_would_refuse_everybody_nobody_is_cut_off_and_status_says_so(mesh: Actors, silent: TlsProxy, tmp_path: Path) -> None:
    store = a_store_behind(mesh, silent, "deaf", plainEndpointUrl=mesh.store.endpoint)
    found = tls_of(store)
    assert found["supported"] is False
    assert "a proxy ends TLS and the store does not know of it" in found["message"]
    mesh.make("served", storage={"storeRef": {"name": "deaf"}})
    assert may_write(mesh, "served", silent.endpoint, silent.certificate, tmp_path)


def test_a_store_that_is_spoken_to_without_tls_cuts_nobody_off(mesh: Actors, tmp_path: Path) -> None:
    mesh.make("plain")
    assert may_write(mesh, "plain", mesh.store.endpoint, "", tmp_path)
