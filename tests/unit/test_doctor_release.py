"""What `clouddatamesh doctor` judges of the operator itself: permissions, Lease, Deployment, replicas, clock."""

from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh.api import permissions
from clouddatamesh.doctor import clock as clocks
from clouddatamesh.doctor import health, release
from clouddatamesh.doctor import permissions as rights
from clouddatamesh.doctor.findings import Finding, Unchecked
from clouddatamesh.doctor.lease import Watched
from clouddatamesh.doctor.reading import NotAllowed
from clouddatamesh.shell.lease import NAME
from tests.unit.doctor_scene import NAMESPACE, OPERATOR, Clock, Server, a_subject, said, the_only

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
HOLDER = f"/api/v1/namespaces/{NAMESPACE}/pods/a"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/clouddatamesh"
REVIEWS: dict[str, Any] = {f"/apis/authorization.k8s.io/v1/{kind}subjectaccessreviews": {} for kind in ("", "self")}


def test_the_operator_asks_for_itself_and_others_ask_for_it() -> None:
    for user, review in ((OPERATOR, "selfsubjectaccessreviews"), ("admin", "subjectaccessreviews")):
        server = Server(dict(REVIEWS))
        assert said(rights.look(a_subject(server, user=user))) == []
        assert {path.rpartition("/")[2] for path in server.asked} == {review}
        declared = len(permissions.OPERATOR_CLUSTER) + len(permissions.OPERATOR_OWN_NAMESPACE)
        assert len(server.asked) > declared


def test_what_is_missing_of_one_rule_is_one_finding_with_its_reason() -> None:
    found = the_only(rights.look(a_subject(Server(dict(REVIEWS), denied=frozenset({"create namespaces", "patch namespaces"})))))
    assert found.object == "ClusterRole clouddatamesh-operator"
    assert found.what == "The operator may not create namespaces; patch namespaces"
    assert "never delete one" in found.why
    assert found.do == "helm upgrade clouddatamesh charts/clouddatamesh -n mesh-system --reset-then-reuse-values --wait --force-conflicts"


def test_an_operator_without_any_permission_is_told_once() -> None:
    server = Server(dict(REVIEWS), denied=frozenset({"*"}))
    found = the_only(rights.look(a_subject(server)))
    assert found.what.startswith("It has none of the ")
    assert found.object == f"ServiceAccount {NAMESPACE}/clouddatamesh"


def test_a_missing_right_in_its_own_namespace_names_the_role() -> None:
    found = the_only(rights.look(a_subject(Server(dict(REVIEWS), denied=frozenset({"get secrets"})))))
    assert (found.object, found.what) == (
        "Role mesh-system/clouddatamesh-operator",
        "The operator may not get secrets in namespace mesh-system",
    )


def test_rights_to_secrets_are_asked_in_namespaces_of_domains_that_stay() -> None:
    spaces = [{"metadata": {"name": "sales"}}, {"metadata": {"name": "gone", "deletionTimestamp": "now"}}]
    server = Server({**REVIEWS, "/api/v1/namespaces": spaces}, denied=frozenset({"delete secrets"}))
    found = the_only(rights.look_at_domains(a_subject(server)))
    assert (found.object, found.what) == ("ClusterRole clouddatamesh-secrets", "The operator may not delete secrets in namespace sales")
    server.objects["/api/v1/namespaces"] = [{"metadata": {"name": "inventory"}}, {"metadata": {"name": "sales"}}]
    found = the_only(rights.look_at_domains(a_subject(server)))
    assert found.what == "The operator may not delete secrets in namespace inventory; delete secrets in namespace sales"


@pytest.mark.parametrize("version", ["0.2.0", "0.0.9", "0.1.0-rc.1", "edge"])
def test_no_command_installs_the_chart_over_a_release_of_another_version(version: str) -> None:
    deployment = {"metadata": {"labels": {"app.kubernetes.io/version": version}}, **a_deployment()}
    deployment["spec"]["template"] = {"spec": {"containers": []}}
    subject = a_subject(Server({**REVIEWS, DEPLOYMENT: deployment}, denied=frozenset({"create namespaces"})))
    assert said(release.look(subject)) == []
    found = the_only(rights.look(subject))
    assert found.do.startswith(f"Run the doctor of version {version} from its checkout or its image: the release is of that version")
    assert "helm" not in subject.upgrade("mesh=acme")


def a_lease(holder: str = "a", renewed: str = "1") -> dict[str, Any]:
    return {"metadata": {}, "spec": {"holderIdentity": holder, "renewTime": renewed}}


def look_at_lease(server: Server, *later: Any, known: bool = True) -> tuple[list[str], bool | None, float]:
    """What is said, whether a replica leads, and how long it took; `later` are the next answers, the last of them for ever."""
    clock = Clock()
    subject = a_subject(server, clock=clock)
    subject.deployed = known
    answers = iter(later)

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        server.objects[LEASE] = next(answers, server.objects.get(LEASE, 404))

    watched = Watched(wait=wait, now=clock.now)
    list(watched.begin(subject))
    return said(watched.look(subject)), subject.leads, clock.time


def test_a_lease_that_is_renewed_by_a_pod_is_sound() -> None:
    server = Server({LEASE: a_lease(), HOLDER: {"metadata": {}}})
    assert look_at_lease(server, a_lease(renewed="2")) == ([], True, 4.0)


def test_a_leader_may_take_as_long_as_a_lease_lasts() -> None:
    server = Server({LEASE: a_lease(), HOLDER: {"metadata": {}}})
    assert look_at_lease(server, a_lease(), a_lease(renewed="2")) == ([], True, 15.0)


def test_who_may_not_read_pods_says_nothing_of_the_holder() -> None:
    assert look_at_lease(Server({LEASE: a_lease(), HOLDER: 403}), a_lease(renewed="2")) == ([], True, 4.0)


@pytest.mark.parametrize(
    ("lease", "pod", "words", "seconds"),
    [
        (a_lease(), 404, "a holds it, does not renew it and does not exist (last renewed 1)", 15.0),
        (a_lease(), {"metadata": {}}, "a holds it and does not renew it (last renewed 1)", 15.0),
        (a_lease(), 403, "a holds it and does not renew it (last renewed 1)", 15.0),
        (a_lease(holder=""), 404, "Nobody holds it: the last leader released it when it ended", 4.0),
        (404, 404, "It does not exist: no replica has ever led in this namespace", 4.0),
    ],
)
def test_a_lease_that_nobody_renews_means_that_nobody_leads(lease: Any, pod: Any, words: str, seconds: float) -> None:
    told, leads, took = look_at_lease(Server({LEASE: lease, HOLDER: pod}))
    assert (told, leads, took) == ([f"Lease mesh-system/clouddatamesh: {words}"], False, seconds)


def test_a_leader_that_is_no_pod_of_this_namespace_is_told() -> None:
    (told,), leads, _ = look_at_lease(Server({LEASE: a_lease(), HOLDER: 404}), a_lease(renewed="2"))
    assert "no such Pod exists in mesh-system" in told
    assert leads


def test_the_name_of_the_mesh_is_learned_and_another_one_is_told() -> None:
    record = {"metadata": {"annotations": {"clouddatamesh.dev/mesh": "retail"}}}
    server = Server({LEASE: a_lease(), LEASE.replace(NAME, "clouddatamesh-mesh"): record})
    subject = a_subject(server)
    found = the_only(Watched().begin(subject))
    assert "served as mesh retail, and the name given here is acme" in found.what
    assert found.do.startswith("Leave --mesh out, or give --mesh=retail.")
    assert "mesh=acme" not in found.do
    assert subject.mesh == "retail", "what the cluster recorded counts for every other check"
    subject.mesh = ""
    assert said(Watched().begin(subject)) == []
    assert subject.mesh == "retail"


def a_deployment(*, wanted: int = 2, ready: int = 2, progressing: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Progressing", "status": progressing, "message": "deadline exceeded"}]
    return {"spec": {"replicas": wanted}, "status": {"readyReplicas": ready, "conditions": conditions}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (a_deployment(), []),
        (None, ["It does not exist"]),
        (a_deployment(wanted=0, ready=0), ["It is scaled to 0 replicas"]),
        (a_deployment(ready=1), ["1 of 2 replicas are ready"]),
        (a_deployment(ready=1, progressing="False"), ["1 of 2 replicas are ready: deadline exceeded", "Its rollout does not progress"]),
    ],
)
def test_a_deployment_is_as_many_replicas_as_it_should_be(found: Any, told: list[str]) -> None:
    assert [one.what for one in release.judge_deployment(found, subject=a_subject())] == told


def a_pod(name: str, image: str, **state: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"containerStatuses": [{"name": "operator", "imageID": image, **state}]}}


def test_where_the_chart_is_not_installed_no_command_upgrades_it() -> None:
    subject = a_subject()
    subject.deployed = False
    assert subject.upgrade() == subject.start()
    assert subject.start().startswith("helm upgrade --install clouddatamesh charts/clouddatamesh -n mesh-system --create-namespace")
    subject.mesh = "a; reboot"
    assert "--set mesh='a; reboot'" in subject.start()


def test_pods_of_different_images_and_pods_that_die_are_told() -> None:
    killed = {"restartCount": 7, "lastState": {"terminated": {"reason": "OOMKilled"}}}
    images, restarts = release.judge_pods([a_pod("a", "x@1"), a_pod("b", "x@2", **killed)], subject=a_subject())
    assert images.what == "Its Pods run different images: x@1, x@2"
    assert (restarts.what, restarts.level) == ("It was restarted 7 times, the last time because of OOMKilled", "Remark")
    assert list(release.judge_pods([a_pod("a", "x@1"), a_pod("b", "x@1"), {"metadata": {"name": "new"}}], subject=a_subject())) == []


def metrics(*, version: str = "0.1.0", mesh: str = "acme", skew: float = 0.1) -> str:
    info = f'clouddatamesh_info{{mesh="{mesh}",version="{version}"}} 1.0'
    return f"# TYPE clouddatamesh_info gauge\n{info}\nclouddatamesh_clock_skew_seconds {skew}\n"


def a_replica(text: str = "ok\n", **given: Any) -> health.Replica:
    return health.Replica("a", (200 if text == "ok\n" else 503, text), metrics(**given))


def test_a_ready_replica_of_this_version_is_sound() -> None:
    assert list(health.judge(a_replica(), subject=a_subject())) == []


@pytest.mark.parametrize(
    ("line", "way_out"),
    [
        ("the operator may not get pods", "helm upgrade"),
        ("the watch of Domain has brought nothing for 90 s", "kubectl rollout restart deployment/clouddatamesh -n mesh-system"),
        ("the watch of Domain has not begun", "kubectl rollout restart"),
        ("watching ended 3 times in a row, at last with OSError", "kubectl logs a -n mesh-system"),
        ("this machine's clock is 99 s ahead of the API server's; nothing is given or taken by time", "Synchronize the clock"),
        ("this cluster is served as mesh b, and this operator was started for mesh a", "--set mesh="),
        ("Domain is not listed yet", "kubectl logs a -n mesh-system"),
    ],
)
def test_each_sentence_of_readyz_is_a_finding_with_its_way_out(line: str, way_out: str) -> None:
    found = the_only(health.judge(a_replica(f"{line}\n"), subject=a_subject()))
    assert found.what == f"It is not ready: {line}"
    assert way_out in found.do


def test_a_replica_of_another_version_mesh_or_time_is_told() -> None:
    found = [one.what for one in health.judge(a_replica(version="0.2.0", mesh="retail", skew=-90), subject=a_subject())]
    assert found == [
        "It is version 0.2.0, this program is 0.1.0",
        "It serves mesh retail, not acme",
        "Its clock is -90 s off the API server's",
    ]


@pytest.mark.parametrize(
    ("is_recorded", "way_out"),
    [(True, "--set mesh=acme"), (False, "Leave --mesh out, or give --mesh=retail")],
)
def test_no_replica_is_told_to_take_a_name_that_only_the_caller_gave(way_out: str, *, is_recorded: bool) -> None:
    found = the_only(health.judge(a_replica(mesh="retail"), subject=replace(a_subject(), is_recorded=is_recorded)))
    assert found.do.endswith(way_out)


PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
RUNNING = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "operator", "ports": [{"name": "health", "containerPort": 9}]}]}}


def test_every_pod_is_asked_through_the_api_server_at_its_own_port() -> None:
    proxy = f"{PODS}/a:9/proxy"
    ending = {**RUNNING, "metadata": {"name": "b", "deletionTimestamp": "now"}}
    server = Server({PODS: [RUNNING, ending]}, pages={f"{proxy}/readyz": (200, "ok\n"), f"{proxy}/metrics": (200, metrics())})
    assert said(health.look(a_subject(server), pod="", port="")) == []


@pytest.mark.parametrize("answer", [(502, "error trying to reach service: dial tcp"), (503, '{"kind":"Status"}'), (0, "URLError")])
def test_a_pod_that_cannot_be_reached_is_not_checked_and_not_well(answer: tuple[int, str]) -> None:
    server = Server({PODS: [RUNNING]}, pages={f"{PODS}/a:9/proxy/readyz": answer})
    (found,) = health.look(a_subject(server), pod="", port="")
    assert isinstance(found, Unchecked)
    assert "it does not answer" in found.missing


def test_no_pod_at_all_is_not_checked() -> None:
    (found,) = health.look(a_subject(Server({PODS: []})), pod="", port="")
    assert isinstance(found, Unchecked)
    assert not found.by_design


@pytest.mark.parametrize(("seconds", "user", "level"), [(59.0, "admin", None), (-61.0, "admin", "Remark"), (61.0, OPERATOR, "ToDo")])
def test_a_clock_that_is_off_matters_where_the_operator_runs(seconds: float, user: str, level: str | None) -> None:
    found = [one for one in clocks.judge(seconds, is_operator=user == OPERATOR) if isinstance(one, Finding)]
    assert [one.level for one in found] == ([level] if level else [])


LABELLED = {"labels": {"app.kubernetes.io/instance": "rendered"}}
RELEASED = {"annotations": {"meta.helm.sh/release-name": "mesh"}, **LABELLED}


@pytest.mark.parametrize(("metadata", "name"), [(RELEASED, "mesh"), (LABELLED, "rendered"), ({}, "<release>")])
def test_commands_name_the_release_as_helm_knows_it(metadata: dict[str, Any], name: str) -> None:
    stuck = {"metadata": metadata, **a_deployment(progressing="False")}
    stuck["spec"]["template"] = {"spec": {"containers": []}}
    subject = a_subject(Server({DEPLOYMENT: stuck}))
    assert the_only(release.look(subject)).do == f"helm rollback {name} -n mesh-system"
    assert subject.upgrade().startswith(f"helm upgrade {name} charts/clouddatamesh -n mesh-system ")
    (found,) = health.judge(a_replica("the operator cannot read Domains\n"), subject=subject)
    assert found.do.endswith(f"helm history {name} -n mesh-system")


def test_a_release_whose_name_cannot_be_read_is_left_to_the_reader_to_name() -> None:
    subject = a_subject(Server({DEPLOYMENT: 403}))
    subject.release = ""
    with pytest.raises(NotAllowed):
        list(release.look(subject))
    assert subject.upgrade().startswith("helm upgrade <release> charts/clouddatamesh")


def test_a_release_that_does_not_exist_gets_the_name_of_the_documentation() -> None:
    subject = a_subject()
    list(release.look(subject))
    assert subject.upgrade().startswith("helm upgrade --install clouddatamesh charts/clouddatamesh")
