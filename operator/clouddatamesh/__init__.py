"""An operator that turns a folder of manifests into a running data mesh."""

__version__ = "0.1.0"
