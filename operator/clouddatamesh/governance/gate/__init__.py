"""Rules at admission: policies as native ValidatingAdmissionPolicies with their bindings. Pure: no cluster, no clock, no CEL library."""
