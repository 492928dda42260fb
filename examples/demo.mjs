// npm run demo: the sample requests through the real program, on a scratch database made from the example rows.
// Prints each request's telling attributes, the answer, and why.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const program = join(here, '../bin/allow-nets.js');
const folder = mkdtempSync(join(tmpdir(), 'allow-nets-demo-'));
const env = { ...process.env, ALLOW_NETS_DB: join(folder, 'access.db'), NO_COLOR: '1' };

function run(words, input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    env,
    input,
    encoding: 'utf8',
  });
  if (status === null || (status !== 0 && words[0] !== 'check'))
    throw new Error(`allow-nets ${words.join(' ')}: ${stderr}`);
  return stdout.trimEnd();
}

const attribute = (request, name) => new RegExp(`^${name}=(.*)$`, 'm').exec(request)?.[1] ?? '';

try {
  run(['init']);
  for (const line of readFileSync(join(here, 'seed.csv'), 'utf8').trim().split('\n').slice(1)) {
    const [user, network] = line.split(',');
    console.log(`# allow-nets add ${user} ${network}`);
    console.log(run(['add', user, network]));
  }
  for (const name of ['allowed', 'refused', 'no-user', 'ipv6']) {
    const request = readFileSync(join(here, `requests/${name}.txt`), 'utf8');
    const [user, address] = [attribute(request, 'sasl_username'), attribute(request, 'client_address')];
    console.log(`\n# allow-nets < examples/requests/${name}.txt`);
    console.log(`sasl_username=${user}\nclient_address=${address}`);
    console.log(`--> ${run(['--log', 'none'], request)}`);
    const why = user === '' ? 'no SASL user name: the restrictions that follow decide' : run(['check', user, address]);
    console.log(why.replace(/, added by .*$/gm, '').replace(/^ */gm, '    '));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
