"""Windows of event time: mergeable counts, one algebra for memory, the stored rollups and a cluster."""
