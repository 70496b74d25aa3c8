"""Trains in PyTorch what the benchmark asks for: see protocol.ts.

Run: torch_child.py cpu|cuda [THREADS]

It is measured at its best without compiling: channels last, and Adam as one fused pass.
"""

import json
import sys
import time


def reply(message):
    print(json.dumps(message), flush=True)


try:
    import torch
except ImportError:
    reply({"error": f"{sys.executable} has no torch: pip install torch, or name another Python with --python."})
    sys.exit()

from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from torch_networks import network

DIMENSIONS = 128
MARGIN = 1.0


def main(device, threads=None):
    reply(start(device, threads))
    training = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            training = None  # Its memory is free before more is taken.
            training = Training(device, request)
            reply(training.describe())
        elif request["do"] == "train":
            reply(timed(device, request["steps"], training.step))
        else:
            reply(multiply(device, request))


def start(device, threads):
    gpu = device == "cuda"
    if gpu and not torch.cuda.is_available():
        raise RuntimeError(f"PyTorch {torch.__version__} finds no GPU.")
    if threads:
        torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    return {"device": f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if gpu else 'CPU'}", "gpu": gpu}


class Training:
    """A network with a batch."""

    def __init__(self, device, request):
        shape = (request["batch"], 3, request["pixels"], request["pixels"])
        place = {"device": device, "memory_format": torch.channels_last}
        self.network = network(request["backbone"], DIMENSIONS).to(**place)
        self.images = torch.randn(shape).to(**place)
        self.labels = torch.arange(request["batch"], device=device) // 4
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4, eps=1e-7, fused=True)

    def describe(self):
        first_convolution, image = self.network[0][0], self.images[:1]
        step = 3 * flops_of(self.network, image) - flops_of(first_convolution, image)
        return {"parameters": sum(p.numel() for p in self.network.parameters()), "flops": step}

    def step(self):
        self.optimizer.zero_grad()
        loss = triplet_semihard(self.network(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        loss.item()


def flops_of(module, image):
    """Multiplications and additions of the forward pass, as PyTorch counts them."""
    module.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(image)
    module.train()
    return counter.get_total_flops()


def triplet_semihard(embeddings, labels):
    """triplet_semihard.ts: for each anchor and positive, the nearest negative beyond it, or else the farthest one."""
    distances = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")
    same = labels[:, None] == labels
    beyond = ~same[:, None, :] & (distances[:, None, :] > distances[:, :, None])
    nearest = distances[:, None, :].masked_fill(~beyond, torch.inf).amin(2)
    farthest = distances.masked_fill(same, -torch.inf).amax(1, keepdim=True)
    violation = F.relu(MARGIN + distances - torch.where(beyond.any(2), nearest, farthest))
    return violation[same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)].mean()


def multiply(device, request):
    a, b = (torch.randn(request["size"], request["size"], device=device) for _ in range(2))
    timed(device, 1, lambda: a @ b)
    return timed(device, request["times"], lambda: a @ b)


def timed(device, times, work):
    started = time.perf_counter()
    for _ in range(times):
        work()
    if device == "cuda":
        torch.cuda.synchronize()
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        reply({"error": str(error).split("\n")[0]})
