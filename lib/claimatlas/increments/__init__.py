"""After a batch: what it changes is computed anew, and the rest stays as it was published."""
