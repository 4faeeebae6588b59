"""What captions say by counting tokens: left branching entropy, binding, cohesion, co-occurrence.

Belongs here: functions of a `CaptionData`, without a model. Groupings, losses and segmenters import it.
Start with `entropy.py`.
"""
