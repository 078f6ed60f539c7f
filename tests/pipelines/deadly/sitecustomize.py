"""Makes the real decoder die on marked bytes, as broken decoders do: imported by Python itself at start-up."""

import os
import signal
import time


def _arm() -> None:
    import cv2

    decode = cv2.imdecode

    def deadly(data, flags):
        tail = bytes(data[-16:])
        if b"DEADLY-crash" in tail:
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"DEADLY-hang" in tail:
            time.sleep(3600)
        if b"DEADLY-swell" in tail:
            return bytearray(64 << 30)
        return decode(data, flags)

    cv2.imdecode = deadly


_arm()
