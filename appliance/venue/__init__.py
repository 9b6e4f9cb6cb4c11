"""``tickplane venue``: a complete exchange to trade against (docs/venue.md)."""
