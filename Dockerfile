# The session server in a container: no root, nothing to write to but /var/lib/session-server and /var/log/session-server.
# Pin the image for a release: docs/how-to/run-in-a-container.md, "Pin the base image".
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig*.json ./
COPY scripts scripts
COPY src src
RUN npm run bundle

FROM ${NODE_IMAGE}
WORKDIR /opt/session-server
ENV NODE_ENV=production
COPY package.json ./
COPY config config
COPY bin bin
COPY src/install/templates src/install/templates
COPY src/stores/redis/*.lua src/stores/redis/
COPY --from=build /build/dist/program dist/program
COPY --from=build /build/dist/web dist/web
RUN install -d -o node -g node -m 0700 /var/lib/session-server /var/log/session-server
USER node
WORKDIR /var/lib/session-server
ENV SESSION_SERVER_LOG_TO=stdout
EXPOSE 1999 2000-2014
# Answers while the process lives; a busy machine gets time.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:1999/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM ends it within 2 s, the demo within 10 s; the program handles it itself.
ENTRYPOINT ["node", "/opt/session-server/bin/session-server.mjs"]
# A session server, five simulation servers and a robot to drive. With your own configuration: "start", "/etc/session-server/session.json".
CMD ["demo", "--listen", "0.0.0.0", "--server", "localhost"]
