"""`kubectl mesh`: the mesh in a terminal, with the rights of whoever runs it. A thin face over view/."""
