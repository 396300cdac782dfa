"""The lake: facts, append-only, in Parquet files that any tool reads."""
