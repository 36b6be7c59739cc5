# Two stages: the first installs into a virtual environment, the second carries only what runs.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY ingest ingest
COPY service service
COPY prompts prompts
COPY evals evals
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable .

FROM python:3.11-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/app/.venv/bin:$PATH \
    MASTERY_HOST=0.0.0.0 \
    MASTERY_DATA_DIR=/data \
    MASTERY_LOG_FORMAT=json
RUN useradd --create-home --uid 10001 mastery && install -d -o mastery -g mastery /data
WORKDIR /app
COPY --from=build /app /app
COPY models models
COPY knowledge_base knowledge_base
USER mastery
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["sh", "-c", "mastery ingest && exec mastery serve"]
