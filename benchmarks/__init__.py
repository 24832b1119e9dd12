"""Speed of claimatlas beside the same rules on other engines."""
