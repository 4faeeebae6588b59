"""`textgroup reproduce`: the tables and figures of the paper, planned, trained, measured and written up.

Belongs here: `systems.py` names the rows, `tables.py` puts them into tables, `scenes.py` and `flickr8k.py` are the
scales (data and measurements), `jobs.py` does one run, `schedule.py` all of them, `results.py` puts seeds together,
`claims.py` decides, `write_up.py` writes. Start with `systems.py`.
"""
