"""The app whose `flush` command empties the tables after a test that commits."""
