"""The degradations in words: what each is, where it shows first, and what its five levels look like."""

from __future__ import annotations

from typing import NamedTuple

LOOSE = ("noise", "moire", "compression")  # patterns of single pixels: gone in a reduced frame, so shown at full resolution too


class Defect(NamedTuple):
    """A degradation in words."""

    name: str
    what: str
    where: str  # to look first
    levels: tuple[str, str, str, str, str]  # 1 none to 5 extreme


DEFECTS: dict[str, Defect] = {
    "blur": Defect(
        name="blur",
        what=(
            "Blur is the smear of a moving camera or subject, or the softness of a lens out of focus. A background left soft on purpose is not a "
            "defect."
        ),
        where="edges and fine texture of the main subject",
        levels=(
            "edges and texture are crisp",
            "a softness that shows only on close inspection",
            "edges are clearly smeared or doubled",
            "fine detail is gone",
            "only large shapes are left",
        ),
    ),
    "compression": Defect(
        name="compression artifacts",
        what="Compression artifacts are 8 by 8 blocks, ringing beside edges, smeared texture and bands in smooth tones, left by JPEG, WebP or video.",
        where="smooth gradients such as sky, and the surroundings of sharp edges",
        levels=(
            "no trace of blocks, ringing or bands",
            "faint ringing or blocks on close inspection",
            "blocks or ringing are plain to see",
            "texture is replaced by blocks or smears",
            "the picture is a mosaic of blocks",
        ),
    ),
    "moire": Defect(
        name="moire",
        what="Moire is coloured or bright wavy stripes and grids that the scene does not have, from fine texture or a screen that was photographed.",
        where="fabric, roofs, fences and screens, and smooth areas with stripes that cross the outlines of things",
        levels=(
            "no false stripes or grids",
            "faint stripes in a small part",
            "clear stripes in some regions",
            "strong coloured stripes over much of the picture",
            "stripes cover the picture and hide it",
        ),
    ),
    "low_light": Defect(
        name="underexposure",
        what=(
            "Underexposure is too little light for the scene: dark tones crushed, colours dull, noise lifted. A night scene with lit subjects is no "
            "defect in itself."
        ),
        where="the main subject and the shadows",
        levels=(
            "well exposed",
            "a little too dark",
            "clearly too dark, the subject still readable",
            "most of the scene is hard to make out",
            "nearly black",
        ),
    ),
    "noise": Defect(
        name="noise",
        what="Noise is random grain or coloured speckle that belongs to no surface.",
        where="smooth areas: sky, walls, skin, shadows",
        levels=(
            "smooth areas are clean",
            "a fine grain on close inspection",
            "grain is plain in smooth areas",
            "grain covers the whole picture and eats detail",
            "speckle is stronger than the picture",
        ),
    ),
    "flare": Defect(
        name="lens flare",
        what="Lens flare is light scattered in the lens: ghosts, streaks, starbursts, rainbow arcs, or a milky veil around a bright source.",
        where="bright lamps, the sun, and the line from them through the centre of the picture",
        levels=(
            "no ghosts, streaks or veil",
            "a small faint ghost or streak",
            "clear ghosts, streaks or a local veil",
            "flare covers much of the picture",
            "flare hides the scene",
        ),
    ),
    "reflection": Defect(
        name="reflections in glass",
        what=(
            "This defect is a second scene mirrored in a pane of glass between camera and subject. Mirrors, water and shiny things within the scene "
            "are no defect."
        ),
        where="outlines that cross one another, ghosted lamps, doubled contours",
        levels=(
            "no second scene",
            "a faint ghost in a small part",
            "a second scene is plain to see",
            "the second scene is as strong as the first",
            "the second scene hides the first",
        ),
    ),
    "haze": Defect(
        name="haze",
        what="Haze is mist, fog, smoke or dust in the air that lowers contrast and colour, more with distance. Clouds in the sky are no defect.",
        where="distant things compared with near ones",
        levels=(
            "clear air",
            "a light veil on what is far",
            "what is far is pale, what is near is clear",
            "most of the scene is washed out",
            "only what is nearest can be seen",
        ),
    ),
    "rain": Defect(
        name="rain",
        what="Rain is falling streaks and drops, splashes, the grey curtain of distant rain, and drops on the lens. Wet ground alone is no defect.",
        where="dark backgrounds, where streaks show, and blurred round spots",
        levels=(
            "no streaks or drops",
            "a few thin streaks",
            "streaks or drops are plain to see",
            "dense rain over much of the picture",
            "rain hides the scene",
        ),
    ),
    "web": Defect(
        name="loss of quality by sharing",
        what=(
            "The picture was reduced, enlarged, filtered and saved several times on its way through the web: softness, halos, blocks and smeared "
            "texture together."
        ),
        where="faces, texture and the surroundings of edges",
        levels=(
            "as it left the camera",
            "slight softness or ringing on close inspection",
            "loss of detail is plain to see",
            "texture is gone, edges have halos or blocks",
            "a thumbnail blown up",
        ),
    ),
}
