"""Which worker runs which test file. It knows names of files alone, not what they test.

Most tests with real parts wait for them more than they compute, and most others compute alone. Where there are at least three workers, the
last one therefore takes only the latter, at a low priority of its process: it uses the cores while the others wait, and slows none of them.
"""

import os
from typing import Final

import pytest
from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.workermanage import WorkerController

COMPUTING: Final = ("tests/cli/", "tests/golden/", "tests/reconcile/", "tests/unit/")
"""They neither start anything nor wait for a thread within seconds, which tests/shell does."""
SHARED: Final = {
    "brisk": (
        "tests/e2e/test_approvers.py",
        "tests/e2e/test_faults_access.py",
        "tests/e2e/test_revoking.py",
        "tests/e2e/test_unreadable.py",
    ),
    "control_plane": (
        "tests/chart/test_linters.py",
        "tests/chart/test_server.py",
        "tests/contract/test_cluster_objects.py",
        "tests/contract/test_cluster_reads.py",
        "tests/contract/test_cluster_secrets.py",
        "tests/contract/test_cluster_sides.py",
        "tests/contract/test_cluster_status.py",
        "tests/e2e/test_toolchain.py",
        "tests/shell/test_lease.py",
    ),
    "mesh": (
        "tests/e2e/test_additional_roles.py",
        "tests/e2e/test_adoption.py",
        "tests/e2e/test_adoption_settings.py",
        "tests/e2e/test_clusters.py",
        "tests/e2e/test_foreign.py",
        "tests/e2e/test_foreground.py",
        "tests/e2e/test_gate.py",
        "tests/e2e/test_guard.py",
        "tests/e2e/test_guard_namespaces.py",
        "tests/e2e/test_handed_over.py",
        "tests/e2e/test_guard_ports.py",
        "tests/e2e/test_mesh_command.py",
        "tests/e2e/test_mesh_in_a_terminal.py",
        "tests/e2e/test_policies.py",
        "tests/e2e/test_readers.py",
        "tests/e2e/test_rights_used.py",
        "tests/e2e/test_roles.py",
        "tests/e2e/test_secrets.py",
        "tests/e2e/test_starter_pack.py",
        "tests/e2e/test_stolen_gate.py",
        "tests/e2e/test_stolen_token.py",
        "tests/e2e/test_teams.py",
        "tests/e2e/test_theft.py",
        "tests/e2e/test_tls.py",
        "tests/e2e/test_who_sees.py",
    ),
    "node": (
        "tests/e2e/test_access_down.py",
        "tests/e2e/test_crash.py",
        "tests/e2e/test_pod.py",
        "tests/e2e/test_quickstart.py",
    ),
    "pod": (
        "tests/e2e/test_access_ends.py",
        "tests/e2e/test_access_matrix.py",
        "tests/e2e/test_deletion.py",
        "tests/e2e/test_flows.py",
    ),
}
"""Files that use one control plane or installation, by the name of its fixture, and those that each start a node: each group runs on one
worker, one file after the other."""
TOGETHER: Final = {"pod": "node"}
"""Groups that run on the worker of another one, after it: a machine is one node at a time."""
LONGEST: Final = (
    "node",
    "mesh",
    "tests/e2e/test_argocd.py",
    "tests/e2e/test_table.py",
    "brisk",
    "tests/e2e/test_upgrade.py",
    "tests/e2e/test_api_faults.py",
    "tests/e2e/test_faults_store.py",
    "tests/e2e/test_failover.py",
    "tests/e2e/test_rebuilt.py",
    "tests/e2e/test_domains_back.py",
    "tests/e2e/test_crds.py",
    "tests/image/test_images.py",
    "tests/e2e/test_takeover.py",
    "tests/e2e/test_first_product.py",
    "tests/reconcile/test_unfooled.py",
    "tests/reconcile/test_laws.py",
    "tests/reconcile/test_unfooled_crashes.py",
    "tests/reconcile/test_touched.py",
    "tests/reconcile/test_repaired.py",
)
"""What takes longest begins first, so that no worker ends long after the others."""
_GROUPS: Final = {file: group for group, files in SHARED.items() for file in files}
_NICE: Final = 5


class Distribution(LoadFileScheduling):  # type: ignore[misc]
    """The scheduling of `--dist=loadfile`, but for which file is next for whom."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        computes = only_computes(node.gateway.id, self.numnodes)
        own = [scope for scope in self.workqueue if scope.startswith(COMPUTING) == computes]
        if computes and not own:
            node.shutdown()
            return
        self.workqueue.move_to_end(min(own or self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def only_computes(worker: str, workers: int) -> bool:
    """Whether this is the one, of so many workers; one that replaces another has a higher number, and takes everything."""
    return workers > 2 and worker == f"gw{workers - 1}"


def step_back(config: pytest.Config) -> None:
    """Where this process is that worker, and has collected: every other process comes first."""
    worker = getattr(config, "workerinput", {})
    if worker and only_computes(worker["workerid"], worker["workercount"]):
        os.nice(_NICE)


def put_groups_together(items: list[pytest.Item]) -> None:
    """Each file of a group comes where the group's first one is, and groups of one worker one after the other; nothing else moves."""
    places: dict[str, int] = {}

    def place(item: pytest.Item) -> tuple[int, int]:
        scope, group = _scope_of(item.nodeid), group_of(file_of(item.nodeid))
        return places.setdefault(scope, len(places)), places.setdefault(f"group {group}", len(places))

    items.sort(key=place)


def file_of(nodeid: str) -> str:
    """The file of a test."""
    return nodeid.split("::", 1)[0]


def group_of(file: str) -> str:
    """The fixture that a file of tests shares with others; empty where it shares none."""
    return _GROUPS.get(file, "")


def _scope_of(nodeid: str) -> str:
    group = group_of(file := file_of(nodeid))
    return TOGETHER.get(group, group) or file


def _rank(scope: str) -> int:
    return LONGEST.index(scope) if scope in LONGEST else len(LONGEST)
