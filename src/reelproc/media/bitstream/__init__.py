"""Read the heads of coded pictures: H.264, HEVC, VP8, VP9 and AV1."""
