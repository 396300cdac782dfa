"""Records from and to Kafka. One message is one line; `reader` and `sender` are the doors to confluent-kafka.

What names a line for ever is (source, position), and it must not depend on how often a line was sent:

* `logvision ship` writes the source (`HOST:/path/of/the.log`) and the position in that log into headers, with
  the epoch of its position file, and gives every message of a source the same key and the same partition. So
  within a partition a source is in order, and whatever comes at or before the highest position is a line that
  was sent again after a crash: `origin.Seen` drops it. A new epoch (the position file was lost, the machine
  made anew) counts its positions on from there.
* A message of another program has no such headers. It is named by the partition it stands in,
  `kafka:TOPIC/PARTITION`, and its offset. What such a program sends twice is there twice.

`origin` imports no client library: the Spark job names the same messages by it.
"""
