"""Reading and writing media: ffmpeg, probing, frames, readers, writers, sound, colour."""
