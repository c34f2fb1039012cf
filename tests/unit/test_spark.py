"""Spark's configuration on the page: options that Hadoop's S3A connector knows, with the values of the Secret. Spark itself is 400 MB."""

import re
import sys
import types
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "consume-a-port.md").read_text(encoding="utf-8")
KNOWN = frozenset((ROOT / "tests" / "support" / "s3a_options.txt").read_text(encoding="utf-8").split())
"""The strings that begin with `fs.s3a.` in the class org.apache.hadoop.fs.s3a.Constants of hadoop-aws 3.5.0."""
SECRET = {
    "access-key-id": "KEY",
    "secret-access-key": "hidden",
    "endpoint": "https://s3.example.com:9000",
    "region": "eu-central-1",
    "use-ssl": "true",
    "addressing-style": "path",
    "bucket": "acme-orders",
    "prefix": "daily/",
}


class Spark:
    """Builder, session, reader and table in one: notes what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}
        self.paths: list[str] = []

    @property
    def builder(self) -> Self:
        return self

    read = builder

    def appName(self, _: str) -> Self:  # noqa: N802 - Spark's name
        return self

    def config(self, name: str, value: str) -> Self:
        self.told[name] = value
        return self

    def getOrCreate(self) -> Self:  # noqa: N802 - Spark's name
        return self

    def option(self, _: str, path: str) -> Self:
        self.paths.append(path)
        return self

    def parquet(self, path: str) -> Self:
        self.paths.append(path)
        return self

    def count(self) -> int:
        return 4


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spark:
    """What the example of the page told Spark."""
    place = tmp_path / "orders-access"
    place.mkdir()
    for name, value in SECRET.items():
        (place / name).write_text(value)
    spark = Spark()
    module: Any = types.ModuleType("pyspark.sql")
    module.SparkSession = spark
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)
    monkeypatch.setenv("SERVICE_BINDING_ROOT", str(tmp_path))
    (example,) = re.findall(r"```python\n# spark\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "consume-a-port.md", "exec"), {})  # noqa: S102 - our own page
    return spark


def test_the_options_are_known_to_s3a(spark: Spark) -> None:
    prefix = "spark.hadoop.fs.s3a.bucket.acme-orders."
    assert all(name.startswith(prefix) for name in spark.told)
    assert {f"fs.s3a.{name.removeprefix(prefix)}" for name in spark.told} <= KNOWN
    assert "fs.s3a.bucket." in KNOWN, "options of one bucket"


def test_the_values_are_those_of_the_secret(spark: Spark) -> None:
    told = {name.partition("acme-orders.")[2]: value for name, value in spark.told.items()}
    assert told.pop("aws.credentials.provider").startswith("org.apache.hadoop.fs.s3a.")
    assert told == {
        "access.key": "KEY",
        "secret.key": "hidden",
        "endpoint": "https://s3.example.com:9000",
        "endpoint.region": "eu-central-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "true",
    }
    assert spark.paths == ["s3a://acme-orders/daily/", "s3a://acme-orders/daily/*/*.parquet"]
