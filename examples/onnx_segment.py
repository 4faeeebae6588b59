"""The units of captions with onnxruntime and tokenizers alone.

    textgroup export --onnx DIR
    python examples/onnx_segment.py DIR "a man in a blue hat" "two dogs run"

Prints `[a man] | in | [a blue hat]`: in brackets what names something. One sentence a caption, in plain characters:
`textgroup segment` also finds sentences, mends damaged text and keeps offsets into it.
"""

import json
import sys
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

directory, *captions = sys.argv[1:]
saved = json.loads(Path(directory, "tokenizer.json").read_text(encoding="utf-8"))
own = ("max_tokens", "words")  # fields of ours, which the library refuses
tokenizer = Tokenizer.from_str(json.dumps({name: value for name, value in saved.items() if name not in own}))
session = InferenceSession(f"{directory}/segmenter.onnx")
start, end = tokenizer.token_to_id("<|startoftext|>"), tokenizer.token_to_id("<|endoftext|>")
for caption in captions:
    encoding = tokenizer.encode(caption.lower(), add_special_tokens=False)
    ids = np.array([[start, *encoding.ids, end]])  # (1, M)
    owner, groundable = (x[0, 1:-1] for x in session.run(None, {"ids": ids, "mask": np.ones_like(ids, dtype=bool)}))
    begins = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist()]  # tokens with which a unit begins
    places = [encoding.offsets[i][0] for i in begins]  # its first character
    texts = [caption[a:b].strip() for a, b in zip(places, [*places[1:], len(caption)])]
    print(" | ".join(f"[{text}]" if groundable[i] else text for text, i in zip(texts, begins)))
