"""Ready problems: some whose front is known, some on real data."""
