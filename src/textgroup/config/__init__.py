"""Every number of a run: frozen dataclasses, the YAML files that are shipped, and the command line that reads both.

Belongs here: fields, their checks and their help. Imports nothing but `errors`; everything above may import it.
Start with `run.py`; `model.py` is the architecture; `shipped/` holds the configurations that come with the package.
"""
