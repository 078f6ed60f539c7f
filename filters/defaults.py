"""The default limits of pair scores, by task: what our own good pairs keep to and injected faults do not.

Set on good pairs of sixteen photos, all nine tasks (`benchmarks/faults`). First at severity 2 to 4: a limit stands beyond the
furthest of up to 48 good pairs of its task by half the distance from their median to it (for haze, of which there were 17, by
all of it), and never nearer than what no one sees: 0.7 px, 0.2 %, 0.12 degrees, 1.2 dE, 0.06 octaves of a colour's gain. A
measure limits a task only where it found faults there that the others did not. Then at all five, on 1120 pairs of the same
photos at 448 and 1024 px: where mild or severe pairs broke a limit, it moved out beyond them, unless more faults would have
passed than pairs. The floors of strength stand below the bottom of stratum 1: they tell only that something was done at all.

At stratum 5 some good pairs are refused still: a long blur, whose fine detail lies where the hand dwelt, is up to 6 px off (a limit
that let it pass would not find a shift of 1 px), dense haze leaves too little to compare, and panes as bright as the scene
tint it. What is refused by stratum, and what is found, on photos that set no limit, is in `benchmarks/faults.md`; it is made by

    python -m benchmarks.faults --markdown benchmarks/faults.md

They are for sources as good as ours: photos whose own sensor left JPEG blocks or halos, and editors that change tones on
purpose, want wider ones, which a recipe says under `select.limits`. What they do not tell is for scorers with models:
colours of the dark side of a night photo, and weak haze, rain or mirrored light that is left (`severity`), small patches
behind a mirrored scene (`fidelity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from filters.limits import EVERY, Limit

ANY: Final = float("inf")

PAIRS: Final[Mapping[str, Limit]] = {
    "alignment.shift_px": {EVERY: (-ANY, 0.7), "blur": (-ANY, 0.798)},  # a shift of 1 px is found; long blur has no one place
    "alignment.scale": {EVERY: (0.998, 1.002)},
    "alignment.rotation_deg": {EVERY: (-0.12, 0.12)},
    "alignment.detail": {"moire": (0.784, ANY), "reflection": (0.9573, ANY)},
    "evidence.explained": {"flare": (0.75, ANY), "rain": (0.167, ANY), "reflection": (0.12, ANY)},
    # nothing was added, or all of it is left in: below the bottom of stratum 1
    "evidence.strength": {
        "blur": (1.4, ANY), "compression": (4.5, ANY), "flare": (0.39, ANY), "haze": (0.0003, ANY), "low_light": (0.038, ANY), "moire": (0.75, ANY),
        "noise": (0.83, ANY), "rain": (0.00098, ANY), "reflection": (1.0, ANY),
    },
    "evidence.hue_deg": {
        EVERY: (-ANY, 4.0), "blur": (-ANY, 19.1), "compression": (-ANY, 31.5), "flare": (-ANY, 11.8), "haze": (-ANY, 60.4), "low_light": (-ANY, 86.0),
        "moire": (-ANY, 22.9), "noise": (-ANY, 8.71), "rain": (-ANY, 12.5), "reflection": (-ANY, 11.9),
    },
    "clean.blockiness": {EVERY: (-ANY, 1.3), "compression": (-ANY, 1.38), "moire": (-ANY, 1.42), "rain": (-ANY, 1.37)},  # the clean side was saved as a JPEG
    "clean.jpeg_quality": {EVERY: (90.0, ANY), "noise": (80.5, ANY)},
    # sharpened
    "clean.halo": {
        EVERY: (-ANY, 0.06), "compression": (-ANY, 0.0757), "flare": (-ANY, 0.0799), "haze": (-ANY, 0.0926), "low_light": (-ANY, 0.141),
        "noise": (-ANY, 0.0645), "rain": (-ANY, 0.0865),
    },
    "clean.sharpness": {EVERY: (0.1, ANY)},  # what the index asks of every clean side
    "clean.noise_sigma": {"blur": (-ANY, 2.92), "noise": (-ANY, 2.5)},
    # another white balance
    "consistency.tint": {
        EVERY: (-ANY, 0.06), "blur": (-ANY, 0.87), "compression": (-ANY, 1.92), "low_light": (-ANY, 1.95), "moire": (-ANY, 0.761), "noise": (-ANY, 0.238),
        "rain": (-ANY, 0.12), "reflection": (-ANY, 0.11),
    },
    # the same, where the air, lamps and panes add no light
    "consistency.white": {
        EVERY: (-ANY, 1.2), "compression": (-ANY, 2.79), "flare": (-ANY, 14.4), "haze": (-ANY, 24.0), "low_light": (-ANY, 48.9), "moire": (-ANY, 4.16),
        "rain": (-ANY, 16.8), "reflection": (-ANY, 29.0),
    },
    # above: the clean side is the softer one; below: it was sharpened
    "consistency.fine": {
        "compression": (-ANY, 0.12), "flare": (-0.105, 0.12), "haze": (-ANY, 0.26), "low_light": (-0.15, ANY), "moire": (-ANY, 0.472),
        "noise": (-0.26, 0.12), "rain": (-0.17, ANY),
    },
    # the clean side kept some of it
    "consistency.leak": {
        "blur": (-ANY, 1.23), "compression": (-ANY, 0.22), "flare": (-ANY, 0.2), "haze": (-ANY, 0.466), "low_light": (-ANY, 0.2), "noise": (-ANY, 0.2),
        "rain": (-ANY, 0.43), "reflection": (-ANY, 0.854),
    },
    # letters
    "consistency.foreign": {
        "blur": (-ANY, 3.06), "compression": (-ANY, 4.07), "flare": (-ANY, 2.07), "haze": (-ANY, 4.1), "low_light": (-ANY, 1.35), "moire": (-ANY, 1.44),
        "noise": (-ANY, 1.66), "rain": (-ANY, 2.21), "reflection": (-ANY, 3.27),
    },
    "consistency.missing": {"compression": (-ANY, 3.16), "haze": (-ANY, 3.39), "moire": (-3.54, ANY), "noise": (-ANY, 1.96)},
    "consistency.likeness_fine": {"flare": (-ANY, 0.998)},
    "consistency.likeness_wide": {"blur": (0.804, 0.9995), "compression": (0.555, ANY), "low_light": (0.15, ANY), "moire": (0.12, ANY)},  # painted anew
}
