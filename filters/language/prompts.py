"""What is said to CLIP: for each task what a degraded photo is called and what its opposite is, and the same for tags of the scene.

A saying alone measures mostly what is in the photo; the difference to its antonym measures the quality that the two disagree on
(CLIP-IQA: Wang et al., "Exploring CLIP for Assessing the Look and Feel of Images", AAAI 2023). We say each thing several
ways and take the mean, as Radford et al. (ICML 2021) do with templates, because single wordings are fickle. The opposites name
what is there, never what is absent: CLIP does not hear "no" and "without".
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import degrade

TASKS = tuple(name for name in degrade.NAMES if name != "web")  # the web tail is a mixture: no saying of its own
Basis = Literal["frame", "tiles", "tiles_max", "both"]


class Sayings(NamedTuple):
    """Two sides of one question, each in several wordings."""

    present: tuple[str, ...]  # the photo is degraded so, or has the tag
    absent: tuple[str, ...]  # its opposite


ANTONYMS = {
    "blur": Sayings(
        ("a blurry photo", "a photo with motion blur", "an out-of-focus photo", "a photo spoiled by camera shake", "a smeared, soft photo"),
        ("a sharp photo", "a photo frozen by a fast shutter", "a photo in perfect focus", "a photo taken from a steady tripod", "a crisp, detailed photo"),
    ),
    "compression": Sayings(
        (
            "a heavily compressed JPEG photo",
            "a photo with blocky compression artifacts",
            "a photo with ringing around edges and smeared texture",
            "a pixelated, blocky web image",
            "a video frame of low bitrate with macroblocks",
        ),
        (
            "a photo straight from the camera in full quality",
            "a photo with smooth gradients and true texture",
            "a photo with clean, natural edges",
            "a high-quality image in a lossless format",
            "a video frame of high bitrate with fine detail",
        ),
    ),
    "moire": Sayings(
        (
            "a photo with moire patterns",
            "a photo of a screen with rainbow interference stripes",
            "a photo with wavy coloured bands over fine texture",
            "a picture of a monitor taken with a phone, full of moire",
        ),
        (
            "a photo with clean, true texture",
            "a direct view with even, natural colours",
            "a photo with plain colours over fine texture",
            "a picture of the scene itself taken with a good camera",
        ),
    ),
    "low_light": Sayings(
        (
            "a dark, underexposed photo",
            "a photo taken in very low light",
            "a dim photo with crushed shadows",
            "a photo whose details are lost in the dark",
        ),
        (
            "a bright, well-exposed photo",
            "a photo taken in good light",
            "a luminous photo with open shadows",
            "a photo whose details are clearly visible",
        ),
    ),
    "noise": Sayings(
        (
            "a noisy photo",
            "a grainy photo taken at high ISO",
            "a photo covered with coloured speckles",
            "a photo with strong sensor noise in flat areas",
        ),
        (
            "a clean, smooth photo",
            "a pure photo taken at low ISO",
            "a photo with even, solid colours",
            "a photo with smooth flat areas",
        ),
    ),
    "flare": Sayings(
        (
            "a photo with lens flare",
            "a photo with glare and bright streaks around a lamp",
            "a photo washed out by stray light of the sun in the lens",
            "a photo with ghosts and halos of a light source",
        ),
        (
            "a photo with deep contrast around its lights",
            "a photo in which lamps are crisp points",
            "a photo taken with a shaded lens and rich blacks",
            "a photo with clean, even light",
        ),
    ),
    "reflection": Sayings(
        (
            "a photo taken through a window with reflections on the glass",
            "a photo with the ghostly reflection of another scene over it",
            "a picture behind glass with the glare of a room on it",
            "two scenes overlaid by a reflecting pane",
        ),
        (
            "a photo taken directly, in the open",
            "a photo of one clear scene",
            "a picture seen face to face, unobstructed",
            "a single scene in plain view",
        ),
    ),
    "haze": Sayings(
        (
            "a hazy photo",
            "a foggy scene of low contrast",
            "a photo in which distant things fade into mist",
            "a smoggy, washed-out view",
        ),
        (
            "a clear photo on a clear day",
            "a scene of rich contrast in pure air",
            "a photo in which distant things are crisp",
            "a vivid view with deep colours",
        ),
    ),
    "rain": Sayings(
        (
            "a photo taken in the rain",
            "a rainy photo with rain streaks",
            "a photo with raindrops on the lens",
            "a view blurred by a downpour",
        ),
        (
            "a photo taken on a dry day",
            "a photo in fair weather",
            "a photo through a clean, dry lens",
            "a view in dry, still air",
        ),
    ),
}

# The six prompts of RealRestorer (arXiv 2603.25502), word for word. The paper names no opposite; the plain saying is ours.
_PLAIN = ("a photo",)
REALRESTORER = {
    "flare": Sayings(("a photo with lens flare, bright streaks of light",), _PLAIN),
    "haze": Sayings(("a hazy photo, foggy atmosphere, low contrast",), _PLAIN),
    "rain": Sayings(("a rainy photo with rain streaks or raindrops",), _PLAIN),
    "low_light": Sayings(("a dark photo, underexposed, low illumination",), _PLAIN),
    "blur": Sayings(("a blurry photo with motion blur or out-of-focus regions",), _PLAIN),
    "reflection": Sayings(("a photo with glass or mirror-like reflection artifacts",), _PLAIN),
}
PRESETS = {"antonyms": ANTONYMS, "realrestorer": REALRESTORER, "own": {}}

# Where a task shows: a frame shrunk to 224 px hides noise, moire and blocks, a tile of 224 px hides haze and what a photo is of.
BASIS: dict[str, Basis] = {
    "blur": "both",  # a soft background is no fault, so tiles alone would accuse it; small blur is gone in the frame
    "compression": "tiles",
    "moire": "tiles_max",  # it sits where the texture is
    "low_light": "frame",
    "noise": "tiles",
    "flare": "frame",
    "reflection": "frame",
    "haze": "frame",
    "rain": "both",
}

_INSIDE = ("an indoor photo", "a photo of the inside of a room", "the interior of a building")
_OUTSIDE = ("an outdoor photo", "a photo taken outside", "a photo in the open air")
TAGS = {  # of the scene; the last two are the second voice on what was put over a photo
    "indoor": Sayings(_INSIDE, _OUTSIDE),
    "outdoor": Sayings(_OUTSIDE, _INSIDE),
    "night": Sayings(
        ("a photo taken at night", "a night scene lit by lamps", "the sky at night"),
        ("a photo taken by day", "a scene in daylight", "the sky by day"),
    ),
    "portrait": Sayings(
        ("a portrait of a person", "a close-up of a face", "a selfie"),
        ("a photo of a landscape", "a photo of a building", "a photo of an object"),
    ),
    "text": Sayings(
        ("a photo of a page of text", "a document", "a sign with writing", "a screenshot with text"),
        ("a photo of a landscape", "a photo of a person", "a photo of nature", "a photo of an object"),
    ),
    "sky": Sayings(
        ("a photo with a wide open sky", "clouds in the sky", "a landscape under the sky"),
        ("a close-up photo of an object", "a photo of the inside of a room", "a photo looking down at the ground"),
    ),
    "landscape": Sayings(
        ("a photo of a landscape", "mountains, sea or fields in the distance", "a wide natural view"),
        ("a close-up photo", "a photo of a room", "a photo of a city street"),
    ),
    "city": Sayings(
        ("a photo of a city street", "buildings of a town", "cars and houses"),
        ("a photo of nature", "a photo of a room", "a photo of plants and animals"),
    ),
    "close_up": Sayings(
        ("a macro photo", "a close-up of a small thing", "a photo of an object on a table"),
        ("a wide-angle photo of a place", "a distant view", "a photo of a large scene"),
    ),
    "watermark": Sayings(
        ("a photo with a watermark over it", "a stock photo with a translucent logo", "an image stamped with the name of an agency"),
        ("an original photo", "a photo from a private album", "an image straight from the camera"),
    ),
    "overlay": Sayings(
        ("a photo with text written over it", "a meme with a caption", "a picture with subtitles and icons", "an advertisement with large letters"),
        ("a plain photo", "a natural photo of a scene", "a snapshot as the camera took it"),
    ),
}
