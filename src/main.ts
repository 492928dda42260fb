// allow-nets: without a command word the policy program that Postfix runs, with one the administrator's commands.
//
// Read on for the way of a request: policy/serve, policy/request, policy/decide, rules/live, rules/lookup, policy/reply.
import { keepSocketClean, underPostfix } from './first';
import { readCommandLine, wrongOption } from './policy/options';
import { endOnBugs, guarded, serve } from './policy/serve';

guarded(() => {
  const words = process.argv.slice(2);
  const line = readCommandLine(words, process.env);
  if (line.kind === 'command') {
    const { runCommand, isCommand } = require('./cli/run') as typeof import('./cli/run');
    // A master.cf entry with a slip in its argv= must not have an explanation written into the policy socket.
    if (line.word !== null && underPostfix && !isCommand(line.word)) {
      keepSocketClean();
      throw wrongOption(line.wrong ?? `unknown word ${line.word}`);
    }
    void runCommand(words);
    return;
  }
  endOnBugs();
  serve(line.options);
})();
