// npm run build: bin/allow-nets.js, one file. The policy program stands in it as code; what only some runs need (the commands with
// yargs, ip-cidr) follows as compressed sections in comment lines, see section.ts. And man/allow-nets.8, from the descriptions of the commands.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** What is imported (with require, lazily) by the other parts or run as a thread, and the entry point that its section is made from. */
const SECTIONS = {
  'ip-cidr': 'ip-cidr',
  './cli/run': 'src/cli/run.ts',
  'maillog/scan-worker': 'src/maillog/scan-worker.ts',
  cliui: 'cliui',
  'string-width': 'string-width',
};

/** What yargs needs for help texts only: functions, whose sections are loaded with the first call. */
const CALLED = ['cliui', 'string-width'];

/** Turns the import of a section into its loading, but for the section's own entry point. */
function sections(entryPoint) {
  return {
    name: 'sections',
    setup(builder) {
      builder.onResolve({ filter: /^(ip-cidr|\.\/cli\/run)$/ }, ({ path, kind }) =>
        kind === 'entry-point' ? null : { path, namespace: 'section' },
      );
      builder.onResolve({ filter: new RegExp(`^(${CALLED.join('|')})$`) }, ({ path }) =>
        CALLED.includes(entryPoint) ? null : { path, namespace: 'called' },
      );
      const onLoad = (namespace, contents) =>
        builder.onLoad({ filter: /./, namespace }, ({ path }) => ({
          contents: contents(`require('./src/section.ts').loadSection('${path}')`),
          resolveDir: '.',
        }));
      onLoad('section', (loaded) => `module.exports = ${loaded};`);
      onLoad(
        'called',
        (loaded) => `let called; export default (...a) => (called ??= ${loaded}.default)(...a);`,
      );
    },
  };
}

/** The policy program only asks: see src/rules/asking-only.ts. */
const onlyAsking = {
  name: 'only-asking',
  setup(builder) {
    builder.onResolve({ filter: /^better-sqlite3$/ }, () => ({ path: resolve('src/rules/asking-only.ts') }));
  },
};

async function bundle(entryPoint, minify, plugins = []) {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    charset: 'ascii',
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: minify,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [sections(entryPoint), ...plugins],
    // better-sqlite3 gets its addon handed to it and never looks for it.
    external: ['bindings'],
    define: { __VERSION__: JSON.stringify(version), 'import.meta.url': '__importMetaUrl' },
    banner: minify ? { js: 'const __importMetaUrl=require("node:url").pathToFileURL(__filename).href;' } : {},
  });
  // `import * as fs` of a module of Node as it is: esbuild would copy its hundred names, which costs 2 ms of a start.
  return outputFiles[0].text.replace(/\b__toESM\((require\("node:[a-z_/]+"\))\)/g, '$1');
}

/** Each module of Node asked for once. */
function sharing(code) {
  const shared = 'const __fs=require("node:fs"),__path=require("node:path");';
  return shared + code.replaceAll('require("node:fs")', '__fs').replaceAll('require("node:path")', '__path');
}

const parts = [`#!/usr/bin/env node\n${sharing(await bundle('src/main.ts', false, [onlyAsking]))}`];
for (const [name, entryPoint] of Object.entries(SECTIONS)) {
  const code = await bundle(entryPoint, true);
  parts.push(`//@section ${name} ${brotliCompressSync(code).toString('base64')}\n`);
}
mkdirSync('bin', { recursive: true });
writeFileSync('bin/allow-nets.js', parts.join(''));
chmodSync('bin/allow-nets.js', 0o755);

const manual = { exports: {} };
new Function('module', 'exports', 'require', await bundle('src/manual/page.ts', false))(
  manual,
  manual.exports,
  createRequire(import.meta.url),
);
mkdirSync('man', { recursive: true });
writeFileSync('man/allow-nets.8', manual.exports.manualPage(version));
