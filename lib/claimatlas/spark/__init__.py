"""The Spark session and all that it needs: Java, JARs, settings, errors, and helpers for columns and frames."""
