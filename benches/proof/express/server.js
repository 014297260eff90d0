// A service as people write them: some of it runs at once, some when it is asked for.
const express = require("express");
const bcrypt = require("bcrypt");

const app = express();
app.get("/", (request, response) => response.json({ up: true }));
app.get("/hash", async (request, response) => response.send(await bcrypt.hash("secret", 4)));
app.get("/picture", async (request, response) => {
  const sharp = require("sharp");
  const red = { width: 64, height: 64, channels: 3, background: { r: 255, g: 0, b: 0 } };
  const bytes = await sharp({ create: red }).resize(16).webp().toBuffer();
  response.type("webp").send(bytes);
});
app.get("/page", (request, response) => {
  response.send(require("ejs").render("<p><%= 1 + 1 %></p>"));
});
app.use(express.urlencoded({ extended: true }));
app.post("/form", (request, response) => response.json(request.body));

const server = app.listen(18085, "127.0.0.1");
process.on("SIGTERM", () => server.close(() => process.exit(0)));
