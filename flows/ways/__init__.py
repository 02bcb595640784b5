"""Each way (reconcile, propose, check) once, as a plain async function over a record of named steps.

The command line runs the steps as they are; a Prefect flow hands in the same steps as tasks. Nothing here knows
Prefect, and nothing here decides what `state` and `reconcile` decide.
"""
