"""Manifests judged without a cluster: how they are read, what the API server will say of them, and how they fit together."""
