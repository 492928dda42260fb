// What doctor and install learn of a service that ends before it has read their request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { test } from 'node:test';
import { askLive } from '../../src/postfix/live-service';
import { newPath } from '../rig/scratch';

/** More than a socket takes at once, so that the end of the service comes before the end of the request. */
const LONG = 'x'.repeat(8 << 20);

test('a service that is gone before it is asked is asked again, until it says why', async () => {
  const path = newPath('socket');
  let connections = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    if (++connections < 3) socket.destroy();
    else socket.resume().write('# Fatal process out of memory\n', () => socket.end());
  });
  server.listen(path);
  await once(server, 'listening');
  const answer = await askLive(path, LONG);
  server.close();
  assert.ok('problem' in answer);
  assert.equal(answer.problem, 'not an answer of this program: "# Fatal process out of memory"');
  assert.match(answer.hint ?? '', /LimitAS=/);
  assert.equal(connections, 3);
});
