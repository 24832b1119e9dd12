"""Find the files of an input table and look into them, without Spark."""
