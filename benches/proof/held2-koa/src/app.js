const path = require("path");
const Koa = require("koa");
const Router = require("@koa/router");
const views = require("koa-views");
const log = require("./log");

const app = new Koa();
app.use(require("koa-static")(path.join(__dirname, "..", "public")));
app.use(require("koa-bodyparser")());
app.use(views(path.resolve(__dirname, "../views"), { extension: "pug" }));

const router = new Router();
router.get("/", (context) => { context.body = { up: true }; });
router.get("/page", (context) => context.render("page", { title: "here" }));
router.post("/echo", (context) => { context.body = context.request.body; });
for (const name of ["time", "words"]) {
  router.get(`/${name}`, (context) => { context.body = require(`./handlers/${name}`)(); });
}
app.use(router.routes()).use(router.allowedMethods());
app.on("error", (error) => log.error(error.message));

module.exports = { app, log };
