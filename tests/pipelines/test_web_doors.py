"""Facts about `pipelines.web.doors`: so many at once to a site, whoever sends them there."""

from __future__ import annotations

import threading

import pytest

from pipelines.web.doors import Doors


def test_the_door_opens_when_somebody_leaves():
    """With two inside, the third waits until one is gone, be it by an error; another host has a door of its own."""
    doors, came = Doors(2), threading.Event()

    def third() -> None:
        with doors.inside("a.test", 5.0):
            came.set()

    waiting = threading.Thread(target=third)
    with doors.inside("a.test", 0.0):
        with pytest.raises(OSError, match="broken"), doors.inside("a.test", 0.0), doors.inside("b.test", 0.0):
            waiting.start()
            assert not came.wait(0.05)
            raise OSError("broken")
        assert came.wait(5.0)
    waiting.join()


def test_nobody_waits_for_ever():
    """Who finds no room in time is told so, and takes none."""
    doors = Doors(1)
    with doors.inside("a.test", 0.0), pytest.raises(TimeoutError, match="busy"), doors.inside("a.test", 0.01):
        pass
    with doors.inside("a.test", 0.0):
        pass
