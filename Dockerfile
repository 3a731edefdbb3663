# The exporter.
#
#   docker build --tag=leakwatch --build-arg=VERSION=0.1.0 --build-arg=REVISION="$(git rev-parse HEAD)" .
#   docker run --rm --pid=host --publish=127.0.0.1:9847:9847 leakwatch
#
# Behind a proxy that signs TLS anew: put the certificate of its authority into extra-ca.crt beside this file. npm trusts it while
# the image is built, and the image does not have it. (A NODE_IMAGE of your own that trusts it already will do as well.)

ARG NODE_IMAGE=node:24-bookworm-slim

# What the exporter needs at run time, and nothing else.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
# the pattern may match nothing
COPY package.json package-lock.json extra-ca*.crt ./
RUN if [ -f extra-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/extra-ca.crt; fi \
  && npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# Compiles. Of the development dependencies only what the compiler wants, in the versions of the lock file: the rest is 400 MB.
FROM dependencies AS build
RUN if [ -f extra-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/extra-ca.crt; fi \
  && npm pkg delete devDependencies optionalDependencies \
  && npm pkg set devDependencies.typescript=* devDependencies.@types/node=* devDependencies.@types/express=* \
  && npm install --no-save --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY catalog catalog
COPY detection detection
COPY alerts alerts
COPY exporter exporter
RUN npm run build

FROM ${NODE_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="leakwatch" \
  org.opencontainers.image.description="Finds the process that leaks memory: how fast, what kind of leak, when it will be OOM-killed, and whether restarts are masking it." \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production LEAKWATCH_REVISION=${REVISION}
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY alerts/generated alerts/generated
COPY alerts/runbooks alerts/runbooks
# For --storage.path. A new volume takes this mode over, so that whatever user the container is given can write; what it writes, only
# that user reads.
RUN mkdir -p -m 0777 /var/lib/leakwatch
# A number, so that Kubernetes can see that it is not root. It owns nothing here.
USER 65532:65532
EXPOSE 9847
STOPSIGNAL SIGTERM
# Another port or TLS: set LEAKWATCH_HEALTH_URL.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/exporter/healthcheck.js"]
ENTRYPOINT ["node", "/app/dist/exporter/main.js"]
CMD ["serve", "--web.listen-address=:9847"]
