"""Measuring: how well units, rankings and retrieval agree with what people wrote, with intervals.

Its rooms: `phrases/` (units against gold phrases), `grounding/` (heat maps against boxes), `ranking/` (probes),
`segmenters/` (everything that cuts captions).
Imports inference and below; training, experiments and cli import it. Start with `retrieval.py`, the smallest.
"""
