"""Our books beside the venues': read, compared, and mended."""
