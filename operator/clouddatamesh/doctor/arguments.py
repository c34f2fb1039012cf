"""The arguments of `clouddatamesh doctor`. It imports nothing that takes time or memory: every subcommand parses them."""

import argparse
import contextlib
from collections.abc import Callable
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
    parser.add_argument("--timeout", type=seconds(3600), default=120.0, help="seconds for all checks; default: 120")
    parser.add_argument("--output", choices=("text", "json"), default="text")


def seconds(most: int) -> Callable[[str], float]:
    """Reads a number of seconds from 1 to `most`."""

    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            if 1 <= float(text) <= most:
                return float(text)
        raise argparse.ArgumentTypeError(f"must be a number of seconds from 1 to {most}")

    return read
