// allow-nets: without a command word the policy program that Postfix runs, with one the administrator's commands.
//
// The way of a request: policy/serve, policy/request, rules/store, policy/decide, rules/lookup, policy/reply.

// First, so that whatever fails from here on cannot reach the policy socket.
import './policy/socket';
import { Trouble } from './failure';
import { readCommandLine, wrongOption } from './policy/options';
import { failUncaught, guarded, serve } from './policy/serve';
import { silenceErrors, underPostfix } from './policy/socket';

process.on('uncaughtException', failUncaught);

guarded(() => {
  const words = process.argv.slice(2);
  const line = readCommandLine(words, process.env);
  const node = process.versions.node;
  if (Number.parseInt(node, 10) < 20) {
    const [problem, hint] = [`Node.js ${node} is too old`, 'install Node.js 20 or newer; then run as root'];
    throw new Trouble({ kind: 'installation', problem, hint, command: 'allow-nets install' });
  }
  if (line.kind === 'policy') return serve(line.options);
  const { isCommand, runCommand } = require('./commands') as typeof import('./commands');
  // A master.cf entry with a slip in its argv= must not have an explanation written into the policy socket.
  if (line.word !== null && underPostfix && !isCommand(line.word)) {
    silenceErrors();
    throw wrongOption(line.wrong ?? `unknown word ${line.word}`);
  }
  void runCommand(words);
})();
