"""Captions as the model reads them: batches, the order of an epoch, and token ids on disk.

Its rooms: `sources/` (what people bring), `probes/` (ranking benchmarks), `scenes/` (generated pictures and captions),
`statistics/` (what captions say by counting). Imports `text`, `config` and below; the model and all above import it.
Start with `captions.py`.
"""
