"""From members of a population to cells: counts by place and dimension, then ratio and interval."""
