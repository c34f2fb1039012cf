"""The order of steps, one module per kind; it talks to ports only and decides nothing itself."""
