"""The atlas: a static site and downloads from the cells that may be published, and from nothing else."""
