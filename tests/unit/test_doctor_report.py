"""The report of `clouddatamesh doctor`: what was not checked never counts as well, and one check keeps no other from being made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.__main__ import _parser
from clouddatamesh.doctor import examine as examining
from clouddatamesh.doctor.command import run
from clouddatamesh.doctor.examine import Options, examine
from clouddatamesh.doctor.findings import Checked, Finding, Report, Result, Unchecked
from clouddatamesh.doctor.lease import Watched
from clouddatamesh.doctor.reading import NotAllowed, OutOfTime
from clouddatamesh.doctor.render import as_json, as_text
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.errors import Transient
from clouddatamesh.kube.access import Need
from tests.unit.doctor_scene import OPERATOR, Clock, Server, a_subject

TO_DO = Finding(check="lease", object="Lease a/b", what="Nobody holds it", why="No replica reconciles", do="kubectl scale")
REMARK = Finding(check="objects", object="Domain d", what="It is cordoned", why="w", do="d", level="Remark")
UNCHECKED = Unchecked(check="policies", what="policies", missing="the permission to get validatingadmissionpolicies")
BY_DESIGN = Unchecked(check="policies", what="policies", missing="the permission to get validatingadmissionpolicies", by_design=True)
CHECKED = Checked(check="crds", what="6 CustomResourceDefinitions")


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((), 0),
        ((CHECKED, REMARK), 0),
        ((CHECKED, BY_DESIGN), 0),
        ((CHECKED, UNCHECKED), 2),
        ((UNCHECKED, TO_DO), 1),
        ((BY_DESIGN, UNCHECKED), 2),
    ],
)
def test_what_was_not_checked_is_not_well(results: tuple[Result, ...], code: int) -> None:
    assert Report(results).exit_code == code


def test_the_text_says_what_to_do_first_and_counts() -> None:
    text = as_text(Report((CHECKED, UNCHECKED, REMARK, TO_DO)), a_subject())
    assert text.index("To do:") < text.index("Remarks:") < text.index("Not checked:") < text.index("Checked:")
    assert "  1. [lease] Lease a/b: Nobody holds it\n     why: No replica reconciles\n     do:  kubectl scale\n" in text
    assert "policies: not checked: the permission to get validatingadmissionpolicies is missing\n" in text
    assert text.endswith("Something needs to be done: 1 to do, 1 remarks, 1 not checked\n")
    assert as_text(Report((CHECKED,)), a_subject()).endswith("Nothing needs to be done: 0 to do, 0 remarks, 0 not checked\n")
    assert "not everything could be checked" in as_text(Report((UNCHECKED,)), a_subject())
    assert "run doctor from outside" in as_text(Report((BY_DESIGN,)), a_subject())


def test_a_terminal_is_shown_no_control_characters() -> None:
    hostile = Finding(check="objects", object="a", what="cut off: \x1b[2J\x07\u202eevil", why="w\nTo do:", do="d")
    text = as_text(Report((hostile,)), a_subject())
    assert "cut off: ?[2J??evil" in text
    assert "why: w?To do:" in text


def test_the_json_has_the_same() -> None:
    document = json.loads(as_json(Report((CHECKED, UNCHECKED, REMARK, TO_DO)), a_subject()))
    assert document["exitCode"] == 1
    assert document["findings"][0] == {
        "check": "lease",
        "level": "ToDo",
        "object": "Lease a/b",
        **{name: vars(TO_DO)[name] for name in ("what", "why", "do")},
    }
    assert document["notChecked"][0]["byDesign"] is False
    assert document["checked"] == [{"check": "crds", "what": "6 CustomResourceDefinitions"}]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAllowed(Need("get", "", "pods")), "the permission to get pods"),
        (OutOfTime("the time has passed"), "the time has passed"),
        (Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer"), "The API server did not answer"),
        (KeyError("status"), "an answer cannot be read: KeyError: 'status'"),
    ],
)
def test_a_check_that_ends_early_keeps_what_it_found_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def broken(_: Subject) -> Iterator[Result]:
        yield TO_DO
        raise error

    def sound(_: Subject) -> Iterator[Result]:
        yield CHECKED

    monkeypatch.setattr(examining, "_checks", lambda *_: iter([("lease", "first", broken), ("crds", "second", sound)]))
    first, unchecked, last = examine(a_subject(), Options(), Watched()).results
    assert (first, last) == (TO_DO, CHECKED)
    assert isinstance(unchecked, Unchecked)
    assert (unchecked.what, unchecked.missing) == ("first", words)


def test_only_what_the_operator_lacks_on_purpose_is_left_to_others() -> None:
    everything: dict[str, Any] = dict.fromkeys(("/api/v1/namespaces/mesh-system/pods", "/api/v1/namespaces"), 403)
    clock = Clock()
    for user, leaves in ((OPERATOR, {"images of the Pods"}), ("admin", set())):
        subject = a_subject(Server(everything), user=user, clock=clock)
        report = examine(subject, Options(pod="a", port="9"), Watched(wait=clock.wait, now=clock.now))
        told = {one.what for one in report.unchecked if one.by_design and "other Pods" not in one.what}
        assert told == leaves, "listing Namespaces is a right that the operator needs"


def test_no_way_in_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = _parser().parse_args(["doctor", "--kubeconfig", str(tmp_path / "absent")])
    assert run(absent, {}) == 2
    assert "no way to log in to an API server" in capsys.readouterr().err
    config = tmp_path / "config"
    cluster = {"clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:9"}}], "users": [], "current-context": "a"}
    config.write_text(json.dumps({**cluster, "contexts": [{"name": "a", "context": {"cluster": "a", "user": ""}}]}))
    assert run(_parser().parse_args(["doctor", "--kubeconfig", str(config)]), {}) == 2
    assert "The API server did not answer" in capsys.readouterr().err
    assert run(_parser().parse_args(["doctor", "--kubeconfig", str(config), "--context", "b"]), {}) == 2
    assert "b" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--timeout", "0"], ["--timeout", "soon"], ["--without-guard", "all"], ["--output", "xml"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["doctor", *arguments])
