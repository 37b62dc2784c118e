"""Stand-ins for providers, served over real HTTP on loopback, with faults to order.

For development, the demo and tests only; refused in production. One module per provider; `faults.py` lists the keys.
"""
