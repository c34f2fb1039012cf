"""Pages that somebody follows at night: docs/operations and docs/access.md on Ceph RGW, by their own commands, with what they promise.

The tests are in an order: the last one leaves an empty mesh without an operator.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest
import yaml

from hack.tools.binaries import get_binary
from hack.tools.controlplane import ControlPlane
from hack.tools.s3_rgw import Rgw
from tests.e2e.access import BODY, Access, a_deal, condition_of
from tests.e2e.actors import Actors
from tests.support.fault_proxy import FaultProxy
from tests.support.installation import NAMESPACE, ROOT, Installation
from tests.support.manifests import a_domain, a_product, a_store

pytestmark = pytest.mark.real
DOCS: Final = ROOT / "docs"
ROBOT: Final = {"serviceAccountRef": {"name": "robot"}}
FIRST, SECOND = "first-key-of-the-operator", "second-key-of-the-operator"
HOURLY: Final = {"name": "hourly", "version": "1.0.0"}
PORTS: Final = [{"name": name, "version": "1.0.0", "path": f"{name}/", "format": "parquet"} for name in ("daily", "hourly")]
FOREIGN: Final = "example.com/keep"
_COMMANDS: Final = re.compile(r"(?:^ {4}.*\n?)+", re.MULTILINE)


def commands(page: str, heading: str, **filled: str) -> list[str]:
    """The indented blocks below a heading that are commands, with the reader's own values for what the page has as an example."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (part,) = (found for found in re.split(r"^#+ ", text, flags=re.MULTILINE) if found.startswith(f"{heading}\n"))
    found = [dedent(block).strip() for block in _COMMANDS.findall(part)]
    code = [block for block in found if block.startswith(("kubectl", "aws", "sleep"))]
    for word, own in filled.items():
        assert any(word in block for block in code), word
        code = [block.replace(word, own) for block in code]
    return code


@dataclass(frozen=True)
class Night(Actors):
    """A mesh whose operator reaches RGW by a URL of today, with an IAM user of its own; and somebody with a shell."""

    old: FaultProxy
    new: FaultProxy
    home: Path

    def follow(self, code: str, *, seconds: int = 180) -> str:
        """Run it as a reader does, who is an administrator. Raises AssertionError with what it said."""
        path = os.pathsep.join([str(get_binary("kubectl").parent), os.environ["PATH"]])
        env = {**self.installed.cluster.env(), "PATH": path, "USER": "anna", "HOME": str(self.home)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code], env=env, cwd=self.home, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}\n{self.installed.describe()}"
        return done.stdout

    def secrets(self) -> dict[str, dict[str, str]]:
        """What producers and consumers hold."""
        return {
            name: self.installed.secret(name, place) for name, place in (("orders-producer", "sales"), *((n, "inventory") for n in DEALS))
        }

    def keys(self) -> dict[str, str]:
        return {name: held.get("access-key-id", "") for name, held in self.secrets().items()}

    def access(self, name: str) -> Access:
        return Access.of(self, DEALS[name])

    def signed_by(self, proxy: FaultProxy, *, since: int) -> set[str]:
        """The keys of the requests to a URL."""
        heads = (dict((name.lower(), value) for name, value in one.headers) for one in proxy.asked[since:])
        return {found[1] for head in heads if (found := re.search(r"Credential=([^/]+)/", head.get("authorization", "")))}

    def nudge_store(self, token: str) -> None:
        self.installed.annotate("objectstore", "main", reconcile_requested_at=token)
        seen = lambda: self.installed.get("objectstore", "main")["status"].get("lastHandledReconcileAt") == token  # noqa: E731
        self.installed.until(seen, what="a look at the store")

    def tells_of_the_end(self, name: str) -> None:
        """Wait until a request whose access has ended says so; what was given is gone before that."""
        ended = lambda: condition_of(self.installed.get("areq", name, "inventory"))["status"] != "True"  # noqa: E731
        self.installed.until(ended, what=f"the word of {name}")

    def store_says(self) -> dict[str, Any]:
        return condition_of(self.installed.get("objectstore", "main"))


DEALS: Final = {
    "reader": a_deal("reader", "sales/orders", consumer=ROBOT),
    "hourly-reader": a_deal("hourly-reader", "sales/orders", consumer=ROBOT, port=HOURLY),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with contextlib.ExitStack() as stack:
        rgw = stack.enter_context(Rgw())  # its users are deleted as the page says, whoever made them
        old, new = (stack.enter_context(FaultProxy(rgw.endpoint)) for _ in range(2))
        cluster = stack.enter_context(ControlPlane())
        installed = stack.enter_context(Installation(cluster, mesh="acme"))
        found = Night(installed, rgw, old, new, tmp_path_factory.mktemp("home"))
        _build(found)
        yield found


def keys_of_operator(night: Night) -> list[dict[str, str]]:
    """Two keys of one user of the store, which may do everything."""
    allow = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","iam:*"],"Resource":"*"}]}'
    with contextlib.suppress(night.iam.exceptions.EntityAlreadyExistsException):
        night.iam.create_user(UserName="nightly")
    night.iam.put_user_policy(UserName="nightly", PolicyName="all", PolicyDocument=allow)
    return [dict(night.iam.create_access_key(UserName="nightly")["AccessKey"]) for _ in range(2)]


OPERATOR_KEYS: dict[str, dict[str, str]] = {}


def _build(night: Night) -> None:
    first, second = keys_of_operator(night)
    OPERATOR_KEYS.update({FIRST: first, SECOND: second})
    data = {"access-key-id": first["AccessKeyId"], "secret-access-key": first["SecretAccessKey"]}
    installed = night.installed
    installed.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-s3", "namespace": NAMESPACE}, "stringData": data})
    store = a_store(endpointUrl=night.old.endpoint, region=night.store.region, bucketPrefix="night", adoptableBuckets=["legacy-*"])
    (night.home / "domain-sales.yaml").write_text(yaml.safe_dump(a_domain("sales")))
    installed.apply(store, a_domain("sales"), a_domain("inventory"))
    for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
        installed.wait(kind, name, seconds=60)
    installed.cluster.kubectl("create", "serviceaccount", "robot", "-n", "inventory")
    night.make("orders", outputPorts=PORTS)
    for port in ("daily", "hourly"):
        night.s3.put_object(Bucket=night.bucket("orders"), Key=f"{port}/seed", Body=BODY)
    for deal in DEALS.values():
        Access.given(night, deal)


def test_the_access_of_all_consumers_is_ended_at_once_and_stays_off_as_long_as_the_page_says(night: Night) -> None:
    both, one = commands("access.md", "Revoke")[-1].splitlines()
    daily, hourly = night.access("reader"), night.access("hourly-reader")
    night.follow(one)
    daily.ends()
    assert hourly.reads(), "the other port goes on"
    night.ends("orders", reason="CutOff", type_="CutOff")
    night.tells_of_the_end("reader")
    night.follow(both.replace("kubectl annotate", "kubectl annotate --overwrite"))
    hourly.ends()
    night.tells_of_the_end("hourly-reader")
    night.follow("kubectl annotate dataproduct orders -n sales clouddatamesh.dev/cut-off-")
    for name in DEALS:
        night.installed.wait("areq", name, "inventory")
        assert night.access(name).reads()
    assert not daily.reads() and not hourly.reads(), "with another key"


def test_a_domain_and_a_store_that_were_deleted_by_mistake_come_back_with_everything_as_it_was(night: Night) -> None:
    before, (code,) = night.secrets(), commands("operations/break-glass.md", "A Domain was deleted by mistake")
    store = {name: value for name, value in night.installed.get("objectstore", "main").items() if name in ("apiVersion", "kind", "spec")}
    (night.home / "store.yaml").write_text(yaml.safe_dump({**store, "metadata": {"name": "main"}}))
    for kind, name, file in (("domain", "sales", "domain-sales.yaml"), ("objectstore", "main", "store.yaml")):
        night.follow(f"kubectl delete {kind} {name} --wait=false")
        going = lambda k=kind, n=name: condition_of(night.installed.get(k, n), "DeletionBlocked").get("status") == "True"  # noqa: E731
        night.installed.until(going, what=f"{name} waits")
        night.follow(code.replace("patch domain sales", f"patch {kind} {name}").replace("domain-sales.yaml", file))
        night.installed.wait(kind, name, seconds=60)
    night.nudge("orders", token="mistake")
    night.installed.wait("dataproduct", "orders", "sales")
    assert night.secrets() == before
    assert all(night.access(name).reads() for name in DEALS)


def test_a_bucket_is_adopted_as_the_page_says(night: Night) -> None:
    night.s3.create_bucket(Bucket="legacy-orders")
    night.s3.put_object(Bucket="legacy-orders", Key="daily/old", Body=BODY)
    consent = {"Key": "clouddatamesh.dev/adopt-by", "Value": "acme/sales/legacy"}
    night.s3.put_bucket_tagging(Bucket="legacy-orders", Tagging={"TagSet": [consent]})
    night.installed.apply(a_product("legacy", storage={"bucketName": "legacy-orders", "adoptionPolicy": "IfConsented"}))
    night.ends("legacy", reason="AdoptionPlanned")
    plan, agree = (
        code.replace("dataproduct orders", "dataproduct legacy") for code in commands("operations/adopt-a-bucket.md", "Adopt a bucket")
    )
    assert "take bucket legacy-orders" in night.follow(plan)
    assert night.tags("legacy-orders") == {consent["Key"]: consent["Value"]}, "so far, nothing was written"
    night.follow(agree)
    night.installed.wait("dataproduct", "legacy", "sales", seconds=60)
    assert night.s3.get_object(Bucket="legacy-orders", Key="daily/old")["Body"].read() == BODY
    night.delete("legacy")
    assert night.bucket_exists("legacy-orders"), "never deleted with the product"


def test_the_stores_keys_are_rotated_as_the_page_says(night: Night) -> None:
    before, second = night.keys(), OPERATOR_KEYS[SECOND]
    give, *waits = commands("operations/rotate-store-keys.md", "Rotate the store's keys")
    own = {
        "access-key-id=...": f"access-key-id={second['AccessKeyId']}",
        "secret-access-key=...": f"secret-access-key={second['SecretAccessKey']}",
    }
    for gap, word in own.items():
        assert gap in give
        give = give.replace(gap, word)
    night.follow(give)
    night.follow("\n".join(waits))
    mark = len(night.old.asked)
    night.iam.update_access_key(UserName="nightly", AccessKeyId=OPERATOR_KEYS[FIRST]["AccessKeyId"], Status="Inactive")
    for token in ("rotated-1", "rotated-2"):
        night.nudge_store(token)
        assert night.store_says()["status"] == "True", night.store_says()
    night.nudge("orders", token="rotated")
    assert night.condition("orders")["status"] == "True"
    night.iam.delete_access_key(UserName="nightly", AccessKeyId=OPERATOR_KEYS[FIRST]["AccessKeyId"])
    night.make("later")
    assert night.signed_by(night.old, since=mark) == {second["AccessKeyId"]}, "no request with the former key after the page's last wait"
    assert night.keys() == before
    assert all(night.access(name).reads() for name in DEALS)


def test_the_same_store_under_another_url_keeps_every_key_as_the_page_says(night: Night) -> None:
    before = night.secrets()
    assert {held["endpoint"] for held in before.values()} == {night.old.endpoint}
    (code,) = commands(
        "operations/move-an-endpoint.md", "The same store under another URL", **{"https://s3.new.example.com": night.new.endpoint}
    )
    night.follow(code)
    moved = lambda: {held["endpoint"] for held in night.secrets().values()} == {night.new.endpoint}  # noqa: E731
    night.installed.until(moved, seconds=330, what="the new endpoint in all Secrets")
    assert night.keys() == {name: held["access-key-id"] for name, held in before.items()}
    mark = len(night.old.asked)
    night.nudge_store("moved")
    night.nudge("orders", token="moved")
    night.make("newer")
    night.installed.cluster.kubectl("delete", "agrant", "for-hourly-reader", "-n", "sales", "--timeout=30s")
    assert night.old.asked[mark:] == [], "the old URL can go"
    night.old.stop()
    s3 = night.access("reader").client()
    assert s3.get_object(Bucket=night.bucket("orders"), Key="daily/seed")["Body"].read() == BODY
    assert night.store_says()["status"] == "True"
    assert "NotTheSameStore" not in str(night.installed.get("objectstore", "main")["status"]["conditions"])


def test_everything_is_forced_away_where_no_operator_comes_back_and_what_is_left_is_found_as_the_page_says(night: Night) -> None:
    one, everything = commands("operations/break-glass.md", "Break glass")
    night.installed.scale(0)
    kubectl = night.installed.cluster.kubectl
    night.installed.patch("dataproduct", "later", "sales", change={"metadata": {"finalizers": ["clouddatamesh.dev/finalizer", FOREIGN]}})
    for kind in ("dataproducts", "accessrequests", "accessgrants"):
        kubectl("delete", kind, "--all", "-A", "--wait=false")
    kubectl("delete", "domains,objectstores", "--all", "--wait=false")
    bucket = next(b["Name"] for b in night.s3.list_buckets()["Buckets"] if b["Name"].startswith("night-orders"))
    night.follow(one)
    night.installed.until(lambda: not night.product("orders"), what="the end of one object")
    night.follow(everything)
    left = {
        f"{found['kind']}/{found['metadata']['name']}": found["metadata"].get("finalizers") for found in night.installed.all("datamesh")
    }
    left = {name: held for name, held in left.items() if not name.startswith("AccessInbox/")}
    assert left == {"DataProduct/later": [FOREIGN]}
    night.installed.patch("dataproduct", "later", "sales", change={"metadata": {"finalizers": None}})
    (listing,) = commands("operations/break-glass.md", "Clean up in the store")
    config = f"[default]\nregion = {night.store.region}\n"
    (night.home / ".aws").mkdir()
    (night.home / ".aws" / "config").write_text(config)
    keys = f"AWS_ACCESS_KEY_ID={night.store.access_key} AWS_SECRET_ACCESS_KEY={night.store.secret_key}"
    names = night.follow(f"export {keys} AWS_ENDPOINT_URL={night.store.endpoint}\n{listing}").split()
    assert sorted(names) == night.store.users("/clouddatamesh/acme/") and len(names) >= 4
    for name in names:
        for policy in night.iam.list_user_policies(UserName=name)["PolicyNames"]:
            night.iam.delete_user_policy(UserName=name, PolicyName=policy)
        for key in night.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            night.iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        night.iam.delete_user(UserName=name)
    assert night.s3.get_object(Bucket=bucket, Key="daily/seed")["Body"].read() == BODY
