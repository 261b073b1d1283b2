"""How the joined view ends: known to what joins it and to what puts it into a page.

Imports nothing, as ``bundle`` does not.
"""

EXPORT = "export default $view;\n"
"""The last line of every bundle, for who wants to put the view into a script instead of a module."""
