"""The demo: a fleet like Packit's, a GitHub of its own, Prefect, and stablehand between them, on this machine.

Everything it shows is the product's own work. The demo starts it, waits, and reads back from git what came of it.
"""
