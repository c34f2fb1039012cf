"""A first look at clouddatamesh on a cluster: a small S3 store for trials, its credentials, and the retail mesh.

It is an image of its own. It knows the custom resources as manifests only, and the operator knows nothing of it.
"""
