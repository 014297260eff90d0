import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import autoload from "@fastify/autoload";
import cookie from "@fastify/cookie";
import files from "@fastify/static";
import view from "@fastify/view";
import Fastify from "fastify";
import Handlebars from "handlebars";
import { WebSocketServer } from "ws";

const here = dirname(fileURLToPath(import.meta.url));
const app = Fastify({
  logger: {
    level: "info",
    transport: {
      targets: [
        { target: "pino-pretty", options: { colorize: false } },
        { target: "pino/file", options: { destination: "/tmp/log.json" } },
      ],
    },
  },
});
await app.register(cookie);
await app.register(files, { root: join(here, "../public"), prefix: "/files/" });
await app.register(view, { engine: { handlebars: Handlebars }, root: join(here, "views") });
await app.register(autoload, { dir: join(here, "routes") });

await app.listen({ host: "127.0.0.1", port: 18103 });
const sockets = new WebSocketServer({ server: app.server, path: "/echo" });
sockets.on("connection", (socket) => socket.on("message", (text) => socket.send(`echo: ${text}`)));

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    const { stop } = await import("./stop.js");
    await stop(app, sockets);
  });
}
