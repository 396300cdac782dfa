"""Programs that ship logs, run as their users run them, from the configurations in `deploy`."""

from __future__ import annotations

import shutil
from pathlib import Path

import fetch
from servers import jvm
from servers.process import Server, answers

DEPLOY = Path(fetch.__file__).parent

SBIN = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
"""Where daemons stand, whatever the PATH."""


class Flume(Server):
    """Flume's agent from the jars of deploy/flume."""

    name = "flume"
    properties = ""  # the agent's configuration

    @classmethod
    def lacking(cls) -> str | None:
        return jvm.lacking("flume", "Flume")

    def command(self) -> list[str]:
        agent = self.folder / "flume.properties"
        agent.write_text(self.properties)
        java = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        java += [jvm.logging(self.folder, "info"), "-cp", f"{fetch.folder('flume')}/*"]
        return [
            *java,
            "org.apache.flume.node.Application",
            "-n",
            "logs",
            "-f",
            str(agent),
            "--no-reload-conf",
        ]

    def ready(self) -> bool:
        return "Component type: SINK, name: kafka started" in self.logged()


class Rsyslog(Server):
    """rsyslogd with omkafka, as Debian packages them; listens for nginx on `port` (UDP)."""

    name = "rsyslog"
    configuration = ""  # a file for /etc/rsyslog.d

    @classmethod
    def lacking(cls) -> str | None:
        if shutil.which("rsyslogd", path=SBIN) is None:
            return "no rsyslogd on the PATH"
        found = any(Path(folder).glob("*/rsyslog/omkafka.so") for folder in ("/usr/lib", "/lib"))
        return None if found else "no omkafka: Debian's rsyslog-kafka"

    def command(self) -> list[str]:
        file = self.folder / "rsyslog.conf"
        file.write_text(f'global(workDirectory="{self.folder}")\n{self.configuration}')
        program = shutil.which("rsyslogd", path=SBIN) or "rsyslogd"
        return [program, "-n", "-f", str(file), "-i", str(self.folder / "rsyslog.pid")]

    def ready(self) -> bool:
        """It says nothing when it is: its process id stands in its file by then."""
        return (self.folder / "rsyslog.pid").exists()


class Nginx(Server):
    """nginx with an empty page and the given lines in its `http` block."""

    name = "nginx"
    http = ""

    @classmethod
    def lacking(cls) -> str | None:
        return None if shutil.which("nginx", path=SBIN) else "no nginx on the PATH"

    def command(self) -> list[str]:
        file = self.folder / "nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {self.folder / kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file.write_text(
            f"daemon off; master_process off; pid {self.folder}/nginx.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{\n{self.http}\n{temporary}"
            f"server {{ listen {self.address}; location / {{ return 200 'here'; }} }}\n}}\n"
        )
        return [shutil.which("nginx", path=SBIN) or "nginx", "-p", str(self.folder), "-c", str(file)]

    def ready(self) -> bool:
        return answers(self.port)
