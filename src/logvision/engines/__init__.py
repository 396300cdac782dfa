"""What runs the pipeline: `embedded` in this process, `spark` on a cluster."""
