"""The networks of trainer/models in PyTorch: the same layers, padding and shapes, with PyTorch's initial weights."""

import torch
from torch import nn
from torch.nn import functional as F


def network(backbone, dimensions):
    """Images [batch, 3, height, width] to embeddings [batch, dimensions] of unit length."""
    layers, features = BACKBONES[backbone]()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, dimensions), UnitLength())


class UnitLength(nn.Module):
    def forward(self, x):
        return F.normalize(x)


def unit(inputs, filters, kernel, stride=1, activation=nn.ReLU):
    """convUnit of residual.ts: convolution padded by half its kernel, BatchNorm, activation."""
    convolution = nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False)
    norm = nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1)
    return nn.Sequential(convolution, norm, *([activation(inplace=True)] if activation else []))


class Residual(nn.Module):
    """Adds the input to what the layers make of it, projected where the shape differs."""

    def __init__(self, inputs, filters, stride, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        same = stride == 1 and inputs == filters
        self.shortcut = nn.Identity() if same else unit(inputs, filters, 1, stride, activation=None)

    def forward(self, x):
        return F.relu(self.layers(x) + self.shortcut(x), inplace=True)


def basic(inputs, filters, stride):
    """basicBlock of residual.ts."""
    second = unit(filters, filters, 3, activation=None)
    return Residual(inputs, filters, stride, unit(inputs, filters, 3, stride), second)


def bottleneck(inputs, filters, stride):
    """bottleneckBlock of residual.ts, version v1: the first convolution strides."""
    narrow, middle = unit(inputs, filters, 1, stride), unit(filters, filters, 3)
    return Residual(inputs, 4 * filters, stride, narrow, middle, unit(filters, 4 * filters, 1, activation=None))


def thin_resnet(widths=(24, 48, 96)):
    inputs = (widths[0], *widths)
    blocks = [basic(inputs[i], filters, 1 if i == 0 else 2) for i, filters in enumerate(widths)]
    return [unit(3, widths[0], 3, 2), *blocks], widths[-1]


def resnet(counts, block, expansion):
    layers, inputs = [unit(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, count in enumerate(counts):
        for i in range(count):
            layers.append(block(inputs, 64 << stage, 2 if i == 0 and stage > 0 else 1))
            inputs = (64 << stage) * expansion
    return layers, inputs


class SameConv2d(nn.Conv2d):
    """Padded as TensorFlow pads `same`: where the zeros are odd in number, one more at the end."""

    def forward(self, x):
        pads = []
        for size, kernel, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride):
            zeros = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [zeros // 2, zeros - zeros // 2]
        return super().forward(F.pad(x, pads))


def mobile_unit(inputs, filters, kernel, stride=1, groups=1, linear=False):
    """mobileUnit of inverted_residual.ts in the style of EfficientNet-Lite."""
    convolution = (
        nn.Conv2d(inputs, filters, kernel, 1, kernel // 2, groups=groups, bias=False) if stride == 1 else
        SameConv2d(inputs, filters, kernel, stride, groups=groups, bias=False)
    )
    norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)
    return nn.Sequential(convolution, norm, *([] if linear else [nn.ReLU6(inplace=True)]))


class InvertedResidual(nn.Module):
    """invertedResidual of inverted_residual.ts."""

    def __init__(self, inputs, filters, kernel, stride, expansion):
        super().__init__()
        inside = inputs * expansion
        self.adds = stride == 1 and inputs == filters
        self.layers = nn.Sequential(
            *([] if expansion == 1 else [mobile_unit(inputs, inside, 1)]),
            mobile_unit(inside, inside, kernel, stride, groups=inside),
            mobile_unit(inside, filters, 1, linear=True),
        )

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def efficientnet_lite0():
    layers, inputs = [mobile_unit(3, 32, 3, 2)], 32
    for count, kernel, stride, expansion, filters in [
        (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
    ]:
        for i in range(count):
            layers.append(InvertedResidual(inputs, filters, kernel, stride if i == 0 else 1, expansion))
            inputs = filters
    return [*layers, mobile_unit(inputs, 1280, 1)], 1280


BACKBONES = {
    "thin-resnet": thin_resnet,
    "resnet18": lambda: resnet([2, 2, 2, 2], basic, 1),
    "resnet50": lambda: resnet([3, 4, 6, 3], bottleneck, 4),
    "efficientnet-lite0": efficientnet_lite0,
}
