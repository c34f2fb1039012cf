"""Metrics: the catalogue of what is exported, how it is counted, and the only importer of `prometheus_client`."""
