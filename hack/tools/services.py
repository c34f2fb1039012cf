"""What kube-proxy and the cluster's DNS do, for TCP on a node of ours: the address and the name of a Service lead to its Pods.

It reads Services and EndpointSlices twice a second. dnsmasq answers for names; connections are passed on by threads of this process.
"""

import contextlib
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from kubernetes import client, config

from hack.tools.children import ToolError, start_child, stop_child

PROGRAMS: Final = {"dnsmasq": "dnsmasq-base"}
_DIES_WITH_US: Final = ("unshare", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", '"$@" & wait', "sh")
"""dnsmasq drops capabilities, and the kernel then forgets its signal at our death; the first process of its namespace keeps it."""
DOMAIN: Final = "cluster.local"
_LOOK: Final = 0.5
Address = tuple[str, int]
Port = tuple[str, str, str]
"""Namespace and name of a Service, and the name of one of its ports."""


class Services:
    """`with Services(kubeconfig, bridge="cdm0", dns="198.18.77.1", folder=…):` serves until the end. Addresses are put on the bridge.

    Those in `taken` are served by somebody else already. Raises ToolError where dnsmasq does not start.
    """

    def __init__(self, kubeconfig: Path, *, bridge: str, dns: str, folder: Path, taken: frozenset[str] = frozenset()) -> None:
        self._bridge, self._dns, self._hosts = bridge, dns, folder / "hosts"
        self._log = folder / "dnsmasq.log"
        api = config.new_client_from_config(str(kubeconfig))
        self._core, self._discovery = client.CoreV1Api(api), client.DiscoveryV1Api(api)
        self._taken, self._named, self._relays = set(taken), set[str](), dict[Address, _Relay]()
        self._backends: dict[Port, Address] = {}
        self._end = threading.Event()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        program = shutil.which("dnsmasq")
        if not program:
            raise ToolError("dnsmasq is missing: install the package dnsmasq-base")
        self._hosts.mkdir()
        flags = (
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--pid-file",
            "--user=root",
            "--bind-interfaces",
        )
        places = (f"--listen-address={self._dns}", f"--hostsdir={self._hosts}", f"--local=/{DOMAIN}/")
        child = start_child([*_DIES_WITH_US, program, *flags, *places], log=self._log)
        self._stack.callback(stop_child, child, grace=0.1)
        thread = threading.Thread(target=self._follow, name="services", daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(self._end.set)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        for relay in self._relays.values():
            relay.shutdown()
            relay.server_close()

    def _follow(self) -> None:
        while not self._end.wait(_LOOK):
            # The API server may be away, or restarted by a test.
            with contextlib.suppress(Exception):
                self._look()

    def _look(self) -> None:
        slices = self._discovery.list_endpoint_slice_for_all_namespaces(_request_timeout=5).items
        self._backends = {port: place for found in slices for port, place in _backends_of(found)}
        for service in self._core.list_service_for_all_namespaces(_request_timeout=5).items:
            if service.spec.cluster_ip not in (None, "", "None"):
                self._serve(service)

    def _serve(self, service: Any) -> None:
        address, name, namespace = service.spec.cluster_ip, service.metadata.name, service.metadata.namespace
        line = f"{address} {name}.{namespace}.svc.{DOMAIN}"
        if line not in self._named:
            self._named.add(line)
            (self._hosts / f"{namespace}.{name}").write_text(f"{line}\n")
        if address in self._taken:
            return
        for port in service.spec.ports:
            self._relay((address, port.port), (namespace, name, port.name or ""))

    def _relay(self, address: Address, port: Port) -> None:
        if address in self._relays:
            return
        subprocess.run(["ip", "address", "add", f"{address[0]}/32", "dev", self._bridge], capture_output=True, check=False)
        relay = self._relays[address] = _Relay(address, lambda: self._backends.get(port))
        threading.Thread(target=relay.serve_forever, name=f"service {port}", daemon=True).start()


def _backends_of(found: Any) -> list[tuple[Port, Address]]:
    """A ready Pod for each port of an EndpointSlice."""
    ready = [endpoint.addresses[0] for endpoint in found.endpoints or () if endpoint.conditions.ready]
    service = (found.metadata.namespace, (found.metadata.labels or {}).get("kubernetes.io/service-name", ""))
    return [((*service, port.name or ""), (ready[0], port.port)) for port in found.ports or () if ready]


class _Relay(socketserver.ThreadingTCPServer):
    """One port of a Service."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: Address, backend: Callable[[], Address | None]) -> None:
        super().__init__(address, _Connection)
        self.backend = backend


class _Connection(socketserver.BaseRequestHandler):
    """Passes bytes on in both directions; closed at once where no Pod is ready."""

    server: _Relay

    def handle(self) -> None:
        place = self.server.backend()
        if place is None:
            return
        with contextlib.suppress(OSError), socket.create_connection(place, timeout=5) as other:
            other.settimeout(None)
            back = threading.Thread(target=_copy, args=(other, self.request), daemon=True)
            back.start()
            _copy(self.request, other)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
