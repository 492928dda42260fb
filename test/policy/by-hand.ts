// The shipped program as a person runs it: a pipe on standard input, files for the rest. Not node:child_process's own pipes,
// which are sockets.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makePlace, PROGRAM, type Surroundings } from './program';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly log: readonly string[];
}

export async function runByHand(
  words: readonly string[],
  input: string,
  surroundings: Surroundings = {},
): Promise<Output> {
  const place = makePlace(surroundings);
  const command = surroundings.command ?? [process.execPath, PROGRAM];
  const [stdout, stderr] = ['stdout', 'stderr'].map((name) => path.join(place.folder, name));
  const files = [stdout, stderr].map((name) => fs.openSync(name ?? '', 'w+'));
  const child = spawn('sh', ['-c', 'cat | "$@"', 'sh', ...command, ...words], {
    stdio: ['pipe', ...files],
    env: place.env,
    cwd: '/',
    ...(surroundings.uid === undefined ? {} : { uid: surroundings.uid, gid: surroundings.uid }),
  });
  child.stdin?.on('error', () => {}); // it need not read all
  child.stdin?.end(Buffer.from(input, 'latin1'));
  const status = await new Promise<number | null>((done) => child.once('close', done));
  for (const descriptor of files) fs.closeSync(descriptor);
  return {
    stdout: fs.readFileSync(stdout ?? '', 'latin1'),
    stderr: fs.readFileSync(stderr ?? '', 'latin1'),
    status,
    log: place.log(),
  };
}
