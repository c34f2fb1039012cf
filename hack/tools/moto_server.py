"""moto's own server, one request at a time: `python -m hack.tools.moto_server HOST PORT`."""

import os
import sys

from quickstart.turns import InTurn


def main(host: str, port: str) -> None:
    """Answer until the process ends."""
    os.environ["MOTO_PORT"] = port
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    store = InTurn(DomainDispatcherApplication(create_backend_app))
    run_simple(host, int(port), store, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(*sys.argv[1:])
