#!/usr/bin/env node
// Entry point of allow-nets. Without a command it is the policy program that Postfix runs; with one it runs the
// administrator's command.
//
// The way of a request, from its bytes to the answer:
//   descriptor       the policy socket
//   policy/options   how to answer (read once)
//   policy/serve     the loop over the requests
//   policy/protocol  parses the request, and writes the reply
//   rules/database   reads the rules in one transaction; rules/addon loads SQLite
//   policy/decide    decides
//   rules/lookup     finds the entries of a user that contain the address
//   rules/meaning    what a row says: for whom, from where and until when
//   rules/network    addresses and networks
// After the reply, policy/log-line and policy/mail-log write it to the mail log.

// Must be imported first, so that no error message can reach the policy socket.
import './descriptor';
import { isUnderPostfix, silenceErrors } from './descriptor';
import { Trouble } from './failure';
import { readCommandLine, wrongOption } from './policy/options';
import { failUncaught, reportingFailures, serve } from './policy/serve';

process.on('uncaughtException', failUncaught);

reportingFailures(() => {
  const words = process.argv.slice(2);
  const line = readCommandLine(words, process.env);
  const node = process.versions.node;
  if (Number.parseInt(node, 10) < 20) {
    const hint = 'install Node.js 20 or newer; then run as root';
    const problem = `Node.js ${node} is too old`;
    throw new Trouble({ kind: 'installation', problem, hint, command: 'allow-nets install' });
  }
  if (line.kind === 'policy') return serve(line.options);
  const { isCommand, runCommand } = require('./commands') as typeof import('./commands');
  // With a typo in argv= of master.cf, nothing must be printed: Postfix could take the error message for an answer.
  if (line.word !== null && isUnderPostfix && !isCommand(line.word)) {
    silenceErrors();
    throw wrongOption(line.wrong ?? `unknown word ${line.word}`);
  }
  void runCommand(words);
})();
