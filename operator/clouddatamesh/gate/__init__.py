"""`clouddatamesh gate`: keeps the admission policies of the cluster as they are rendered, by an account of its own."""
