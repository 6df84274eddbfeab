"""Reading and writing media: ffmpeg, probing, frames, readers, writers, sound, colour."""

import reelproc.machine.posix  # noqa: F401 - on Windows the first use of media says what to do
