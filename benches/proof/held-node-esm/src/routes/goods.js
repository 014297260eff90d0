import { all, add } from "#store";

const body = {
  type: "object",
  required: ["name"],
  properties: { name: { type: "string", maxLength: 20 }, cents: { type: "integer", default: 100 } },
};

export default async function (app) {
  app.get("/goods", async () => all());
  app.post("/goods", { schema: { body } }, async (request, reply) => {
    add(request.body.name, request.body.cents);
    return reply.code(201).send({ added: true });
  });
  app.get("/goods/page", async (request, reply) => {
    const { format } = await import("date-fns");
    return reply.view("goods.hbs", { goods: all(), today: format(new Date(0), "yyyy") });
  });
  app.get("/goods/csv", async (request, reply) => {
    const { stringify } = await import("csv-stringify/sync");
    return reply.type("text/csv").send(stringify(all()));
  });
}
