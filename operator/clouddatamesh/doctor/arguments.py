"""The arguments of `clouddatamesh doctor`. It imports nothing that takes time or memory: every subcommand parses them."""

import argparse
from pathlib import Path
from typing import Final

from clouddatamesh.doctor.guards import GUARDS

NAMESPACE: Final = "clouddatamesh-system"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand."""
    parser.add_argument("--kubeconfig", type=Path, help="kubeconfig file; default: KUBECONFIG, or the Pod's own ServiceAccount")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("--namespace", help=f"the operator's namespace; default: POD_NAMESPACE, or {NAMESPACE}")
    parser.add_argument("--mesh", default="", help="name of the mesh; default: CLOUDDATAMESH_MESH, or what the cluster recorded")
    parser.add_argument("--stores", action="store_true", help="also look for orphans in the stores, with their credentials")
    parser.add_argument(
        "--without-guard", action="append", default=[], choices=sorted(GUARDS), help="guard.<name>=false is intended; may be repeated"
    )
    parser.add_argument("--timeout", type=_seconds, default=120.0, help="seconds for all checks; default: 120")
    parser.add_argument("--output", choices=("text", "json"), default="text")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("must be a number of seconds from 1 to 3600")
    return seconds
