"""How likely a model finds a caption without seeing any image: what a probe must not be solvable by.

The decoder writes a caption from the caption's own groups, so its likelihood there says how well the caption was
copied, and is no distribution over captions. Here it gets the groups of the *empty* caption instead: nothing of the
caption to be scored reaches it but its own words so far (Eq. 9's causal part), and what it gives sums to one over all
captions. It was trained with groups, so this is a weak language model: what it solves needs no image, but what
it does not solve a better one may.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from textgroup.data.batches import pad
from textgroup.evaluation.dual_encoder import Progress
from textgroup.inference.textgroup import TextGroup

BATCH = 32
"""Captions scored at once: bounds the logits at 32 x 77 x vocabulary."""


@torch.inference_mode()
def caption_likelihood(
    encoder: TextGroup, captions: Sequence[str], progress: Progress = lambda done, note: None
) -> np.ndarray:
    """Log-likelihood of each caption in nats, and its number of tokens, end of text included: (captions, 2).

    Of two captions the first measure prefers, other things equal, the shorter; per token it need not. The model
    must have a decoder.
    """
    model, tokenizer = encoder.model, encoder.tokenizer
    device = next(model.parameters()).device
    nothing = pad([[tokenizer.start, tokenizer.end]])
    empty = model.encode(nothing.ids.to(device), nothing.mask.to(device))
    ids = tokenizer.ids(captions)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    likelihood = np.zeros((len(ids), 2))
    for a in range(0, len(order), BATCH):
        rows = order[a : a + BATCH]
        chunk = pad([ids[i] for i in rows])
        given = empty._replace(
            groups=empty.groups.expand(len(rows), -1, -1), present=empty.present.expand(len(rows), -1)
        )
        states, targets, valid = model.decode(chunk.ids.to(device), chunk.mask.to(device), given)
        logits = (states @ model.encoder.embedding.token.weight.T).float()  # (B, M - 1, V)
        nats = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none") * valid  # (B, M - 1)
        likelihood[rows] = torch.stack([-nats.double().sum(1), valid.sum(1).double()], dim=1).cpu().numpy()
        progress(a + len(rows), "")
    return likelihood
