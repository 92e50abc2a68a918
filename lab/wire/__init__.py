"""How the stand-ins speak: HTTP without a network, AWS's JSON and query protocols, what AWS checks first, and faults."""
