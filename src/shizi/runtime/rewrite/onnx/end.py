"""The end of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

import numpy as np

from shizi.onnx.convolutions import channels, convolution, summed, weights_of
from shizi.onnx.graph import Array, Graph, Node
from shizi.onnx.messages import attribute

_CHAIN = ("Sigmoid", "ConvTranspose", "Relu", "ConvTranspose", "Relu", "Conv", "Concat")
_NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
_SINGLE = (1, 1), (0, 0, 0, 0)  # kernel and pads of a convolution of single pixels


@dataclass(frozen=True, slots=True)
class _Picture:
    """One of the pictures laid behind each other: its name, how often each pixel is repeated both ways, its part of the kernel."""

    name: str
    scale: int
    kernel: Array


@dataclass(frozen=True, slots=True)
class _End:
    """What `coarsen_end` takes away, the pictures that enter, and the kernels and biases of what follows."""

    nodes: Sequence[Node]
    output: str
    pictures: Sequence[_Picture]
    kernels: Sequence[Array]
    biases: Sequence[Array]


def coarsen_end(graph: Graph) -> None:
    """Gives a DBNet with a feature pyramid (Liao et al., 2020) an end that works at half its resolution.

    There pictures of several resolutions are brought to the finest, by repeating pixels, and laid behind each other for a convolution
    of 3 x 3, which is followed by two transposed convolutions that double the sides. Three things are done to that:

    - A convolution sees pixels that were repeated several times over. At half the resolution, once for even and once for odd rows,
      with outputs for even and for odd columns, it takes two rows in place of three, and the coarse pictures become half as large.
    - The finest picture gets the same outputs by a convolution in strides of two.
    - What follows works on single pixels, for a transposed convolution whose kernel is its stride is a product with a matrix and a
      shuffle of channels into space (Shi et al., 2016, "Is the deconvolution layer the same as a convolutional layer?"). So the
      shuffles wait until the end, where there is one of 8 x 8 pixels.
    """
    end = _find(graph)
    if end is None:
        return
    at = graph.unused(end.output)
    fine = next(picture for picture in end.pictures if picture.scale == 1)
    coarse = [picture for picture in end.pictures if picture.scale > 1]
    new, halved = _halved(graph, coarse, at)
    bias, *products = (
        graph.keep(f"{at}.{name}", values)
        for name, values in (
            ("bias", np.tile(end.biases[0], 2)),
            ("expand", _expand(end.kernels[0])),
            ("expand.bias", np.tile(end.biases[1], 8)),
            ("shrink", _shrink(end.kernels[1])),
            ("shrink.bias", np.tile(end.biases[2], 32)),
        )
    )
    of_coarse = np.concatenate([picture.kernel for picture in coarse], axis=1)
    of_fine = graph.keep(f"{at}.fine", _in_strides(fine.kernel))
    rows = [f"{at}.even", f"{at}.odd"]
    for row, name in enumerate(rows):
        kernel = graph.keep(f"{name}.coarse", _of_repeated(of_coarse, row))
        pads = (1 - row, 1, row, 1)
        new += summed(
            graph,
            convolution([halved, kernel, bias], f"{name}.0", (2, 3), pads),
            convolution([fine.name, of_fine], f"{name}.1", (3, 4), pads, (2, 2)),
            f"{name}.sum",
        )
        new += _pixels(f"{name}.sum", products, name)
    new.append(_node("Concat", rows, f"{at}.pixels", axis=1))
    new.append(_node("DepthToSpace", [f"{at}.pixels"], end.output, blocksize=8, mode="DCR"))
    graph.replace(end.nodes[0], *new)
    for node in end.nodes[1:]:
        graph.nodes.remove(node)


def _pixels(name: str, products: Sequence[str], output: str) -> list[Node]:
    """From the sum of the two convolutions to the pixels of a row, as channels: kernels and biases of both products are given."""
    expand, expand_bias, shrink, shrink_bias = products
    return [
        Node("Relu", [name], [f"{output}.hidden"]),
        convolution([f"{output}.hidden", expand, expand_bias], f"{output}.expanded", *_SINGLE),
        Node("Relu", [f"{output}.expanded"], [f"{output}.open"]),
        convolution([f"{output}.open", shrink, shrink_bias], f"{output}.shrunk", *_SINGLE),
        Node("Sigmoid", [f"{output}.shrunk"], [output]),
    ]


def _find(graph: Graph) -> _End | None:
    """The end of the network, where it is such a one."""
    if len(graph.outputs) != 1:
        return None
    nodes: list[Node] = []
    name = graph.outputs[0]
    for wanted in _CHAIN:
        node = graph.maker(name)
        if node is None or not node.is_a(wanted) or (nodes and graph.only_user(name) is not nodes[-1]):
            return None
        nodes.append(node)
        name = node.inputs[0]
    _, outer, _, inner, _, conv, joined = nodes
    weights = _kernel(
        graph, conv, "Conv", {"kernel_shape": [3, 3], "pads": [1] * 4, "strides": [1, 1], "dilations": [1, 1]}
    )
    plain = {"kernel_shape": [2, 2], "pads": [0] * 4, "strides": [2, 2], "dilations": [1, 1]}
    kernels = [_kernel(graph, node, "ConvTranspose", plain) for node in (inner, outer)]
    biases = [graph.constant(node.inputs[2]) for node in (conv, inner, outer) if len(node.inputs) == 3]
    pictures = _pictures(graph, joined, weights) if weights is not None and joined.numbers("axis") == [1] else None
    known_kernels, known_biases = ([each for each in found if each is not None] for found in (kernels, biases))
    if pictures is None or len(known_kernels) != 2 or len(known_biases) != 3 or known_kernels[1].shape[1] != 1:
        return None
    resized = [
        node for node in (graph.maker(name) for name in joined.inputs) if node is not None and node.is_a("Resize")
    ]
    return _End([*nodes, *resized], graph.outputs[0], pictures, known_kernels, known_biases)


def _kernel(graph: Graph, node: Node, operator: str, said: Mapping[str, list[int]]) -> Array | None:
    """The kernel of a convolution that is just like this; None for any other."""
    weights = weights_of(graph, node, operator)
    alike = all(node.numbers(name) == value for name, value in said.items())
    return weights if alike and not node.attributes.keys() - {*said, "group"} else None


def _pictures(graph: Graph, joined: Node, weights: Array) -> list[_Picture] | None:
    """What is laid behind each other, where one picture is as fine as all are then, and the others are enlarged by even numbers."""
    entering: list[tuple[str, int]] = []
    for name in joined.inputs:
        maker = graph.maker(name)
        if maker is None or not maker.is_a("Resize"):
            entering.append((name, 1))
            continue
        scale = _scale(graph, maker)
        if scale is None or scale % 2 or graph.only_user(name) is not joined:
            return None
        entering.append((maker.inputs[0], scale))
    counts = [channels(graph, name) or 0 for name, _ in entering]
    if not all(counts) or sum(counts) != weights.shape[1]:
        return None
    kernels = np.split(weights, list(accumulate(counts))[:-1], axis=1)
    pictures = [_Picture(name, scale, kernel) for (name, scale), kernel in zip(entering, kernels, strict=True)]
    scales = [picture.scale for picture in pictures]
    return pictures if scales.count(1) == 1 and len(scales) > 1 else None


def _scale(graph: Graph, resize: Node) -> int | None:
    """How many times every pixel is repeated, both ways; None where more is done to it."""
    scales = graph.constant(resize.inputs[2]) if len(resize.inputs) == 3 else None
    if scales is None or scales.shape != (4,) or any(resize.word(name) != value for name, value in _NEAREST.items()):
        return None
    *others, rows, columns = (float(scale) for scale in scales)
    return int(rows) if others == [1, 1] and rows == columns and rows.is_integer() and rows >= 2 else None


def _halved(graph: Graph, pictures: Sequence[_Picture], output: str) -> tuple[list[Node], str]:
    """Nodes that lay pictures behind each other at half of the finest resolution, and the name of what comes of it."""
    new: list[Node] = []
    names: list[str] = []
    nowhere = graph.keep(f"{output}.nowhere", np.zeros(0, dtype=np.float32))  # in older files it may not be left out
    for number, picture in enumerate(pictures):
        names.append(picture.name)
        if picture.scale > 2:
            names[-1] = f"{output}.{number}"
            factors = np.array([1, 1, picture.scale // 2, picture.scale // 2], dtype=np.float32)
            inputs = [picture.name, nowhere, graph.keep(f"{output}.{number}.scales", factors)]
            new.append(_node("Resize", inputs, names[-1], **_NEAREST))
    if len(names) == 1:
        return new, names[0]
    return [*new, _node("Concat", names, f"{output}.coarse", axis=1)], f"{output}.coarse"


def _of_repeated(kernel: Array, row: int) -> Array:
    """What a kernel of 3 x 3 (M, C, 3, 3) on pixels that are repeated once each way does to the pixels themselves (2 M, C, 2, 3).

    In an even row (0) it sees the row above and twice its own, in an odd one (1) twice its own and the one below. So it is with
    columns, and the outputs for the even ones come first.
    """
    first, middle, last = (kernel[:, :, each] for each in range(3))
    rows = np.stack([first, middle + last] if row == 0 else [first + middle, last], axis=2)
    left, centre, right = (rows[..., each] for each in range(3))
    nothing = np.zeros_like(left)
    even = np.stack([left, centre + right, nothing], axis=3)
    odd = np.stack([nothing, left + centre, right], axis=3)
    return np.concatenate([even, odd])


def _in_strides(kernel: Array) -> Array:
    """A kernel of 3 x 3 (M, C, 3, 3) for even columns and for odd ones in strides of two: (2 M, C, 3, 4)."""
    return np.concatenate([np.pad(kernel, [(0, 0)] * 3 + [sides]) for sides in ((0, 1), (1, 0))])


def _expand(kernel: Array) -> Array:
    """The products (2 x 4 M, 2 C, 1, 1) that a transposed convolution (C, M, 2, 2) is, for even and for odd columns."""
    products = kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
    return np.kron(np.eye(2, dtype=np.float32), products)[:, :, None, None]


def _shrink(kernel: Array) -> Array:
    """The products (4 x 8, 2 x 4 C, 1, 1) that a second one (C, 1, 2, 2) is, whose outputs are in the order of rows and columns."""
    pixels = kernel[:, 0].transpose(1, 2, 0)
    # (row of the first one, row of the second, column of the first, of the second, row and column that it comes from, channel)
    block = np.zeros((2, 2, 2, 2, 2, 2, len(kernel)), dtype=np.float32)
    for row, column in product(range(2), range(2)):
        block[row, :, column, :, row, column] = pixels
    wide = np.zeros((4, 2, 4, 2, 4 * len(kernel)), dtype=np.float32)
    for column in range(2):
        wide[:, column, :, column] = block.reshape(4, 4, -1)
    return wide.reshape(32, -1, 1, 1)


def _node(operator: str, inputs: list[str], output: str, **said: int | str) -> Node:
    return Node(operator, inputs, [output], {name: memoryview(attribute(name, value)) for name, value in said.items()})
