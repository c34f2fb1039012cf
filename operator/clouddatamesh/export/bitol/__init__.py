"""Bitol's standards, both ways: products as ODPS and ODCS, and manifests of what a team has in them."""
