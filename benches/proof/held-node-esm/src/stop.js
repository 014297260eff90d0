export async function stop(app, sockets) {
  app.log.info("ending");
  sockets.close();
  await app.close();
  setTimeout(() => process.exit(0), 300);
}
