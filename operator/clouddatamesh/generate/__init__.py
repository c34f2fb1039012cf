"""Prints what api/ declares: CRDs, RBAC, the field reference. It fails closed: what it cannot say exactly, it refuses with the path."""
