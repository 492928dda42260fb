// allow-nets: without a command word the policy program that Postfix runs, with one the administrator's commands.
//
// The way of a request: policy/serve, policy/request, rules/store, policy/decide, rules/lookup, policy/reply.

import { Trouble } from './failure';
import { readCommandLine, wrongOption } from './policy/options';
import { failUncaught, guarded, serve } from './policy/serve';
import { silenceErrors, underPostfix } from './policy/socket';

guarded(() => {
  const words = process.argv.slice(2);
  const line = readCommandLine(words, process.env);
  const isPolicy = line.kind === 'policy';
  if (isPolicy || underPostfix) process.on('uncaughtException', failUncaught);
  const node = process.versions.node;
  if (Number.parseInt(node, 10) < 20) throw new Trouble({ kind: 'node-too-old', node });
  if (isPolicy) return serve(line.options);
  const { isCommand, runCommand } = require('./commands') as typeof import('./commands');
  // A master.cf entry with a slip in its argv= must not have an explanation written into the policy socket.
  if (line.word !== null && underPostfix && !isCommand(line.word)) {
    silenceErrors();
    throw wrongOption(line.wrong ?? `unknown word ${line.word}`);
  }
  void runCommand(words);
})();
