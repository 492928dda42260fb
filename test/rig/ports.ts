// Loopback ports that nobody listens on. Another program may take one between this answer and its use: whoever starts a
// server on it must be ready to try again.
//
// A port belongs to the test process that chose it until that process ends. Postfix listens with SO_REUSEPORT: if another
// suite chose the port while a Postfix is stopped, both would answer on it in turn.
import { createServer, type ListenOptions } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Whether this machine has ::1. */
export const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

const loopbackAddresses = hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];

/** @returns `count` different ports, each free on every loopback address */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > 1000) throw new Error('found no free loopback ports');
    // Below the range that the kernel gives to outgoing connections, which come and go by themselves.
    const port = 20000 + Math.floor(Math.random() * 10000);
    const free = await Promise.all(loopbackAddresses.map((host) => canListen({ host, port, exclusive: true })));
    if (free.every(Boolean) && (await reserve(port))) ports.add(port);
  }
  return [...ports];
}

function canListen(options: ListenOptions, keeps = false): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(options, () => {
      if (keeps) resolve(true);
      else server.close(() => resolve(true));
      server.unref();
    });
  });
}

/** An abstract socket (Linux) is the reservation: the kernel removes it with the process. */
async function reserve(port: number): Promise<boolean> {
  return process.platform !== 'linux' || (await canListen({ path: `\0allow-nets-test-port-${port}` }, true));
}
