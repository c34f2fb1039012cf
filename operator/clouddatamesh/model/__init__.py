"""Values that travel between the steps: frozen, compared by value, with no behaviour beyond their own consistency."""
