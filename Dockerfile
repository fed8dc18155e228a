# wa-audit as an image: docs/deploy.md says how to use it.
#
#   docker build -t wa-audit .
#   docker run --rm -v "$PWD/out:/out" -v "$HOME/.aws:/home/auditor/.aws:ro" wa-audit scan --profile NAME -o /out

FROM python:3.13-slim AS build
WORKDIR /src
COPY deploy/requirements.txt ./
RUN python -m venv /opt/wa-audit && /opt/wa-audit/bin/pip install --no-cache-dir --no-deps -r requirements.txt
COPY pyproject.toml README.md LICENSE rules.yaml ./
COPY wa_audit wa_audit
COPY checks checks
COPY report_templates report_templates
RUN /opt/wa-audit/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 auditor && mkdir /out && chown auditor /out
COPY --from=build /opt/wa-audit /opt/wa-audit
ENV PATH=/opt/wa-audit/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER auditor
WORKDIR /out
ENTRYPOINT ["wa-audit"]
CMD ["--help"]
