import { once } from "node:events";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

const require = createRequire(import.meta.url);

export default async function (app) {
  app.get("/hash", async () => {
    const worker = new Worker(new URL("../hash-worker.js", import.meta.url), { workerData: "secret" });
    const [hex] = await once(worker, "message");
    return { hex };
  });
  app.get("/database", async () => {
    const pg = require("pg");
    const client = new pg.Client({ host: "127.0.0.1", port: 1 });
    try {
      await client.connect();
      return "up";
    } catch (error) {
      return error.code;
    }
  });
  app.get("/fetch", async () => {
    const { request } = await import("undici");
    const { body } = await request("http://127.0.0.1:18103/files/note.txt");
    return body.text();
  });
  app.get("/cookie", async (request, reply) => reply.setCookie("seen", "yes").send({ was: request.cookies.seen ?? null }));
}
