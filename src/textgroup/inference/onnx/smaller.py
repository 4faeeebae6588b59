"""ONNX files without what nobody reads, and smaller weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

SMALL = 1024
"""Numbers of a weight that stays as it is."""


def strip(model: "onnx.ModelProto", facts: Mapping[str, str]) -> "onnx.ModelProto":
    """The model without the names of files and lines that each operation came from; with `facts` about it."""
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for item in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=value)
    return model


def halve(file: Path) -> None:
    """Store in half precision the weights that lose nothing by it, as those of an exported checkpoint."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(file)
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        half = values.astype(np.float16)
        if values.size > SMALL and np.array_equal(half, values):
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.save(model, file)


def quantise(file: Path) -> None:
    """Store the weights in 8 bits; products are computed in 8 bits too."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(file, file, weight_type=QuantType.QUInt8)
