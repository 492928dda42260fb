// An addon that was built for another Node.js, as an upgrade of Node.js leaves it. The suite says needs('cc').
import { execFileSync } from 'node:child_process';
import { program } from '../requires';
import { newFile } from './scratch';

/** What dlopen sees of such an addon (node.h, `struct node_module`). */
const SOURCE = `struct { int version; unsigned flags; void *handle; const char *file; void *init, *context; const char *name; void *data, *link; }
    module = { 999, 0, 0, "addon.c", 0, 0, "better_sqlite3", 0, 0 };
  extern void node_module_register(void *);
  __attribute__((constructor)) static void start(void) { node_module_register(&module); }\n`;

/** @returns the path of the addon */
export function addonForAnotherNode(): string {
  const source = newFile(SOURCE, 'addon.c');
  execFileSync(program('cc'), ['-shared', '-fPIC', '-nostdlib', '-o', `${source}.node`, source]);
  return `${source}.node`;
}
