"""The likelihood of a caption without any image: what a probe should not be solvable by.

The decoder normally writes a caption from the caption's own groups, so that its likelihood says how well the caption
was copied. Here it gets the groups of the *empty* caption: nothing of the caption reaches it but the words so far (Eq.
9's causal part), and the likelihoods of all captions sum to one. It was trained with groups, so it is a weak language
model: what it solves needs no image, but a better one may solve more.
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
