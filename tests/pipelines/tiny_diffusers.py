"""Image-editing pipelines of a megabyte with random weights, saved as a user's would be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

START, END = "<|startoftext|>", "<|endoftext|>"
DIM = 16  # of the text encoder


def letters() -> dict[str, int]:
    """Return the vocabulary of a byte-level tokenizer without merges: every byte alone and at the end of a word."""
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    words = [*alphabet, *(letter + "</w>" for letter in alphabet), START, END]
    return {word: at for at, word in enumerate(words)}


def text_parts() -> tuple[Any, Any]:
    """Return a CLIP tokenizer and text encoder."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    vocabulary = letters()
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=DIM,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=DIM,
        max_position_embeddings=77,
        bos_token_id=vocabulary[START],
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[END],
    )
    return tokenizer, CLIPTextModel(config)


def pix2pix() -> Any:
    """Return an InstructPix2Pix pipeline: 2x latents, a U-Net of two levels; the global generator is left as it was."""
    import diffusers
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer, encoder = text_parts()
        unet = diffusers.UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            in_channels=8,
            out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=DIM,
            attention_head_dim=4,
            norm_num_groups=4,
        )
        vae = diffusers.AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            norm_num_groups=4,
        )
        return diffusers.StableDiffusionInstructPix2PixPipeline(
            vae=vae,
            text_encoder=encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=diffusers.EulerAncestralDiscreteScheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def saved(folder: Path) -> Path:
    """Save an InstructPix2Pix pipeline and return its folder."""
    pix2pix().save_pretrained(folder, safe_serialization=True)
    return folder
