# One country's node: the locked run-time packages and the bridge. Keys, settings and database are mounted, never built in.
FROM python:3.11-slim-bookworm
# pg_dump and pg_restore, for `ncp-bridge backup` and `restore` of a node on PostgreSQL.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/runtime.txt && rm /tmp/runtime.txt
WORKDIR /opt/ncp-bridge
COPY bridge bridge
COPY schemas schemas
# Compiled once, not at every start: whoever runs it may not write here.
RUN python -m compileall -q bridge
ENV PYTHONPATH=/opt/ncp-bridge PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 1000:1000
ENTRYPOINT ["python", "-m", "bridge"]
