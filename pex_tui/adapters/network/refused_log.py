"""The log of the hosts that an attempt was kept from."""

REFUSED_LOG = "refused-hosts.log"
"""The file in an attempt's folder that names each of them once: `host:port`, one a line."""
