// Threads that read the blocks of one file, and hand them on in the order of the file: what is found does not depend on which was faster.
import { Worker } from 'node:worker_threads';
import { sectionCode } from '../section';
import type { ReadBlock } from './block';
import type { LeftOut } from './delivery-reader';
import { LARGEST } from './lines';

/** What a thread is for. */
export interface Work {
  readonly descriptor: number;
  /** As for DeliveryReader. */
  readonly dovecot: boolean;
  readonly latest: number;
}

/** What a thread found in a block. */
export interface Scanned extends ReadBlock {
  /** Packed, `used` words of it. */
  readonly buffer: ArrayBuffer;
  readonly used: number;
  readonly leftOut: LeftOut;
}

/** More would wait for the thread that adds up. */
const THREADS = 2;
/** Blocks that a thread is told before it is asked for the first of them. */
const AHEAD = 2;

/** All blocks in order; fewer when a thread cannot be had or breaks. */
export async function* scanned(work: Work, blocks: number): AsyncIterable<Scanned> {
  const threads = startThreads(work);
  const asked: Promise<Scanned>[] = [];
  let next = 0;
  const ask = (buffer: ArrayBuffer) => {
    const thread = threads[next % threads.length];
    if (thread === undefined || next === blocks) return;
    asked.push(thread.ask(next++, buffer));
  };
  try {
    for (let i = 0; i < threads.length * AHEAD; i++) ask(new ArrayBuffer(LARGEST));
    for (let one = asked.shift(); one !== undefined; one = asked.shift()) {
      const found = await one;
      yield found;
      ask(found.buffer);
    }
  } catch (error) {
    // What no thread did is still to be done: by the one that asked.
    if (!(error instanceof ThreadBroken)) throw error;
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

function startThreads(work: Work): Thread[] {
  const code = sectionCode('maillog/scan-worker');
  if (code === null) return [];
  try {
    return Array.from({ length: THREADS }, () => new Thread(code, work));
  } catch {
    return [];
  }
}

class ThreadBroken extends Error {}

class Thread {
  private readonly worker: Worker;
  private readonly waiting: { resolve(found: Scanned): void; reject(error: Error): void }[] = [];
  private isBroken = false;

  constructor(code: string, work: Work) {
    this.worker = new Worker(code, { eval: true, workerData: work });
    this.worker.on('message', (found: Scanned) => this.waiting.shift()?.resolve(found));
    this.worker.on('error', () => this.break());
    this.worker.on('exit', () => this.break());
  }

  ask(block: number, buffer: ArrayBuffer): Promise<Scanned> {
    const found = new Promise<Scanned>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
    // It may be refused before anybody waits for it.
    found.catch(() => {});
    if (this.isBroken) this.break();
    else this.worker.postMessage({ block, buffer }, [buffer]);
    return found;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private break(): void {
    this.isBroken = true;
    for (const { reject } of this.waiting.splice(0)) reject(new ThreadBroken());
  }
}
