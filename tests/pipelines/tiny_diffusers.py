"""Image-editing pipelines of a megabyte with random weights, saved as a user's would be."""

from __future__ import annotations

from collections.abc import Callable
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
    """Return an InstructPix2Pix pipeline: 2x latents, a U-Net of two levels."""
    import diffusers

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


def kontext() -> Any:
    """Return a FLUX Kontext pipeline: 2x latents, one block of either kind."""
    import diffusers
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    tokenizer, encoder = text_parts()
    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(["<pad>", "</s>", "<unk>", "haze", "rain"])}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return diffusers.FluxKontextPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            norm_num_groups=4,
            use_quant_conv=False,
            use_post_quant_conv=False,
            shift_factor=0.1,
            scaling_factor=0.3,
        ),
        text_encoder=encoder,
        tokenizer=tokenizer,
        text_encoder_2=T5EncoderModel(T5Config(vocab_size=16, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)),
        tokenizer_2=PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64),
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=DIM,
            axes_dims_rope=[4, 4, 8],
            guidance_embeds=True,
        ),
    )


def qwen_edit() -> Any:
    """Return a Qwen-Image-Edit pipeline: 8x latents, a Qwen2.5-VL of two layers that sees the photo, one block."""
    import diffusers
    import transformers

    from benchmarks import random_qwen

    tokenizer = random_qwen.processor(16384).tokenizer
    marks = {f"{name}_id": tokenizer.convert_tokens_to_ids(token) for name, token in random_qwen.SPECIAL.items()}
    eyes = {"patch_size": 14, "temporal_patch_size": 2, "merge_size": 2, "min_pixels": 28 * 28, "max_pixels": 56 * 56}
    layers = {"hidden_size": DIM, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6}
    config = transformers.Qwen2_5_VLConfig(
        text_config={**layers, "vocab_size": len(tokenizer), "rope_parameters": rope, "bos_token_id": 0, "eos_token_id": 0},
        vision_config={"depth": 2, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": DIM, "fullatt_block_indexes": [1]},
        **{name: at for name, at in marks.items() if name.startswith(("image", "video", "vision"))},
    )
    return diffusers.QwenImageEditPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKLQwenImage(
            base_dim=8, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True], latents_mean=[0.0] * 4, latents_std=[1.0] * 4
        ),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config),
        tokenizer=tokenizer,
        processor=transformers.Qwen2VLProcessor(
            image_processor=transformers.Qwen2VLImageProcessor(**eyes),
            tokenizer=tokenizer,
            video_processor=transformers.Qwen2VLVideoProcessor(**eyes),
            chat_template=random_qwen.TEMPLATE,
        ),
        transformer=diffusers.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=1,
            joint_attention_dim=DIM,
            axes_dims_rope=(8, 4, 4),
        ),
    )


def saved(folder: Path, make: Callable[[], Any] = pix2pix) -> Path:
    """Save a pipeline with random weights and return its folder; the global generator is left as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        make().save_pretrained(folder, safe_serialization=True)
    return folder
