"""Version v1alpha1 of every kind, one module each."""
