// A thread that finds the sightings in the blocks of a file that it is asked for (threads).
import { parentPort, workerData } from 'node:worker_threads';
import { BlockReader } from './block';
import { DeliveryReader } from './delivery-reader';
import { Numbered } from './numbered';
import type { Scanned, Work } from './threads';

const { descriptor, dovecot, latest } = workerData as Work;
const deliveries = new DeliveryReader(dovecot, latest);
const blocks = new BlockReader(descriptor, deliveries);

parentPort?.on('message', ({ block, buffer }: { block: number; buffer: SharedArrayBuffer }) => {
  const read = blocks.read(block, new Numbered(buffer));
  const scanned: Scanned = { ...read, buffer, leftOut: deliveries.leftOut.take() };
  parentPort?.postMessage(scanned);
});
