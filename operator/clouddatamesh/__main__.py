"""clouddatamesh run | crds | permissions | argocd | version"""

import argparse
import os
import sys

from clouddatamesh import __version__


def main() -> int:
    """The console script; 1 where the operator could not start, 2 where the environment is wrong."""
    parser = argparse.ArgumentParser(prog="clouddatamesh", description="An operator for data meshes.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="reconcile until told to stop")
    commands.add_parser("crds", help="print the CustomResourceDefinitions")
    commands.add_parser("permissions", help="print what the operator may do, and why")
    commands.add_parser("argocd", help="print health and actions for Argo CD, as part of its ConfigMap argocd-cm")
    commands.add_parser("version", help="print the version")
    command = parser.parse_args().command
    does = {"run": _run, "crds": _print_crds, "permissions": _print_permissions, "argocd": _print_argocd, "version": _print_version}
    return does[command]()


def _run() -> int:
    from clouddatamesh.shell.settings import SettingsError, read_settings
    from clouddatamesh.shell.wiring import run

    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"clouddatamesh: {error}\n")
        return 2
    return 0 if run(settings) else 1


def _print_crds() -> int:
    from clouddatamesh.generate.crds import crd_files

    sys.stdout.write("---\n".join(crd_files().values()))
    return 0


def _print_permissions() -> int:
    from clouddatamesh.api import permissions

    for title, rules in (("cluster", permissions.OPERATOR_CLUSTER), ("own namespace", permissions.OPERATOR_OWN_NAMESPACE)):
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
