"""What a person runs: commands, replay, strategies, reports."""
