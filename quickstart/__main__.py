"""python -m quickstart serve | credentials | mesh: the store, and the two Jobs of the chart."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from kubernetes.client.exceptions import ApiException

from quickstart.cluster import ApiServer
from quickstart.mesh import Mesh, QuickstartError, make_mesh
from quickstart.store import RootKey, serve


def say(line: str) -> None:
    """One line of the log."""
    print(line, flush=True)  # noqa: T201 - the log of a Pod


def main(argv: list[str]) -> int:
    """0 where it was done."""
    options = parse(argv)
    try:
        if options.command == "credentials":
            made = ApiServer().create_credentials(options.namespace, options.secret)
            say(f"Secret {options.secret} {'created' if made else 'exists and is kept'}")
        elif options.command == "mesh":
            mesh = Mesh(options.folder, options.endpoint, options.secret, options.seconds)
            make_mesh(ApiServer(), mesh, say)
        else:
            run_store(options.port)
    except QuickstartError as error:
        say(f"error: {error}")
        return 1
    except ApiException as error:
        say(f"error: the API server answered {error.status} {error.reason}: {error.body}")
        return 1
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    """The command and its options."""
    parser = argparse.ArgumentParser(prog="python -m quickstart", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve", help="serve S3, IAM and STS; the key is in ACCESS_KEY_ID and SECRET_ACCESS_KEY")
    server.add_argument("--port", type=int, default=9000)
    secret = commands.add_parser("credentials", help="create the Secret with the store's key, unless it exists")
    secret.add_argument("--namespace", required=True)
    mesh = commands.add_parser("mesh", help="create the retail mesh on the store")
    mesh.add_argument("--folder", type=Path, default=Path("/opt/quickstart/retail"))
    mesh.add_argument("--endpoint", required=True)
    mesh.add_argument("--seconds", type=float, default=210.0)
    for command in (secret, mesh):
        command.add_argument("--secret", required=True)
    return parser.parse_args(argv)


def run_store(port: int) -> None:
    """Serve until SIGTERM, which the first process of a container would ignore otherwise."""
    signal.signal(signal.SIGTERM, _end)
    key = RootKey(os.environ["ACCESS_KEY_ID"], os.environ["SECRET_ACCESS_KEY"])
    if os.environ.get("POD_NAME"):
        threading.Thread(target=warn, daemon=True).start()
    serve(key, port)


def warn() -> None:
    """Say on the Pod that everything before this start is lost. Where that fails the store works all the same."""
    pod = {"name": os.environ["POD_NAME"], "namespace": os.environ["POD_NAMESPACE"], "uid": os.environ["POD_UID"]}
    try:
        ApiServer().warn(pod)
    except Exception as error:
        say(f"warning: the event NotPersistent was not written: {type(error).__name__}")


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
