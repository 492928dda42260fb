// A thread that finds the sightings in the blocks of a file that it is told (threads).
import { parentPort, workerData } from 'node:worker_threads';
import { BlockReader } from './block';
import { DeliveryReader } from './delivery-reader';
import { Packed } from './packed';
import type { Scanned, Work } from './threads';

const { descriptor, dovecot, latest } = workerData as Work;
const deliveries = new DeliveryReader(dovecot, latest);
const blocks = new BlockReader(descriptor, deliveries);

parentPort?.on('message', ({ block, buffer }: { block: number; buffer: ArrayBuffer }) => {
  const packed = new Packed(buffer);
  const read = blocks.read(block, packed);
  const scanned: Scanned = { ...read, buffer, used: packed.used, leftOut: deliveries.takeLeftOut() };
  parentPort?.postMessage(scanned, [buffer]);
});
