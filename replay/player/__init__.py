"""A recording played in a page: at its own pace, faster, or frame by frame, from any side."""
