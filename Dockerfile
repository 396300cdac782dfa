# Two images of one build: `logvision` (engine, page, shipper) and `spark` (the same with Java and Spark's jars).
#
#   docker build -t logvision .                        # 127.0.0.1:8710 inside: watch, serve, ship, ...
#   docker build -t logvision-spark --target spark .   # stream, verify, train --engine spark

FROM python:3.12-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/logvision && /opt/logvision/bin/pip install --no-cache-dir --upgrade pip
# What it stands on first: it changes seldom, and the layer stays.
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE hatch_build.py build_data.py ./
COPY src ./src
COPY frontend ./frontend
RUN /opt/logvision/bin/pip install --no-cache-dir -c constraints.txt '.[cluster]'

FROM maven:3.9-eclipse-temurin-17 AS jars
COPY deploy/spark/pom.xml /jars/pom.xml
RUN mvn -q -B -f /jars/pom.xml dependency:copy-dependencies -DoutputDirectory=/jars/made -DincludeScope=runtime

FROM python:3.12-slim-bookworm AS base
RUN useradd --system --uid 10001 --home-dir /var/lib/logvision --create-home logvision
COPY --from=build /opt/logvision /opt/logvision
ENV PATH=/opt/logvision/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOGVISION_LAKE__FOLDER=/var/lib/logvision/lake
WORKDIR /var/lib/logvision
VOLUME /var/lib/logvision
EXPOSE 8710
# Of what serves a page; `docker run --no-healthcheck` for what does not.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8710/healthz', timeout=2)"]
ENTRYPOINT ["logvision"]
CMD ["watch", "--host", "0.0.0.0"]

FROM build AS build-spark
RUN /opt/logvision/bin/pip install --no-cache-dir -c constraints.txt '.[cluster,spark]'

FROM base AS spark
RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless procps tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-spark /opt/logvision /opt/logvision
COPY --from=jars /jars/made /opt/logvision/jars
COPY deploy/spark/job.py /opt/logvision/deploy/spark/job.py
HEALTHCHECK NONE
USER 10001
CMD ["stream", "--help"]

# The last one is what `docker build` makes when nobody says which.
FROM base AS logvision
USER 10001
