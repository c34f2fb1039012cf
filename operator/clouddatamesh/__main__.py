"""clouddatamesh run | gate | policies | crds | permissions | argocd | version | check-install | check-uninstall | doctor | mesh"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from clouddatamesh import __version__
from clouddatamesh.doctor.arguments import add_arguments, seconds

if TYPE_CHECKING:
    from clouddatamesh.kube.client import Client

_OVERRIDDEN: Final = ("LOG_LEVEL", "LOG_FORMAT", "DRIFT_INTERVAL", "THREADS", "HEALTH_PORT")
"""Environment variables that an argument of `run` overrides."""


def main() -> int:
    """The console script; 1 where the operator could not start or a check found a fault, 2 where the environment is wrong or
    a check could not be made."""
    _end_when_asked()
    if sys.argv[1:2] in (["mesh"], ["policies"]):
        return _mesh(sys.argv[2 if sys.argv[1] == "mesh" else 1 :])
    arguments = _parser().parse_args()
    commands: dict[str, Callable[[], int]] = {
        "run": lambda: _run(arguments),
        "gate": _gate,
        "crds": _print_crds,
        "permissions": _print_permissions,
        "argocd": _print_argocd,
        "version": _print_version,
        "check-install": lambda: _check_install(arguments.url),
        "check-uninstall": lambda: _check_uninstall(arguments.wait_seconds, patient=arguments.patient),
        "doctor": lambda: _doctor(arguments),
    }
    return commands[arguments.command]()


def _end_when_asked() -> None:
    """The kernel drops a SIGTERM for which the first process of a container has no handler. A Pod that is deleted while it starts would
    go on to work until its grace period is over. `run` replaces this handler when there is something to end.
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clouddatamesh", description="An operator for data meshes.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="reconcile until told to stop")
    for name in _OVERRIDDEN:
        run.add_argument(f"--{name.lower().replace('_', '-')}", dest=name, metavar="VALUE", help=f"in place of the variable {name}")
    commands.add_parser("gate", help="keep the admission policies of GovernancePolicies and DomainPolicies until told to stop")
    commands.add_parser("policies", help="print admission policies for a repository: clouddatamesh policies render", add_help=False)
    commands.add_parser("crds", help="print the CustomResourceDefinitions")
    commands.add_parser("permissions", help="print what the operator and the gate program may do, and why")
    commands.add_parser("argocd", help="print health and actions for Argo CD, as part of its ConfigMap argocd-cm")
    commands.add_parser("version", help="print the version")
    installed = commands.add_parser("check-install", help="check permissions and the leader of an installation; the chart's test runs it")
    installed.add_argument("--url", default="", help="where to ask /readyz as well")
    uninstalled = commands.add_parser(
        "check-uninstall", help="wait until no objects are left that need the operator; the chart's hook runs it"
    )
    uninstalled.add_argument(
        "--wait-seconds", type=seconds(86_400), default=240.0, help="how long to wait for objects that are being deleted"
    )
    uninstalled.add_argument("--patient", action="store_true", help="wait as long for objects that nobody deletes yet")
    commands.add_parser("mesh", help="find, request and use data products, as `kubectl mesh` does", add_help=False)
    add_arguments(commands.add_parser("doctor", help="check an installation, from outside or in its Pod; it only reads"))
    return parser


def _gate() -> int:
    from clouddatamesh.gate.command import read_settings, run
    from clouddatamesh.shell.settings import SettingsError

    try:
        given = read_settings(os.environ)
    except SettingsError as error:
        return _fail(str(error))
    return run(given)


def _mesh(arguments: list[str]) -> int:
    """What `kubectl mesh` does. The operator's image has no command line."""
    try:
        from clouddatamesh.cli.app import main as mesh
    except ModuleNotFoundError as error:
        sys.stderr.write(f"clouddatamesh {sys.argv[1]}: {error.name} is not installed; install clouddatamesh[cli]\n")
        return 2
    sys.argv = ["kubectl-mesh", *arguments]
    mesh()
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from clouddatamesh.doctor.command import run

    return run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from clouddatamesh.shell.settings import SettingsError, read_settings
    from clouddatamesh.shell.wiring import run

    given = {name: value for name in _OVERRIDDEN if (value := getattr(arguments, name)) is not None}
    try:
        settings = read_settings({**os.environ, **given})
    except SettingsError as error:
        return _fail(str(error))
    return 0 if run(settings) else 1


def _check_install(url: str) -> int:
    from clouddatamesh.shell.installed import find_faults

    client, namespace = _client(), os.environ.get("POD_NAMESPACE", "")
    if client is None or not namespace:
        return _fail("check-install runs in a Pod of the release, with the variable POD_NAMESPACE; from outside, use clouddatamesh doctor")
    faults = find_faults(client, namespace=namespace, url=url)
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "The operator may do all that it needs to, one replica leads\n")
    return 1 if faults else 0


def _check_uninstall(seconds: float, *, patient: bool) -> int:
    from clouddatamesh.errors import MeshError
    from clouddatamesh.shell import logs, uninstall

    logs.configure(level="INFO", style="text")
    client = _client()
    if client is None:
        return _fail("no way to log in to an API server; it runs in a Pod of the release, or with the variable KUBECONFIG")
    try:
        said = uninstall.wait_until_gone(lambda: uninstall.find_left(client), seconds=seconds, patient=patient)
    except MeshError as error:
        said = f"{error}; or skip this check by helm uninstall --no-hooks"
    sys.stdout.write(f"{said or 'No objects of the mesh are left'}\n")
    return 1 if said else 0


def _client() -> "Client | None":
    """A client of the API server; None where neither a ServiceAccount nor a kubeconfig can be read."""
    from clouddatamesh.kube.client import LOGIN_ERRORS, Client

    try:
        return Client()
    except LOGIN_ERRORS:
        return None


def _fail(why: str) -> int:
    sys.stderr.write(f"clouddatamesh: {why}\n")
    return 2


def _print_crds() -> int:
    from clouddatamesh.generate.crds import crd_files

    sys.stdout.write("---\n".join(crd_files().values()))
    return 0


def _print_permissions() -> int:
    from clouddatamesh.api import permissions

    for title, rules in (
        ("cluster", permissions.OPERATOR_CLUSTER),
        ("own namespace", permissions.OPERATOR_OWN_NAMESPACE),
        ("gate program", permissions.GATE),
    ):
        for rule in rules:
            names = f" {', '.join(rule.names)}" if rule.names else ""
            sys.stdout.write(f"{title}: {', '.join(rule.verbs)} {', '.join(rule.resources)}{names} - {rule.why}\n")
    return 0


def _print_argocd() -> int:
    from clouddatamesh.generate.argocd import argocd_cm

    sys.stdout.write(argocd_cm())
    return 0


def _print_version() -> int:
    sys.stdout.write(f"{__version__}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
