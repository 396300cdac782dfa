"""Real servers on this machine, without Docker: for tests and for trying the distributed mode.

Each stands on free ports of 127.0.0.1 with its files in one folder, is ready when `start` returns, and is
stopped by its own process id. `lacking` of each class says why it cannot run here. Needs nothing but
Python's standard library and what `deploy/fetch.py` fetched.
"""

from servers.kafka import Kafka, SecureKafka
from servers.mongodb import MongoDB
from servers.process import Server, ServerError
from servers.redis import Redis
from servers.shippers import Flume, Nginx, Rsyslog

__all__ = ["Flume", "Kafka", "MongoDB", "Nginx", "Redis", "Rsyslog", "SecureKafka", "Server", "ServerError"]
