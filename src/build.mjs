// npm run build: bin/allow-nets.js, one file, and man/allow-nets.8. What only some runs need (the commands with yargs; ip-cidr) is bundled
// first and put into the program as a constant, see part.ts. better-sqlite3 stays outside: its addon belongs to the machine.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

async function bundle(entryPoint, plugins = []) {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    external: ['better-sqlite3'],
    // yargs asks for the URL of its own file, to find translations beside it: there are none.
    define: { __VERSION__: JSON.stringify(version), 'import.meta.url': '"file:///allow-nets"' },
    plugins,
  });
  return outputFiles[0].text;
}

/** Turns `require` of a part into its loading. */
const PARTS = { './commands': 'src/commands.ts', 'ip-cidr': 'ip-cidr' };
const parts = {
  name: 'parts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'require-call' && path in PARTS ? { path, namespace: 'part' } : null,
    );
    onLoad({ filter: /./, namespace: 'part' }, async ({ path }) => {
      const packed = brotliCompressSync(await bundle(PARTS[path])).toString('base64');
      const loaded = `require(${JSON.stringify(resolve('src/part.ts'))}).loadPart('${path}', '${packed}')`;
      return { contents: `module.exports = ${loaded};`, resolveDir: '.' };
    });
  },
};

writeFileSync('bin/allow-nets.js', await bundle('src/main.ts', [parts]));
chmodSync('bin/allow-nets.js', 0o755);

const manual = { exports: {} };
const page = new Function('module', 'exports', 'require', '__filename', await bundle('src/manual/page.ts'));
page(manual, manual.exports, createRequire(import.meta.url), import.meta.filename);
mkdirSync('man', { recursive: true });
writeFileSync('man/allow-nets.8', manual.exports.manualPage(version));
