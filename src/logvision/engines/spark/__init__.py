"""The engine on a cluster: Structured Streaming spreads the judging, one process learns, folds and commits.

The one place that imports pyspark.
"""
