// Loopback ports that nobody listens on. Another suite may take one between this answer and its use: whoever starts a
// server on it must be ready to try again.
import { createServer } from 'node:net';
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
    const free = await Promise.all(loopbackAddresses.map((host) => canListen(host, port)));
    if (free.every(Boolean)) ports.add(port);
  }
  return [...ports];
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
