// npm run prepare, which npm ci and npm pack run, too: better-sqlite3 for the Node.js that runs here. package-lock.json pins 12, which
// Node.js 20 needs; newer ones get 13, which is ready-made (src/rules/addon.ts says which pairs crash). Nothing is saved.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('node_modules/better-sqlite3/package.json', 'utf8'));
const wanted = Number(process.versions.napi) < 10 ? 12 : 13;
if (!version.startsWith(`${wanted}.`)) {
  console.log(`Node.js ${process.version} needs better-sqlite3 ${wanted} in place of ${version}: npm installs it`);
  const words = ['install', '--no-save', '--no-audit', '--no-fund', `better-sqlite3@${wanted}`];
  process.exitCode = spawnSync('npm', words, { stdio: 'inherit' }).status ?? 1;
}
