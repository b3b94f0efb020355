"""The paths that the service answers; each module makes a router of one group."""
