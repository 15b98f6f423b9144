"""The app whose `flush` empties the tables after tests that commit."""
