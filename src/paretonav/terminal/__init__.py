"""The terminal front end: commands as text, as values, and as calls of a navigator."""
