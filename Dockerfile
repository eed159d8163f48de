# The session server in a container: no root, nothing to write to but /var/lib/session-server and /var/log/session-server.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig*.json ./
COPY scripts scripts
COPY config config
COPY bench bench
COPY test test
COPY src src
COPY docs docs
COPY bin bin
RUN npm run build

FROM node:24-bookworm-slim
WORKDIR /opt/session-server
ENV NODE_ENV=production
COPY --from=build /build/package.json ./
COPY --from=build /build/config config
COPY --from=build /build/bin bin
COPY --from=build /build/dist/program dist/program
COPY --from=build /build/dist/web dist/web
COPY --from=build /build/src/install/templates src/install/templates
COPY --from=build /build/src/stores/redis/*.lua src/stores/redis/
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
# A session server, a simulation server and a robot to drive. With your own configuration: "start", "/etc/session-server/session.json".
CMD ["demo", "--listen", "0.0.0.0", "--server", "localhost"]
