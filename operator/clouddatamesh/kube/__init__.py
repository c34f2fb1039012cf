"""The only door to the Kubernetes API: transport, cache, and the Cluster port over both."""
