"""Foreign formats: what the mesh is in the words of others, and what their files are in ours. Pure: no cluster, no files, no network."""
