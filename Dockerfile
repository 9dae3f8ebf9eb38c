# One image for every mode: docker run IMAGE [start | relay | migrate | rewind | doctor]. See docs/deploy/containers.md.
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Neither what tests need nor the PostgreSQL of development. What is deleted then, nobody asks for: this Node runs the
# .ts files itself, and the page at /docs is two files of Swagger UI.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && cd node_modules \
  && rm -rf .bin tsx esbuild @scarf swagger-ui-dist/*es-bundle* swagger-ui-dist/*.map

FROM node:26-slim
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY migrations ./migrations
COPY src ./src
# The user "node", by number: Kubernetes does not believe names when it has to be sure that it is not root.
USER 1000:1000
EXPOSE 8000
# Whether the process lives. Not /ready, which also asks for the database: restarting does not bring that back.
# A relay serves nothing, so run it with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "--eval", \
  "fetch(`http://127.0.0.1:${process.env.PORT || 8000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
# Not through npm, which would keep the signal to stop for itself. Give a stop 30 seconds.
ENTRYPOINT ["node", "src/main.ts"]
CMD ["start"]
