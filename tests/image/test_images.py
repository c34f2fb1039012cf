"""The images as archives: what a build adds to its base, what it says of itself, and that it is the same each time."""

import functools
import json
import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hack.tools.archives import Archive
from hack.tools.children import say_nothing
from hack.tools.engines import IMAGES, OPERATOR, QUICKSTART, Image, Stamp, build_flags, find_engine, stamp_of_commit
from hack.tools.images import build_archive, get_base, get_image
from hack.tools.node import find_obstacles
from tests.image.licences import refused

pytestmark = pytest.mark.real
LIMIT = 250e6
"""Bytes that the operator's image may add to its base, unpacked."""
UNCHECKED = 1
"""Flags of bytecode that holds the hash of its source and is used without a look at it (PEP 552)."""


@dataclass(frozen=True)
class Built:
    """An image, and what its last layer adds."""

    image: Image
    archive: Archive
    files: tuple[tarfile.TarInfo, ...]
    sbom: dict[str, Any]
    bytecode: frozenset[int]
    """Flags of a part of its bytecode."""

    def installed(self) -> dict[str, str]:
        """Names and versions of what pip installed."""
        names = [re.fullmatch(r".*/site-packages/([^/]+)-([^/-]+)\.dist-info", found.name) for found in self.files]
        return {normal(found[1]): found[2] for found in names if found}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module", params=IMAGES, ids=lambda image: image.target)
def built(request: pytest.FixtureRequest) -> Built:
    return open_image(request.param)


@functools.cache
def open_image(image: Image) -> Built:
    obstacles = "; ".join(find_obstacles())
    if obstacles and os.environ.get("CI", "").lower() == "true":
        pytest.fail(obstacles)
    if obstacles:
        pytest.skip(obstacles)
    archive = Archive(get_image(image, say=say_nothing))
    files = tuple(archive.members(archive.layers[-1]))
    bytecode = [found.name for found in files if found.name.endswith(".pyc")][::50]
    contents = archive.read(archive.layers[-1], {image.sbom, *bytecode})
    flags = frozenset(int.from_bytes(contents[name][4:8], "little") for name in bytecode)
    return Built(image, archive, files, json.loads(contents[image.sbom]), flags)


def test_it_adds_one_folder_of_at_most_250_mb(built: Built) -> None:
    folder = str(Path(built.image.sbom).parent)
    assert {found.name for found in built.files if not found.name.startswith(f"{folder}/")} <= {"opt", "opt/", folder}
    size = sum(found.size for found in built.files)
    assert 10e6 < size <= LIMIT, f"{built.image.name} adds {size / 1e6:.0f} MB to its base"


def test_it_runs_as_a_user_by_number_that_owns_nothing(built: Built) -> None:
    assert built.archive.config["User"] == "65532:65532"
    assert {(found.uid, found.gid) for found in built.files} == {(0, 0)}
    assert not [found.name for found in built.files if found.mode & 0o6002 and not found.issym()]
    assert not [found.name for found in built.files if found.isfile() and not found.mode & 0o004]


def test_it_says_what_it_is(built: Built) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in built.archive.config["Labels"].items()}
    assert labels["title"] == built.image.repository
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == built.image.name.rpartition(":")[2]
    assert {"revision", "source", "description"} <= set(labels)


def test_no_file_has_a_time_of_its_own_and_no_bytecode_any(built: Built) -> None:
    assert {found.mtime for found in built.files} == {Stamp.epoch}
    assert built.archive.created.startswith("1980-01-01T00:00:00")
    assert built.bytecode == {UNCHECKED}


def test_its_list_of_components_is_what_is_installed(built: Built) -> None:
    listed = {normal(found["name"]): found["version"] for found in built.sbom["components"]}
    root = built.sbom["metadata"].get("component", {}).get("name")
    assert listed == {name: version for name, version in built.installed().items() if name != root}
    assert all(found["purl"].startswith("pkg:pypi/") for found in built.sbom["components"])


def test_every_component_has_a_licence_that_asks_for_attribution_alone(built: Built) -> None:
    assert refused(built.sbom["components"]) == {}


def test_neither_has_what_the_other_or_the_build_needs() -> None:
    operator, quickstart = open_image(OPERATOR).installed(), open_image(QUICKSTART).installed()
    assert "clouddatamesh" in operator
    assert not {"moto", "flask", "werkzeug", "jinja2"} & set(operator)
    assert {"moto", "kubernetes"} <= set(quickstart)
    assert not {"clouddatamesh", "kopf"} & set(quickstart)
    assert not {"pip", "setuptools", "cyclonedx-bom"} & {*operator, *quickstart}


def test_a_second_build_has_the_same_layers(tmp_path: Path) -> None:
    """With no step from a cache: packages are installed, compiled and listed again."""
    built, again = open_image(OPERATOR), tmp_path / "again.tar"
    build_archive(built.image, get_base(say=say_nothing), Stamp(), again, cached=False)
    assert Archive(again).layers == built.archive.layers
    assert Archive(again).config == built.archive.config


def test_a_commit_is_in_the_labels_and_times_of_a_release() -> None:
    stamp = stamp_of_commit()
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", stamp.revision)
    assert stamp.epoch > Stamp.epoch


@pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
def test_each_engine_is_told_target_base_version_and_time(engine: str) -> None:
    flags = build_flags(engine, "operator", Stamp("abc", "https://example.com/mesh", 1_700_000_000), "localhost/base:1")
    said = {flags[place + 1] for place, flag in enumerate(flags) if flag == "--build-arg"}
    assert said >= {"REVISION=abc", "SOURCE=https://example.com/mesh", "SOURCE_DATE_EPOCH=1700000000", "BASE=localhost/base:1"}
    assert flags[:2] == ["--target", "operator"]
    assert ("--timestamp" in flags) == (engine != "docker")
    assert ("--isolation" in flags) == (engine == "buildah")


def test_the_first_engine_that_works_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_engine() == "buildah"
    for name, code in (("docker", 1), ("podman", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    assert find_engine() == "podman", "a docker without its daemon is none"
    assert find_engine("docker") == "docker"
    with pytest.raises(Exception, match="ENGINE=kaniko is not one of docker, podman, buildah"):
        find_engine("kaniko")
