"""The stand-ins' protocols: HTTP without a network, AWS's JSON and query protocols, AWS's first checks, and faults."""
