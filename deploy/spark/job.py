"""The command line as a file, for spark-submit: `spark-submit … deploy/spark/job.py stream --kafka …`."""

from logvision.cli import main

if __name__ == "__main__":
    main()
