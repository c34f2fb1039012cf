"""Everything around the reconcilers: watches, queue, workers, health, settings, and the wiring of it all."""
