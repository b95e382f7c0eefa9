# One image for every service; the command chooses. Built in two steps so that no compiler or cache is shipped.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/vigilo
RUN pip install --no-cache-dir uv
WORKDIR /src
COPY pyproject.toml uv.lock README.md ./
# Dependencies alone first: a change of our code does not install them again.
RUN uv sync --frozen --no-dev --no-install-project
COPY vigilo ./vigilo
COPY services ./services
COPY vigilo_cli ./vigilo_cli
COPY schemas ./schemas
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin vigilo
COPY --from=build /opt/vigilo /opt/vigilo
ENV PATH=/opt/vigilo/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VIGILO_HOME=/tmp/vigilo
WORKDIR /opt/vigilo
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["services.api.app"]
