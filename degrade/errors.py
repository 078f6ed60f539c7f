"""The one tree of exceptions, and the closed list of reasons for which a photo or a pair is refused.

Only `BadSample` becomes a row; everything else stops the work it happens in, loudly. This file imports nothing of
Patina, so that every room may use it.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an input did not become a pair. A row that is refused carries exactly one of these words."""

    # fetching
    URL_REFUSED = "url_refused"  # not a web address that we follow: scheme, port, credentials, or no address at all
    ADDRESS_REFUSED = "address_refused"  # leads to this machine, a private network, or where nothing public is
    UNREACHABLE = "unreachable"  # no such host, no connection, or a certificate that proves nothing
    HTTP_ERROR = "http_error"  # the server answered, but not with the photo
    TOO_SLOW = "too_slow"  # the answer was not complete in time
    OPTED_OUT = "opted_out"  # its headers reserve it from search or from training
    WRONG_TYPE = "wrong_type"  # the answer is no picture, or compressed on its way
    NO_LICENCE = "no_licence"  # nothing is said of its licence, and the recipe asks for one
    # reading the bytes
    MISSING = "missing"  # named in a list or found by a glob, gone or not readable now
    NOT_A_FILE = "not_a_file"  # FIFO, socket, device, folder, or a link that leaves its source folder
    EMPTY = "empty"  # zero bytes
    FILE_TOO_LARGE = "file_too_large"  # more bytes than the limit
    NOT_AN_IMAGE = "not_an_image"  # no known signature
    FORMAT_NOT_ENABLED = "format_not_enabled"  # known, but opt-in (TIFF, GIF, HEIF...), see `index.formats`
    TOO_MANY_PIXELS = "too_many_pixels"  # the header announces more than the limit
    DECODE_FAILED = "decode_failed"  # broken, truncated or unreadable content
    TRUNCATED = "truncated"  # the data end before the picture does
    ANIMATED = "animated"  # several frames: not one photo
    TRANSPARENT = "transparent"  # the alpha channel hides something: what lies under it is unknown
    BAD_PROFILE = "bad_profile"  # an ICC profile that cannot be read
    DUPLICATE = "duplicate"  # the same photo as another input: its bytes, or a near copy where the recipe refuses those
    BENCHMARK = "benchmark"  # an image of the guard list, or a near copy of one: it must never enter training
    # the photo itself
    TOO_SMALL = "too_small"
    EXTREME_ASPECT = "extreme_aspect"
    TOO_SOFT = "too_soft"
    TOO_NOISY = "too_noisy"
    JPEG_DAMAGED = "jpeg_damaged"
    CLIPPED = "clipped"
    FLAT = "flat"  # next to no content: a logo, a blank page, a test pattern
    GREY = "grey"  # no colour, where the recipe asks for colour
    # planning and rendering
    NO_TASK_SUITS = "no_task_suits"  # no task of the recipe is possible for this photo
    NO_FAR_PLANE = "no_far_plane"  # portrait, macro or indoors: haze has no distance to act on
    NO_LIGHT_SOURCE = "no_light_source"  # flare without a lamp, and none outside the frame is wanted
    NO_SECOND_PHOTO = "no_second_photo"  # reflection: no other photo in the same split fits the crop
    NO_USABLE_MIXTURE = "no_usable_mixture"  # reflection: invisible or destructive in every try
    NOT_FOR_CLIPS = "not_for_clips"  # a degradation of stills, asked of a video clip
    TOO_LITTLE_MOTION = "too_little_motion"  # a static clip, or one too slow for the blur that is wanted
    TOO_FEW_FRAMES = "too_few_frames"  # a clip without a run of frames that can be averaged
    SOURCE_CHANGED = "source_changed"  # the bytes are not those that were indexed
    UNCHANGED = "unchanged"  # the degraded side equals the clean one
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"  # the process died on this input, again when tried alone
    TIMED_OUT = "timed_out"  # no answer within the deadline
    # making the clean side
    REFUSED_BY_MAKER = "refused_by_maker"  # the maker will not work on this photo: its safety rules, or the size of the photo
    NO_CANDIDATE = "no_candidate"  # the maker ended well and gave no picture, or none that can be used
    # real pairs
    NOT_DEGRADED = "not_degraded"  # shows none of the tasks that the recipe looks for
    MOVED = "moved"  # the candidate for the clean side is shifted, scaled or turned too far to be put back
    NOT_THE_BEST = "not_the_best"  # another candidate of the same photo is better
    # joining runs
    HELD_OUT = "held_out"  # its photo, or a copy of it, is in a split of another run that is farther from training
    # selection
    BELOW_LIMIT = "below_limit"  # a score under its lower limit
    ABOVE_LIMIT = "above_limit"  # a score over its upper limit
    REVIEWED_OUT = "reviewed_out"  # people looked, and said no


class PatinaError(Exception):
    """Every error that Patina raises on purpose. Its text says what to do."""


class BadSample(PatinaError):
    """One input cannot be used: it becomes a row with this reason and detail.

    Args:
        reason: a word of the closed list.
        detail: what was seen, for people.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)  # both, so that the exception survives pickling
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


class RecipeError(PatinaError):
    """The recipe, or a value given on the command line, cannot be meant: names the key and the nearest valid one."""


class MissingModel(PatinaError):
    """A model or an optional library is not there: names the command that gets it."""


class RunError(PatinaError):
    """A run folder cannot be used this way: changed recipe, missing step, unknown pair."""


class CorruptRun(PatinaError):
    """Committed bytes are not what the manifest says."""


class TooManyRejects(PatinaError):
    """The ceiling of rejects was passed: names the top reasons."""
