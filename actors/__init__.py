"""OMC on Ray: the floor's actors, each a plain class that performs what the core decides."""
