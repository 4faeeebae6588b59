"""TextGroup."""
