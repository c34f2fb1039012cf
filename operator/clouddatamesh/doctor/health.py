"""What each replica says itself: /readyz, which names watches that do not watch, and the metrics of version, mesh and clock."""

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from shlex import quote
from typing import Any, Final

from clouddatamesh.doctor.findings import Checked, Finding, Result, Unchecked
from clouddatamesh.doctor.release import pods_of
from clouddatamesh.doctor.subject import CONTAINER, Subject
from clouddatamesh.kube.skew import LIMIT
from clouddatamesh.model.objects import Manifest

CHECK: Final = "health"
_PROGRAM: Final = "/opt/clouddatamesh/bin/clouddatamesh"
"""In the image."""
_ASKING: Final = 5.0
_MOST: Final = 1 << 20
"""Bytes of an answer that are read."""
_SAMPLE: Final = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_ADVICE: Final = (
    ("may not", "Install the chart's RBAC: {upgrade}"),
    (
        "the watch of",
        "Look for a proxy that buffers streams, then: kubectl rollout restart deployment/clouddatamesh -n {namespace}",
    ),
    ("watching ended", "kubectl logs {pod} -n {namespace} --tail=50"),
    ("clock", "Synchronize the clock of the Pod's node: kubectl get pod {pod} -n {namespace} -o wide"),
    ("is served as mesh", "{rename}"),
    ("cannot read", "Run the newer version of the operator again: {history}"),
)
"""By words of a sentence of /readyz, what docs/operations/probes.md says to do."""
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
Ask = Callable[[str], tuple[int, str]]


@dataclass(frozen=True)
class Replica:
    """A replica as it answered."""

    pod: str
    ready: tuple[int, str]
    metrics: str = ""

    def value(self, name: str) -> float | None:
        """The first sample of a metric."""
        return next((float(one["value"]) for one in _SAMPLE.finditer(self.metrics) if one["name"] == name), None)

    def label(self, name: str, label: str) -> str:
        """A label of the first sample of a metric."""
        for one in _SAMPLE.finditer(self.metrics):
            if one["name"] == name:
                return str(dict(_LABEL.findall(one["labels"] or "")).get(label, ""))
        return ""


def look(subject: Subject, *, pod: str, port: str) -> Iterator[Result]:
    """In a Pod of the operator itself that Pod alone is asked, from outside all through the API server."""
    if pod and subject.is_operator:
        found = _answer(pod, partial(_ask_here, port))
        yield from _tell(found, (pod,), subject)
        yield Unchecked(
            check=CHECK,
            what=f"/readyz and metrics of other Pods than {pod}",
            missing=f"the permission to list pods in namespace {subject.namespace}",
            by_design=True,
        )
        return
    pods = pods_of(subject)
    for one in pods:
        name = one["metadata"]["name"]
        root = f"/api/v1/namespaces/{subject.namespace}/pods/{name}:{_port_of(one)}/proxy"
        yield from _tell(_answer(name, partial(_ask_through, subject, root)), (name,), subject)
    if not pods:
        yield Unchecked(
            check=CHECK, what="/readyz, watches and clock of the operator", missing=f"no Pod of it exists in {subject.namespace}"
        )


def _answer(pod: str, ask: Ask) -> Replica | str:
    """The replica, or why it could not be asked."""
    code, text = ask("/readyz")
    if code not in (200, 503) or text.startswith(("error trying to reach", "{")):
        return f"it does not answer ({code}: {' '.join(text.split())[:200]}); check its state, and NetworkPolicies"
    return Replica(pod, (code, text), ask("/metrics")[1])


def _tell(found: Replica | str, pods: tuple[str, ...], subject: Subject) -> Iterator[Result]:
    if isinstance(found, str):
        yield Unchecked(check=CHECK, what=f"/readyz, watches and clock of Pod {', '.join(pods)}", missing=found)
        return
    yield from judge(found, subject=subject)
    yield Checked(check=CHECK, what=f"/readyz, watches, clock and version of Pod {found.pod}")


def judge(replica: Replica, *, subject: Subject) -> Iterator[Finding]:
    """What a replica says against itself."""

    def say(what: str, why: str, do: str) -> Finding:
        return Finding(check=CHECK, object=f"Pod {subject.namespace}/{replica.pod}", what=what, why=why, do=do)

    code, text = replica.ready
    for line in filter(None, (line.strip() for line in text.splitlines())) if code != 200 else ():
        advice = next((said for words, said in _ADVICE if words in line), "kubectl logs {pod} -n {namespace} --tail=50")
        rename = subject.upgrade("mesh=<the name that the message names>")
        further = {"upgrade": subject.upgrade(), "rename": rename, "history": subject.helm("history")}
        do = advice.format(**further, namespace=subject.namespace, pod=replica.pod)
        yield say(f"It is not ready: {line}", "Until then it works with what it knew before, or not at all; docs/operations/probes.md", do)
    version = replica.label("clouddatamesh_info", "version")
    if version and version != subject.version:
        do = f"Run the doctor of its own version: kubectl exec deploy/clouddatamesh -n {subject.namespace} -- {_PROGRAM} doctor"
        yield say(
            f"It is version {version}, this program is {subject.version}",
            "CRDs, permissions and policies are compared with this program",
            do,
        )
    mesh = replica.label("clouddatamesh_info", "mesh")
    if mesh and subject.mesh and mesh != subject.mesh:
        yield say(
            f"It serves mesh {mesh}, not {subject.mesh}",
            "It does not begin under another name",
            subject.upgrade(f"mesh={quote(subject.mesh)}") if subject.is_recorded else f"Leave --mesh out, or give --mesh={mesh}",
        )
    skew = replica.value("clouddatamesh_clock_skew_seconds") or 0.0
    if abs(skew) > LIMIT and "clock" not in text:
        yield say(
            f"Its clock is {skew:+.0f} s off the API server's",
            "It gives and revokes nothing by time",
            f"kubectl get pod {replica.pod} -n {subject.namespace} -o wide, and synchronize the clock of that node",
        )


def _port_of(pod: Manifest) -> int:
    ports: Any = next((one.get("ports") or () for one in pod["spec"]["containers"] if one.get("name") == CONTAINER), ())
    return next((int(one["containerPort"]) for one in ports if one.get("name") == "health"), 8080)


def _ask_through(subject: Subject, root: str, path: str) -> tuple[int, str]:
    """A Pod, through the API server."""
    return subject.reader.page(f"{root}{path}")


def _ask_here(port: str, path: str) -> tuple[int, str]:
    """The Pod in which this program runs."""
    try:
        with _DIRECT.open(f"http://127.0.0.1:{port}{path}", timeout=_ASKING) as answer:
            return int(answer.status), answer.read(_MOST).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_MOST).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{type(error).__name__}: {error}"
