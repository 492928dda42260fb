// A build of the program, for tests alone, in which any function of ours and the loading of any module can be made to throw. Every function
// begins with a call of `__fault`, every module too; the environment says which one throws.
//
//   FAULT=NAME      throws when NAME is reached for the first time; NAME:2 for the second; NAME:* each time
//   FAULT_LIST=FILE appends each name to the file when it is reached; `!` and the name when it throws
//
// A name is `FILE: FUNCTION`, or `FILE: load`.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, type Plugin, transform } from 'esbuild';

/** What is thrown: its message would be an answer if it reached the policy socket as it is. */
export const MESSAGE = 'made to fail\naction=ok\n\n';

const RUNTIME = `
{
  const fs = require('node:fs');
  const [, wanted, time] = /^(.*?)(?::(\\d+|[*]))?$/.exec(process.env.FAULT || '');
  const list = process.env.FAULT_LIST;
  let reached = 0;
  globalThis.__fault = (name) => {
    if (list) fs.appendFileSync(list, name + '\\n');
    if (name !== wanted || (time !== '*' && ++reached !== Number(time || 1))) return;
    if (list) fs.appendFileSync(list, '!' + name + '\\n');
    throw new Error(${JSON.stringify(MESSAGE)});
  };
}`;

/** Where the body of a function, a method or a constructor begins, in code that esbuild has printed: one line each. */
const FUNCTION =
  /^(?<indent> *)(?:(?:export )?(?:async )?function\*? (?<name>\w+)|(?:async |\*|static )*(?<method>\w+))\((?<parameters>.*)\) \{$/gm;

const NO_METHODS = /^(if|for|while|switch|catch|with|function)$/;

function withFaults(file: string, code: string): string {
  const functions = code.replace(FUNCTION, (line: string, ...rest: unknown[]) => {
    const { name, method } = rest.at(-1) as { name?: string; method?: string };
    // Nothing may come before super() that uses \`this\`; a call of __fault does not.
    if (method !== undefined && NO_METHODS.test(method)) return line;
    return `${line} __fault(${JSON.stringify(`${file}: ${name ?? method}`)});`;
  });
  return `__fault(${JSON.stringify(`${file}: load`)});\n${functions}`;
}

const faults: Plugin = {
  name: 'faults',
  setup(builder) {
    // The commands are no part of the policy program.
    builder.onResolve({ filter: /^\.\/admin\/cli$/ }, ({ path }) => ({ path, external: true }));
    builder.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path: file }) => {
      const { code } = await transform(fs.readFileSync(file, 'utf8'), { loader: 'ts', target: 'node20' });
      return { contents: withFaults(path.relative('src', file), code), loader: 'js' };
    });
  },
};

/** Writes the program, with the addon beside it, into an empty folder. @returns its file */
export async function buildWithFaults(folder: string): Promise<string> {
  const file = path.join(folder, 'bin/allow-nets.js');
  await build({
    entryPoints: ['src/main.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['bindings'],
    define: { __VERSION__: '"test"', 'import.meta.url': '""' },
    banner: { js: RUNTIME },
    plugins: [faults],
    logLevel: 'warning',
  });
  const addon = 'node_modules/better-sqlite3/build/Release';
  fs.mkdirSync(path.join(folder, addon), { recursive: true });
  fs.copyFileSync(`${addon}/better_sqlite3.node`, path.join(folder, addon, 'better_sqlite3.node'));
  return file;
}
