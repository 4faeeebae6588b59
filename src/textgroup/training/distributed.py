"""Training in several processes: each takes its share of a batch, and gradients are added up.

Every process computes the loss of the global batch from what all processes gave, so it knows the gradient of its own
share without asking the others. There is no wrapper around the model; `reduce_gradients` once a step is all.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError

PATIENCE = timedelta(hours=24)
"""How long the other processes wait while one reads and tokenises data, or validates. torchrun ends them if it dies."""


@contextmanager
def join_processes(device: str | None = None) -> Iterator[torch.device]:
    """Join the processes that `torchrun` started, if it did, and yield the device of this one.

    device: its kind ("cpu", "cuda"), or with its number where there is one process; None takes a GPU if there is one.
    """
    if not {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"} <= os.environ.keys():
        yield pick_device(device)
        return
    on_gpu = torch.cuda.is_available() and device in (None, "cuda")  # each process opens its own alone
    local_device = torch.device("cuda") if on_gpu else pick_device(device)
    if local_device.type == "cuda":
        number = int(os.environ["LOCAL_RANK"])
        if number >= torch.cuda.device_count():
            raise InputError(f"torchrun started more processes than the {torch.cuda.device_count()} GPUs of a machine")
        local_device = torch.device("cuda", number)
        torch.cuda.set_device(local_device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if local_device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield local_device
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """The rank of this process; 0 writes logs and checkpoints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def rank_zero_first() -> Iterator[None]:
    """Process 0 runs the block, then the others."""
    if rank() > 0:
        dist.barrier()
    yield
    if rank() == 0 and world_size() > 1:
        dist.barrier()


def all_reduce(x: Tensor) -> Tensor:
    """The sum of `x` over the processes.

    The gradient with respect to each process's `x` is that of the sum. This is right where all processes go on to
    compute the same loss.
    """
    return _Summed.apply(x)


def gather_rows(x: Tensor, rows: Tensor, size: int) -> Tensor:
    """The rows of all processes, (size, ...), in the order of the global batch. x: (B, ...), rows: (B,)."""
    return all_reduce(x.new_zeros(size, *x.shape[1:]).index_copy(0, rows, x))


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


@torch.no_grad()
def reduce_gradients(module: nn.Module) -> None:
    """Add up the gradients of all processes, in all of them."""
    if world_size() == 1:
        return
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, total in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(total.view_as(gradient))


@torch.no_grad()
def broadcast_state(module: nn.Module) -> None:
    """Give all processes the parameters and buffers of process 0."""
    if world_size() > 1:
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, src=0)


def any_rank(yes: bool) -> bool:
    """Whether `yes` is true in any process. This does not wait for a GPU."""
    if world_size() == 1:
        return yes
    votes = torch.tensor(float(yes))
    dist.all_reduce(votes)
    return bool(votes.item() > 0)
