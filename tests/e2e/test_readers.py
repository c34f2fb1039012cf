"""Stock clients open a port with nothing but its Secret, over http and over https; and nothing but the port, whatever they ask."""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.tools.readers import get_readers
from tests.e2e.access import Access, a_deal
from tests.e2e.actors import Actors
from tests.support.manifests import a_product, a_store
from tests.support.tls_door import TlsDoor

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "consume-a-port.md").read_text()
EXAMPLES = {found[2]: (found[1], found[3]) for found in re.finditer(r"```(python|bash)\n# reader: (\w+)\n(.*?)```", PAGE, re.DOTALL)}
"""By reader, the language and the text of the page's own example."""
ANSWERS = {
    "boto3": "files: 2",
    "aws": "files: 2",
    "s3fs": "files: 2",
    **dict.fromkeys(("duckdb", "polars", "pyarrow", "pandas"), "rows: 4"),
}
INSIDE = ("daily/day=1/part.parquet", "daily/day=2/part.parquet")
OUTSIDE = (
    "daily", "daily-internal/day=1/part.parquet", "daily-internal/", "daily2/part.parquet", "dail/part.parquet", "Daily/part.parquet",
    "daily.parquet", "dailz", "hourly/daily/part.parquet", "part.parquet",
)  # fmt: skip
MADE = """
import sys
import pyarrow, pyarrow.parquet
pyarrow.parquet.write_table(pyarrow.table({"order": [1, 2], "amount": [3.5, 4.5]}), sys.argv[1])
"""
EXTENSION = """
from pathlib import Path
import duckdb, duckdb_extension_httpfs
(found,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
duckdb.execute(f"INSTALL '{found}'")
"""


@dataclass(frozen=True)
class Reader:
    """A machine with stock clients, and the Secret of one port mounted as files."""

    folder: Path
    clients: Path

    def run(self, language: str, text: str) -> subprocess.CompletedProcess[str]:
        """Run a program that knows nothing but where Secrets are mounted."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        program = [str(self.clients / "python")] if language == "python" else ["bash", "-u"]
        env = {"PATH": f"{self.clients}:/usr/bin:/bin", "HOME": str(self.folder), "SERVICE_BINDING_ROOT": str(self.folder / "bindings")}
        return subprocess.run([*program, "-c", text], cwd=work, env=env, capture_output=True, text=True, timeout=120, check=False)


@dataclass(frozen=True)
class Port:
    """A port that is read, and the Secret of its consumer."""

    access: Access
    secret: dict[str, str]

    def mount(self, folder: Path) -> None:
        place = folder / "bindings" / "orders-access"
        place.mkdir(parents=True)
        for name, value in self.secret.items():
            (place / name).write_text(value)


@pytest.fixture(scope="module")
def clients() -> Path:
    return get_readers()


@pytest.fixture(scope="module")
def parquet(clients: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small table, as a producer's own tool writes it."""
    path = tmp_path_factory.mktemp("made") / "part.parquet"
    subprocess.run([str(clients / "python"), "-c", MADE, str(path)], check=True, timeout=120)
    return path.read_bytes()


@pytest.fixture(scope="module")
def door(mesh: Actors) -> Iterator[TlsDoor]:
    with TlsDoor(mesh.store.endpoint) as opened:
        yield opened


@pytest.fixture(scope="module")
def ports(mesh: Actors, door: TlsDoor, parquet: bytes) -> dict[str, Port]:
    """By scheme: a product with sibling ports `daily/` and `daily-internal/`, full of objects, and access to the first."""
    places = {"http": {"endpointUrl": mesh.store.endpoint}, "https": {"endpointUrl": door.endpoint, "caBundle": door.ca}}
    mesh.installed.apply(a_product("stock-client", "inventory"))
    mesh.installed.wait("dataproduct", "stock-client", "inventory")
    return {scheme: _open(mesh, scheme, place, parquet) for scheme, place in places.items()}


def _open(mesh: Actors, scheme: str, place: dict[str, Any], parquet: bytes) -> Port:
    name = f"read-{scheme}"
    mesh.installed.apply(a_store(name, region=mesh.store.region, bucketPrefix=name, **place))
    mesh.installed.wait("objectstore", name, seconds=60)
    siblings = [{"name": port, "version": "1.0.0", "path": f"{port}/"} for port in ("daily", "daily-internal")]
    mesh.make(name, storage={"storeRef": {"name": name}}, outputPorts=siblings)
    for key in (*INSIDE, *OUTSIDE):
        mesh.s3.put_object(Bucket=mesh.bucket(name), Key=key, Body=parquet)
    deal = a_deal(name, f"sales/{name}", consumer={"dataProductRef": {"name": "stock-client"}})
    mesh.installed.apply(deal.request, deal.grant)
    mesh.installed.wait("areq", deal.name, deal.namespace)
    return Port(Access.of(mesh, deal), mesh.installed.secret(deal.name, deal.namespace))


@pytest.fixture(scope="module")
def stranger() -> str:
    """A CA that has nothing to do with the store."""
    with TlsDoor("http://127.0.0.1:1") as other:
        return other.ca


@pytest.fixture(params=["http", "https"])
def reader(request: pytest.FixtureRequest, ports: dict[str, Port], clients: Path, tmp_path: Path) -> Reader:
    ports[request.param].mount(tmp_path)
    return Reader(tmp_path, clients)


def test_the_page_has_an_example_for_every_reader() -> None:
    assert set(EXAMPLES) == set(ANSWERS)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_pages_own_example_opens_the_port(reader: Reader, name: str) -> None:
    if name == "duckdb":
        done = reader.run("python", EXTENSION)  # as INSTALL httpfs does from DuckDB's own server
        assert done.returncode == 0, done.stderr
    done = reader.run(*EXAMPLES[name])
    assert (done.returncode, done.stdout.strip()) == (0, ANSWERS[name]), done.stderr


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_store_that_the_ca_does_not_vouch_for_is_not_read(
    ports: dict[str, Port], clients: Path, tmp_path: Path, stranger: str, name: str
) -> None:
    """So the examples use the CA of the Secret indeed."""
    replace(ports["https"], secret={**ports["https"].secret, "ca.crt": stranger}).mount(tmp_path)
    reader = Reader(tmp_path, clients)
    if name == "duckdb":
        assert reader.run("python", EXTENSION).returncode == 0
    done = reader.run(*EXAMPLES[name])
    assert ANSWERS[name] not in done.stdout
    assert re.search("certificate|SSL", done.stderr, re.IGNORECASE), done.stderr


# What cannot open the root, as the page says it; each ends where the example of that reader ends.
CANNOT = {
    "pyarrow": ("dataset = ", "dataset = pyarrow.dataset.dataset(root, filesystem=fs)", "ACCESS_DENIED"),
    "pandas": ("files = ", 'pandas.read_parquet(secret["bucket"] + "/" + secret["prefix"], filesystem=fs)', "ACCESS_DENIED"),
    "s3fs": ("print(", 'fs.info(secret["bucket"] + "/" + secret["prefix"])', "PermissionError"),
}


@pytest.mark.parametrize("name", sorted(CANNOT))
def test_what_asks_for_a_key_outside_is_refused_and_not_misled(reader: Reader, name: str) -> None:
    language, text = EXAMPLES[name]
    start, attempt, words = CANNOT[name]
    done = reader.run(language, f"{text[: text.index(start)]}{attempt}\n")
    assert done.returncode != 0
    assert words in done.stderr, done.stderr
    assert f"# {name}" not in done.stdout


# Nothing of the siblings shows, whatever is asked.


def _lists(**asked: Any) -> Callable[[Any, str], Any]:
    return lambda s3, bucket: s3.list_objects_v2(Bucket=bucket, **asked)


LISTINGS: dict[str, Callable[[Any, str], Any]] = {
    **{
        f"list {prefix!r}": _lists(Prefix=prefix)
        for prefix in ("daily", "daily-", "daily-internal/", "dail", "d", "Daily/", "/daily/", "daily*")
    },
    **{f"list {prefix!r} by folder": _lists(Prefix=prefix, Delimiter="/") for prefix in ("", "daily", "daily-internal/")},
    "list without a prefix": _lists(),
    "list after a key": _lists(StartAfter="daily/"),
    "list by another delimiter": _lists(Prefix="daily", Delimiter="-"),
    "list the old way": lambda s3, bucket: s3.list_objects(Bucket=bucket, Prefix="daily"),
    "list the old way after a marker": lambda s3, bucket: s3.list_objects(Bucket=bucket, Marker="daily"),
    "list versions": lambda s3, bucket: s3.list_object_versions(Bucket=bucket, Prefix="daily/"),
    "list uploads": lambda s3, bucket: s3.list_multipart_uploads(Bucket=bucket),
    "head the bucket": lambda s3, bucket: s3.head_bucket(Bucket=bucket),
}
WITHIN = {
    "list the port": _lists(Prefix="daily/"),
    "list it by folder": _lists(Prefix="daily/", Delimiter="/"),
    "list it by another delimiter": _lists(Prefix="daily/", Delimiter="-"),
    "list it after a key of a sibling": _lists(Prefix="daily/", StartAfter="daily-internal/"),
    "list it after a key before it": _lists(Prefix="daily/", StartAfter="a"),
    "list a part of it": _lists(Prefix="daily/day=1/"),
    "list what is not there": _lists(Prefix="daily/../daily-internal/"),
}
MISSING = ("daily-internal/none", "daily0", "none", "daily-internal", "daily/../daily-internal/day=1/part.parquet")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_list_shows_a_key_or_a_prefix_of_a_sibling(ports: dict[str, Port], scheme: str) -> None:
    s3, bucket = ports[scheme].access.client(), ports[scheme].secret["bucket"]
    for what, ask in LISTINGS.items():
        with pytest.raises(ClientError) as caught:
            ask(s3, bucket)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, what
    for what, ask in WITHIN.items():
        answer = ask(s3, bucket)
        shown = [found["Key"] for found in answer.get("Contents", ())] + [found["Prefix"] for found in answer.get("CommonPrefixes", ())]
        assert all(key.startswith("daily/") for key in shown), what


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_head_tells_whether_a_key_of_a_sibling_exists(ports: dict[str, Port], scheme: str) -> None:
    s3, bucket = ports[scheme].access.client(), ports[scheme].secret["bucket"]
    for key in (*OUTSIDE, *MISSING):
        for ask in (s3.head_object, s3.get_object, s3.get_object_acl, s3.get_object_tagging):
            found = _status_of(lambda ask=ask, key=key: ask(Bucket=bucket, Key=key))  # type: ignore[misc]
            assert found == 403 or (found == 404 and key.startswith("daily/")), (key, ask)
        for mode in ("put", "delete", "copy"):
            assert _status_of(lambda key=key, mode=mode: _write(s3, bucket, key, mode)) == 403, (key, mode)  # type: ignore[misc]
    assert s3.head_object(Bucket=bucket, Key=INSIDE[0])["ContentLength"] > 0


def _write(s3: Any, bucket: str, key: str, mode: str) -> None:
    if mode == "put":
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    elif mode == "delete":
        s3.delete_object(Bucket=bucket, Key=key)
    else:
        s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": INSIDE[0]})


def _status_of(call: Callable[[], Any]) -> int:
    try:
        call()
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 200


def test_the_secret_of_a_store_behind_tls_says_so(ports: dict[str, Port], door: TlsDoor) -> None:
    over = ports["https"].secret
    assert over["ca.crt"] == door.ca
    assert (over["use-ssl"], over["endpoint"]) == ("true", f"https://{over['endpoint-host']}")
    assert "ca.crt" not in ports["http"].secret
