"""A foreground deletion, as Argo CD prunes: the cluster's garbage collector takes what names the product as owner, and waits itself."""

from tests.e2e.access import Access, a_deal, is_allowed
from tests.e2e.actors import Actors
from tests.support.manifests import a_product

PORT = {"name": "daily", "version": "1.0.0", "path": "daily/", "format": "parquet"}


def test_those_who_write_go_on_while_the_deletion_waits_for_those_who_read(mesh: Actors) -> None:
    installed = mesh.installed
    mesh.make("ledger", outputPorts=[PORT])
    bucket = mesh.bucket("ledger")
    mesh.put(bucket, "daily/seed")
    installed.apply(a_product("auditor", "inventory", outputPorts=[]))
    installed.wait("dataproduct", "auditor", "inventory")
    access = Access.given(mesh, a_deal("ledger-for-auditor", "sales/ledger", consumer={"dataProductRef": {"name": "auditor"}}))
    before = installed.get("secret", "ledger-producer", "sales")
    installed.cluster.kubectl("delete", "dataproduct", "ledger", "-n", "sales", "--cascade=foreground", "--wait=false")

    def is_left() -> bool:
        return "foregroundDeletion" not in mesh.product("ledger")["metadata"].get("finalizers", ())

    def is_back() -> bool:
        found = installed.get("secret", "ledger-producer", "sales")
        return bool(found) and found["metadata"]["uid"] != before["metadata"]["uid"]

    installed.until(is_left, seconds=180, what="the garbage collector's own end, whose time is not ours")
    installed.until(is_back, seconds=60, what="the producer's Secret, which the garbage collector took: back within a minute")
    assert access.reads()
    keys = installed.secret("ledger-producer", "sales")
    writer = mesh.store.client("s3", access_key=keys["access-key-id"], secret_key=keys["secret-access-key"])
    assert is_allowed(lambda: writer.put_object(Bucket=bucket, Key="daily/b", Body=b"b"))
    installed.cluster.kubectl("delete", "accessgrant", access.deal.grant["metadata"]["name"], "-n", "sales")
    installed.until(lambda: not mesh.product("ledger"), seconds=60, what="the product's end")
    installed.until(lambda: not installed.get("secret", "ledger-producer", "sales"), what="the Secret's end")
    assert not is_allowed(lambda: writer.put_object(Bucket=bucket, Key="daily/c", Body=b"c"))
