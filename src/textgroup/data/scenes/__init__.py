"""Generated scenes: pictures of a few objects with captions whose phrases are known, seeded and endless.

Captions are made in `grammar.py` (from `lexicon.py` and `wording.py`), pictures in `drawing.py` (from `shapes.py`).
Imports nothing above `errors`; the vision encoders' oracle and the experiments import it. Start with `scene.py`.
"""
