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

/** @returns `count` different ports, each free on 127.0.0.1 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > 1000) throw new Error('found no free loopback ports');
    // Below the range that the kernel gives to outgoing connections, which come and go by themselves.
    const port = 20000 + Math.floor(Math.random() * 10000);
    const isFree = await canListen({ host: '127.0.0.1', port, exclusive: true }, false);
    // An abstract socket (Linux) is the reservation: the kernel removes it with the process.
    if (isFree && (await canListen({ path: `\0allow-nets-test-port-${port}` }, true))) ports.add(port);
  }
  return [...ports];
}

function canListen(options: ListenOptions, keeps: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(false));
    server.listen(options, () => (keeps ? resolve(true) : server.close(() => resolve(true))));
  });
}
