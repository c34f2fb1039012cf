"""`clouddatamesh doctor`: reads what an installation is made of and reports faults with their way out. It writes nothing."""
