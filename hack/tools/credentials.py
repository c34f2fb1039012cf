"""The few files of identity that a cluster needs: a signing key, tokens, kubeconfigs. Standard library only."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SEC1 = "30310201010420{key}a00a06082a8648ce3d030107"  # ECPrivateKey on P-256 without its public half (RFC 5915)


@dataclass(frozen=True)
class Endpoint:
    """Where an API server is, and the file with the certificate that it is known by."""

    server: str
    ca: Path


def write_signing_key(path: Path) -> Path:
    """A new P-256 private key as PEM, as kube-apiserver wants it for ServiceAccount tokens."""
    der = bytes.fromhex(_SEC1.format(key=secrets.token_bytes(32).hex()))
    body = base64.b64encode(der).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    _write_private(path, "\n".join(["-----BEGIN EC PRIVATE KEY-----", *lines, "-----END EC PRIVATE KEY-----", ""]))
    return path


def write_tokens(path: Path, users: tuple[str, ...]) -> dict[str, str]:
    """A --token-auth-file in which all `users` are system:masters; their tokens by user."""
    tokens = {user: secrets.token_urlsafe(24) for user in users}
    _write_private(path, "".join(f'{token},{user},{user},"system:masters"\n' for user, token in tokens.items()))
    return tokens


def write_kubeconfig(path: Path, endpoint: Endpoint, user: Mapping[str, str], *, namespace: str = "default") -> Path:
    """A kubeconfig (JSON is YAML) of one user: `{"token": …}` or `{"tokenFile": …}`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local",
        "clusters": [{"name": "local", "cluster": {"server": endpoint.server, "certificate-authority": str(endpoint.ca)}}],
        "users": [{"name": "local", "user": dict(user)}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local", "namespace": namespace}}],
    }
    _write_private(path, json.dumps(config, indent=2))
    return path


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
