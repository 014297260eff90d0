export default async function (app) {
  app.get("/", async () => ({ up: true }));
  app.get("/broken", async () => {
    throw new Error("on purpose");
  });
}
