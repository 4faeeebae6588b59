"""The terms of the loss (Eq. 5), one a file, all of them a `contract.Objective`.

Belongs here: an objective, and a line for it in `total.objectives_for`. Start with `contract.py`, then `total.py`.
"""
