"""Whether the Deployment is ready and its replicas run the same image."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from clouddatamesh.doctor.findings import Checked, Finding, Result
from clouddatamesh.doctor.subject import BINDABLE, CONTAINER, DEPLOYMENT, Subject
from clouddatamesh.doctor.versions import version_of
from clouddatamesh.model.objects import Manifest

CHECK: Final = "release"
_RELEASE: Final = "meta.helm.sh/release-name"
_INSTANCE: Final = "app.kubernetes.io/instance"
"""As the chart labels it; of a release that was rendered and applied by another tool."""
_RESTARTS: Final = 5
_MOST: Final = 50
"""Pods that are read; a release has two."""


def look(subject: Subject) -> Iterator[Result]:
    """The Deployment."""
    found = subject.reader.get(f"/apis/apps/v1/namespaces/{subject.namespace}/deployments/{DEPLOYMENT}")
    subject.deployed = found is not None
    subject.release, subject.installed = release_of(found), version_of(found) if found is not None else ""
    subject.bindable = roles_in(found) if found is not None else subject.bindable
    yield from judge_deployment(found, subject=subject)
    yield Checked(check=CHECK, what=f"Deployment {subject.namespace}/{DEPLOYMENT}")


def release_of(deployment: Manifest | None) -> str:
    """The Helm release of the Deployment; by default that of the documentation, where there is none yet."""
    if deployment is None:
        return DEPLOYMENT
    metadata = deployment["metadata"]
    told = (metadata.get("annotations") or {}).get(_RELEASE) or (metadata.get("labels") or {}).get(_INSTANCE)
    return str(told or "")


def roles_in(deployment: Manifest) -> tuple[str, ...]:
    """The additional roles that the operator may bind, as it is told them."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    told = (one for container in containers if container["name"] == CONTAINER for one in container.get("env") or ())
    return next((tuple(str(one.get("value") or "").split()) for one in told if one["name"] == BINDABLE), ())


def look_at_pods(subject: Subject) -> Iterator[Result]:
    """The images and restarts of its Pods."""
    pods = pods_of(subject)
    yield from judge_pods(pods, subject=subject)
    yield Checked(check=CHECK, what=f"{len(pods)} Pods: images, restarts")


def pods_of(subject: Subject) -> tuple[Manifest, ...]:
    """The operator's Pods that are not ending."""
    query = {"labelSelector": "app.kubernetes.io/name=clouddatamesh,app.kubernetes.io/component=operator"}
    found = subject.reader.some(f"/api/v1/namespaces/{subject.namespace}/pods", _MOST, query)
    return tuple(pod for pod in found if "deletionTimestamp" not in pod["metadata"])


def judge_deployment(found: Manifest | None, *, subject: Subject) -> Iterator[Finding]:
    """What is wrong with the Deployment."""

    def say(what: str, why: str, do: str) -> Finding:
        return Finding(check=CHECK, object=f"Deployment {subject.namespace}/{DEPLOYMENT}", what=what, why=why, do=do)

    idle = "No operator reconciles: access has no end, and objects that are being deleted stay"
    if found is None:
        yield say("It does not exist", idle, f"{subject.start()}; if the operator runs elsewhere, name its --namespace")
        return
    wanted, status = int(found["spec"].get("replicas", 1)), found.get("status") or {}
    if not wanted:
        yield say("It is scaled to 0 replicas", idle, subject.start())
        return
    ready = int(status.get("readyReplicas") or 0)
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    told = "; ".join(str(one["message"]) for one in conditions.values() if one.get("status") == "False" and one.get("message"))
    if ready < wanted:
        why = idle if not ready else "With fewer replicas it takes longer until another one leads"
        yield say(
            f"{ready} of {wanted} replicas are ready{f': {told}' if told else ''}",
            why,
            f"kubectl describe pods -n {subject.namespace} -l app.kubernetes.io/name=clouddatamesh",
        )
    if conditions.get("Progressing", {}).get("status") == "False":
        yield say(
            "Its rollout does not progress",
            told or "The last change is not in effect",
            subject.helm("rollback"),
        )


def judge_pods(pods: Sequence[Manifest], *, subject: Subject) -> Iterator[Finding]:
    """What is wrong with the Pods."""
    images = sorted({_image_of(pod) for pod in pods if _image_of(pod)})
    if len(images) > 1:
        yield Finding(
            check=CHECK,
            object=f"Deployment {subject.namespace}/{DEPLOYMENT}",
            what=f"Its Pods run different images: {', '.join(images)}",
            why="During an upgrade this is normal and passes; later it means that the upgrade is stuck, and which version leads is chance",
            do=f"kubectl rollout status deployment/{DEPLOYMENT} -n {subject.namespace} --timeout=2m",
        )
    for pod in pods:
        state = _container_of(pod)
        count = int(state.get("restartCount") or 0)
        last = ((state.get("lastState") or {}).get("terminated") or {}).get("reason") or "unknown"
        if count >= _RESTARTS:
            yield Finding(
                check=CHECK,
                object=f"Pod {subject.namespace}/{pod['metadata']['name']}",
                what=f"It was restarted {count} times, the last time because of {last}",
                why="Each restart lists all objects again; OOMKilled means that the memory limit is too low for this mesh",
                do=f"kubectl logs {pod['metadata']['name']} -n {subject.namespace} --previous --tail=50; see docs/operations/sizing.md",
                level="Remark",
            )


def _container_of(pod: Manifest) -> Mapping[str, Any]:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((one for one in states if one.get("name") == CONTAINER), {})


def _image_of(pod: Manifest) -> str:
    """By its digest where the kubelet tells one."""
    state = _container_of(pod)
    return str(state.get("imageID") or state.get("image") or "")
