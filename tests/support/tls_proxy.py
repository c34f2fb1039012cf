"""TLS before a store that has none: the proxy ends it and passes each request on, with or without a word about how it came."""

import tempfile
from pathlib import Path

from tests.support.certificates import make_certificate
from tests.support.fault_proxy import FaultProxy


class TlsProxy(FaultProxy):
    """`endpoint` is https, and `certificate` verifies it. `tells`: the store hears by X-Forwarded-Proto that a request came over TLS."""

    def __init__(self, endpoint: str, *, tells: bool = True) -> None:
        super().__init__(endpoint)
        with tempfile.TemporaryDirectory() as folder:
            self.certificate, context = make_certificate(Path(folder))
        # Shaking hands is left to the thread of each connection, or one slow client would hold up all.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.endpoint = self.endpoint.replace("http://", "https://")
        self.adds = (("X-Forwarded-Proto", "https"),) if tells else ()
