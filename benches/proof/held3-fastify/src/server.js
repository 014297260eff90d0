const path = require('node:path');
const fastify = require('fastify')({ logger: { transport: { target: 'pino-pretty', options: { colorize: false } } } });
fastify.register(require('@fastify/swagger'));
fastify.register(require('@fastify/static'), { root: path.join(__dirname, '..', 'public'), prefix: '/public/' });
fastify.register(require('@fastify/view'), { engine: { handlebars: require('handlebars') }, root: path.join(__dirname, '..', 'views') });
fastify.get('/', async () => ({ ok: true }));
fastify.get('/page', (request, reply) => reply.view('page.hbs', { word: 'x' }));
fastify.post('/check', { schema: { body: { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } } } }, async (request) => {
  const { z } = await import('zod');
  return z.object({ a: z.number() }).parse(request.body);
});
fastify.get('/when', async () => {
  const dayjs = require('dayjs');
  require('dayjs/locale/de');
  dayjs.extend(require('dayjs/plugin/relativeTime'));
  return dayjs('2020-01-01').locale('de').fromNow();
});
fastify.get('/docs', async () => fastify.swagger());
fastify.listen({ host: '127.0.0.1', port: 18208 });
