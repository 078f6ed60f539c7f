"""segment-anything's own checkpoint files (Kirillov et al., ICCV 2023), opened without trusting them.

A `.pth` file is a pickle: it is read with `weights_only`, which builds tensors and nothing else, and the published files
must have their published SHA-256. The sizes of the network are read off the weights, so that a file of any name opens,
a fine-tuned and a pruned one too, as long as it keeps the layout.
"""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from degrade.errors import MissingModel
from degrade.scene import checkpoints

URL = "https://dl.fbaipublicfiles.com/segment_anything/"
DECODER_HEADS = 8  # the one size that leaves no trace in the weights
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]  # of the photos that it was trained on, 8-bit codes
BLOCK = "image_encoder.blocks.{}."


class Published(NamedTuple):
    """A checkpoint file of the authors."""

    file: str
    sha256: str


PUBLISHED = {
    "sam_vit_b": Published("sam_vit_b_01ec64.pth", "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912"),
    "sam_vit_l": Published("sam_vit_l_0b3195.pth", "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622"),
    "sam_vit_h": Published("sam_vit_h_4b8939.pth", "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e"),
}


def load(name: str) -> tuple[Any, str]:
    """Return the network (segment_anything's `Sam`, on the CPU), and its maker: name and SHA-256.

    Args:
        name: of `PUBLISHED`, to be found in `checkpoints.folder()`, or the path of a checkpoint file.

    Raises:
        MissingModel: the file is not there, is not the published one, or holds something else.
    """
    path, published = Path(name), PUBLISHED.get(name)
    if published is not None:
        path = checkpoints.folder() / published.file
        if not path.is_file():
            raise MissingModel(f"the segment model {name} is not on this machine: curl --create-dirs -o {path} {URL}{published.file}")
    digest = checkpoints.sha256(path)
    if published is not None and digest != published.sha256:
        raise MissingModel(f"{path} is not the published {name} (its SHA-256 is {digest}): delete it and fetch it again from {URL}{published.file}")
    torch = checkpoints.library("torch", "segment models", "sam")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = _built(state)
        network.load_state_dict(state)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise MissingModel(f"{path} holds no segment-anything weights: {error}") from error
    return network, f"{name}@{digest[:16]}"


def _count(state: dict[str, Any], pattern: str) -> int:
    """Return how many layers of a numbered kind there are."""
    number = 0
    while pattern.format(number) in state:
        number += 1
    return number


def _built(state: dict[str, Any]) -> Any:
    """Return a network of the sizes that the weights have."""
    sam = checkpoints.library("segment_anything.modeling", "segment-anything checkpoints", "sam")
    encoder = _encoder(sam, state)
    width = encoder.neck[0].out_channels
    grid = encoder.img_size // encoder.patch_embed.proj.kernel_size[0]
    layers = "mask_decoder.transformer.layers."
    transformer = sam.TwoWayTransformer(
        depth=_count(state, layers + "{}.norm1.weight"),
        embedding_dim=width,
        mlp_dim=state[layers + "0.mlp.lin1.weight"].shape[0],
        num_heads=DECODER_HEADS,
    )
    decoder = sam.MaskDecoder(
        transformer_dim=width,
        transformer=transformer,
        num_multimask_outputs=state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
        iou_head_depth=_count(state, "mask_decoder.iou_prediction_head.layers.{}.weight"),
        iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
    )
    prompts = sam.PromptEncoder(
        embed_dim=width,
        image_embedding_size=(grid, grid),
        input_image_size=(encoder.img_size, encoder.img_size),
        mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
    )
    return sam.Sam(encoder, prompts, decoder, pixel_mean=MEAN, pixel_std=STD)


def _encoder(sam: Any, state: dict[str, Any]) -> Any:
    """Return the image encoder; blocks whose relative positions span the whole grid attend globally."""
    import torch

    width, _, patch, _ = state["image_encoder.patch_embed.proj.weight"].shape
    grid = state["image_encoder.pos_embed"].shape[1]
    depth = _count(state, BLOCK + "norm1.weight")
    positions = [state[BLOCK.format(index) + "attn.rel_pos_h"].shape for index in range(depth)]
    spans = [(length + 1) // 2 for length, _ in positions]
    return sam.ImageEncoderViT(
        img_size=grid * patch,
        patch_size=patch,
        embed_dim=width,
        depth=depth,
        num_heads=width // positions[0][1],
        mlp_ratio=state[BLOCK.format(0) + "mlp.lin1.weight"].shape[0] / width,
        out_chans=state["image_encoder.neck.0.weight"].shape[0],
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        qkv_bias=BLOCK.format(0) + "attn.qkv.bias" in state,
        use_rel_pos=True,
        window_size=min(spans) if min(spans) < grid else 0,
        global_attn_indexes=tuple(index for index, span in enumerate(spans) if span == grid),
    )
