# One image for web, worker, beat, sweeper and migrate; docker-compose.yml says which is which.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Pango draws the PDF files of postmortems. Its version is Debian’s, which mends it and removes what it mended.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt .
RUN pip install --require-hashes --only-binary :all: -r requirements.txt

RUN useradd --system --create-home --uid 10001 faultline && mkdir /data && chown faultline /data /app
COPY --chown=10001 . .
USER 10001
ENV DATA=/data DEMO=0 LOG_JSON=1

# The files of the pages lie in the image; the key is for this step alone.
RUN SECRET_KEY=collecting DATABASE_URL=postgresql://nobody@localhost/none REDIS_URL=redis://localhost \
    DATA=/app/collected python manage.py collectstatic --no-input --verbosity 0
ENV STATIC_ROOT=/app/collected/static

EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--forwarded-allow-ips", "", \
     "--graceful-timeout", "20", "--timeout", "60", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "reliability.wsgi:application"]
