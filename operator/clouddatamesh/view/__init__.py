"""What a reader is shown of the mesh, from the objects that this reader may read. Pure: commands, pages and exports are faces over it."""
