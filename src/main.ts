// allow-nets: without a command word the policy program that Postfix runs, with one the administrator's commands.
//
// Read on for the way of a request: policy/serve, policy/request, policy/decide, rules/live, rules/lookup, policy/reply.
import * as fs from 'node:fs';
import { readCommandLine, wrongOption } from './policy/options';
import { guarded, isSocket, keepSocketClean, serve } from './policy/serve';

guarded(() => {
  const words = process.argv.slice(2);
  const line = readCommandLine(words, process.env);
  if (line.kind === 'command') {
    const { runCommand, isCommand } = require('./admin/cli') as typeof import('./admin/cli');
    // A master.cf entry with a slip in its argv= must not have an explanation written into the policy socket.
    if (line.word !== null && isPolicySocket() && !isCommand(line.word))
      throw wrongOption(line.wrong ?? `unknown word ${line.word}`);
    void runCommand(words);
    return;
  }
  keepSocketClean();
  serve(line.options);
})();

/** Postfix gives the program one socket as all three descriptors. Other programs may give it three, to read what it says. */
function isPolicySocket(): boolean {
  if (!isSocket(0) || !isSocket(2)) return false;
  return fs.fstatSync(0).ino === fs.fstatSync(2).ino;
}
