"""The attacker: what a reader can work out from published files alone.

Nothing here knows how cells are hidden: it reads `published/cells` and the declarations, builds equations of its own,
and attacks them.
"""
