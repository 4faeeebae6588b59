"""How tokens are given to groups: one file a mechanism, all of them a `contract.Grouping`.

Belongs here: a mechanism, and a line for it in `mechanisms.GROUPINGS`. Nothing outside asks which one it is.
Start with `contract.py`; `attention.py` is Eq. 1 to 4, `fixed.py` the paper's encoder, `dynamic.py` ours.
"""
