"""Facts about `pipelines.photos.decode`: which pixels come out of which bytes."""

from __future__ import annotations

import contextlib
import io
import struct
import typing
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from pipelines.photos.decode import DecodeRules, decode
from pipelines.photos.formats import FormatName, signature

ALL = DecodeRules(formats=typing.get_args(FormatName))


def _encoded(pixels: Srgb | Image.Image, kind: str = "JPEG", **options: typing.Any) -> bytes:
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(stream, kind, **options)
    return stream.getvalue()


def _refused(data: bytes, rules: DecodeRules = ALL) -> Reason:
    with pytest.raises(BadSample) as caught:
        decode(data, rules)
    assert caught.value.detail
    return caught.value.reason


@pytest.fixture(scope="module")
def small(astronaut: Srgb) -> Srgb:
    """Return a 96x64 piece of a photo, small enough to be encoded hundreds of times."""
    return np.ascontiguousarray(astronaut[100:164, 180:276])


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_plain_jpegs_decode_to_the_reference_pixels(astronaut: Srgb, options: dict[str, typing.Any]) -> None:
    """The quick path gives the very pixels of Pillow's libjpeg."""
    data = _encoded(astronaut, quality=90, **options)
    assert np.array_equal(decode(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"restart_marker_rows": 1}), ("PNG", {}), ("WEBP", {}), ("AVIF", {})],
)
def test_a_file_cut_anywhere_is_refused(small: Srgb, kind: str, options: dict[str, typing.Any]) -> None:
    """No cut gives a photo whose end is grey: every beginning of a file is refused."""
    data = _encoded(small, kind, **options)
    for cut in range(1, len(data) - 24, max(1, len(data) // 60)):
        assert _refused(data[:cut]) in {Reason.TRUNCATED, Reason.DECODE_FAILED, Reason.NOT_AN_IMAGE}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_photos_stand_upright(small: Srgb, kind: str, turn: int) -> None:
    """Each of the eight EXIF orientations is applied once, in every format that has them."""
    exif = Image.Exif()
    exif[0x0112] = turn
    data = _encoded(small, kind, exif=exif)
    photo = decode(data, ALL)
    reference = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert np.array_equal(photo.pixels, np.asarray(reference))
    assert photo.notes == ((f"upright:{turn}",) if turn > 1 and kind != "TIFF" else ())  # Pillow turns TIFFs while it loads them
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize("exif", [b"\xff" * 40, b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02"])
def test_broken_metadata_spoil_no_photo(small: Srgb, exif: bytes) -> None:
    """A photo with unreadable EXIF is still a photo."""
    data = _encoded(small, quality=95)
    spoiled = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif + data[2:]
    assert np.array_equal(decode(spoiled).pixels, decode(data).pixels)


def test_metadata_that_say_nothing_turn_nothing(small: Srgb) -> None:
    """An orientation that EXIF does not know is ignored."""
    exif = Image.Exif()
    exif[0x0112] = 9
    assert decode(_encoded(small, exif=exif)).notes == ()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_opaque_alpha_is_dropped_and_any_other_refused(small: Srgb, kind: str) -> None:
    """One pixel that is not opaque makes the photo unusable; none, and the channel is dropped."""
    four = np.dstack([small, np.full(small.shape[:2], 255, np.uint8)])
    photo = decode(_encoded(four, kind, lossless=True))
    assert np.array_equal(photo.pixels, small)
    four[0, 0, 3] = 254
    assert _refused(_encoded(four, kind, lossless=True)) is Reason.TRANSPARENT


def test_grey_palette_and_one_bit_become_three_channels(small: Srgb) -> None:
    """Fewer channels than three become three, and are noted."""
    image = Image.fromarray(small)
    for mode, note in (("L", "grey"), ("P", "palette"), ("1", "1bit")):
        photo = decode(_encoded(image.convert(mode), "PNG"))
        assert np.array_equal(photo.pixels, np.asarray(image.convert(mode).convert("RGB")))
        assert note in photo.notes


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_rounded(channels: int) -> None:
    """A 16-bit PNG becomes round(v / 257), not its high byte."""
    deep = np.linspace(0, 65535, 64 * 64 * channels).astype(np.uint16).reshape(64, 64, channels)
    if channels == 4:
        deep[..., 3] = 65535
    photo = decode(cv2.imencode(".png", deep)[1].tobytes())
    expected = np.rint(deep / 257).astype(np.uint8)[..., [0, 0, 0] if channels == 1 else [2, 1, 0]]
    assert np.array_equal(photo.pixels, expected)
    assert "16bit" in photo.notes


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_several_frames_are_not_a_photo(small: Srgb, kind: str) -> None:
    """Animations and multi-page files are refused in every format."""
    frames = [Image.fromarray(small), Image.fromarray(255 - small)]
    assert _refused(_encoded(frames[0], kind, save_all=True, append_images=frames[1:])) is Reason.ANIMATED


def _profile(name: str, data: Path) -> bytes:
    profile: bytes = Image.open(data / "odd" / name).info["icc_profile"]
    return profile


@pytest.mark.parametrize("name", ["adobergb_photo.jpg", "p3.png", "prophoto_1x1.png", "progressive_bigicc.jpg"])
def test_profiles_are_followed_to_srgb(small: Srgb, data: Path, name: str) -> None:
    """A photo saved in a wider space comes back to the sRGB that it was made from."""
    profile = _profile(name, data)
    wide = ImageCms.profileToProfile(Image.fromarray(small), ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile)), outputMode="RGB")
    photo = decode(_encoded(wide, "PNG", icc_profile=profile))
    away, back = cv2.absdiff(np.asarray(wide), small), cv2.absdiff(photo.pixels, small)
    assert away.mean() > 3
    assert back.mean() < 1
    assert photo.notes[0].startswith("icc:")


def test_srgb_under_any_name_is_left_as_it_is(small: Srgb, data: Path) -> None:
    """A profile whose transform moves no colour by more than two levels changes no pixel."""
    for profile in (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), _profile("truncated.jpg", data)):
        photo = decode(_encoded(small, "PNG", icc_profile=profile))
        assert np.array_equal(photo.pixels, small)
        assert photo.notes == ()


def test_a_profile_must_fit_its_picture(small: Srgb, data: Path) -> None:
    """A grey profile on colours and a profile that is none are refused; a colour profile on grey is followed."""
    grey, wide = _profile("gray_wolf.jpg", data), _profile("adobergb_photo.jpg", data)
    assert _refused(_encoded(small, "PNG", icc_profile=grey)) is Reason.BAD_PROFILE
    assert _refused(_encoded(small, "PNG", icc_profile=b"no profile at all")) is Reason.BAD_PROFILE
    flat = np.repeat(small[..., :1], 3, axis=2)
    as_colour, as_grey = decode(_encoded(flat, "PNG", icc_profile=grey)), decode(_encoded(small[..., 0], "PNG", icc_profile=grey))
    assert np.array_equal(as_colour.pixels, as_grey.pixels)
    assert "icc:Adobe RGB (1998)" in decode(_encoded(small[..., 0], "PNG", icc_profile=wide)).notes


def _cmyk_profile() -> bytes:
    """Return a small ICC press profile (a lookup table of two points a channel) in which paper is white and ink is black."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 4)
    lightness = 255 * (1 - corners[:, :3].mean(1)) * (1 - corners[:, 3])
    table = np.stack([lightness, np.full(16, 128), np.full(16, 128)], 1).astype(np.uint8).tobytes()
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    a2b = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + table + ramp * 3
    a2b += bytes(-len(a2b) % 4)
    text = b"desc" + bytes(4) + struct.pack(">I", 6) + b"press\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, body, at = [], b"", 132 + 12 * 3
    for name, content in ((b"desc", text), (b"wtpt", white), (b"A2B0", a2b)):
        tags.append(name + struct.pack(">II", at + len(body), len(content)))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ") + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    return head + struct.pack(">I", 3) + b"".join(tags) + body


def test_cmyk_is_read_by_its_profile_only() -> None:
    """CMYK with a profile becomes the colours that its press prints; without one it is refused."""
    inks = np.zeros((8, 8, 4), np.uint8)
    inks[4:, :, 3] = 255
    image = Image.fromarray(inks, "CMYK")
    assert _refused(_encoded(image)) is Reason.BAD_PROFILE
    photo = decode(_encoded(image, quality=100, icc_profile=_cmyk_profile()))
    assert photo.notes == ("icc:press",)
    assert photo.pixels[1, 1].min() > 250
    assert photo.pixels[6, 6].max() < 8


def _with_header_size(data: bytes, width: int, height: int) -> bytes:
    header = data[12:16] + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


@pytest.mark.parametrize("size", [(60_000, 60_000), (70_000, 10), (12_000, 9_000), (0, 10), (20_000, 4_999)])
def test_the_header_is_believed_before_pixels_are_made(small: Srgb, size: tuple[int, int]) -> None:
    """A header that announces too much is refused at once; one that lies is found out."""
    reason = _refused(_with_header_size(_encoded(small, "PNG"), *size))
    fits = size[0] * size[1] <= DecodeRules().max_pixels and max(size) < 65536
    assert (reason is Reason.TOO_MANY_PIXELS) != fits


def test_an_exotic_chunk_cannot_ask_for_gigabytes() -> None:
    """A PNG chunk that claims more bytes than there are is refused before a decoder believes it."""
    data = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint16))[1].tobytes()
    claimed = data[:33] + struct.pack(">I", 0x7FFFFFF0) + b"vpAg" + data[33:]
    assert _refused(claimed) in {Reason.TRUNCATED, Reason.DECODE_FAILED}


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\xff\xd8\xff\xe1", "jpeg"),
        (b"BM\x36\x00\x0c\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "bmp"),
        (b"BMW is a maker of cars, not a bitmap", None),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", "avif"),
        (b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heicmiaf", "heif"),
        (b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp42", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"<svg xmlns=", None),
        (b"\xff\xd8", None),
    ],
)
def test_bytes_are_known_by_their_signature(start: bytes, name: str | None) -> None:
    """The first bytes tell the format, and general containers are told by their brands."""
    assert signature(start) == name


def test_rules_refuse_what_they_do_not_know() -> None:
    """A misspelt rule or an unknown format is an error."""
    for wrong in ({"format": ["jpeg"]}, {"formats": ["psd"]}, {"max_pixels": "many"}, {"max_pixels": 10**9}):
        with pytest.raises(ValueError, match=r"formats|max_pixels|jpeg"):
            DecodeRules.model_validate(wrong)


GRADIENT = np.dstack([*np.meshgrid(np.arange(0, 240, 10), np.arange(0, 160, 10)), np.full((16, 24), 99)]).astype(np.uint8)
FILES = [_encoded(GRADIENT, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000")]
FILES += [_encoded(GRADIENT, progressive=True), cv2.imencode(".png", GRADIENT.astype(np.uint16) * 257)[1].tobytes()]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_ends_in_anything_but_a_photo_or_a_reason(data: st.DataObject) -> None:
    """Whatever bytes are changed, in whatever format, the answer is a photo or a `BadSample`."""
    spoiled = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 6))):
        spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadSample):
        assert decode(bytes(spoiled), ALL).pixels.shape[2] == 3
