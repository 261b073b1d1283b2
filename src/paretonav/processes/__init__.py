"""Several processes that compute as one: the first decides, the others do their part of what it asks for."""

from paretonav.processes.group import Group, World, launched, the_group
from paretonav.processes.premises import require_alike
from paretonav.processes.team import Done, Team
from paretonav.processes.wire import Traffic, Wire

__all__ = ["Done", "Group", "Team", "Traffic", "Wire", "World", "launched", "require_alike", "the_group"]
