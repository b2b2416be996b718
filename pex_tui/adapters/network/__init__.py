"""A task's way out to the network: the hosts that it may reach, and its rate.

The shim loads this package, so it uses the standard library only.
"""
