"""Memory that numpy frees and needs again at once."""

import numpy as np

_LARGEST_KEPT = 2**25 - 2**16  # bytes, just below the greatest that glibc adapts to


def keep_freed_memory() -> None:
    """Let the C library keep freed arrays of up to 32 MB for the next ones.

    A third of the time of Newton's method on many points went into handing arrays back to
    the system and getting their pages cleared again.  glibc keeps blocks up to the size of
    the largest that was ever freed (mallopt(3), M_MMAP_THRESHOLD, "dynamic"), so one is
    freed here, untouched.  On other systems nothing happens.
    """
    np.empty(_LARGEST_KEPT, dtype=np.uint8)
