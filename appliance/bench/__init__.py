"""``tickplane bench``: one module for each family of rows, ``rows`` for what they share."""
