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
// rules/schema describes the database, and failure what can go wrong and what to do about it. After the reply,
// policy/log-line and policy/mail-log write the decision to the mail log.

// Must be imported first, so that no error message can reach the policy socket.
import './descriptor';
import { isUnderPostfix, silenceErrors } from './descriptor';
import { Trouble } from './failure';
import { readCommandLine, wrongOption } from './policy/options';
import { failUncaught, reportingFailures, serve } from './policy/serve';

process.on('uncaughtException', failUncaught);

reportingFailures(() => {
  const words = process.argv.slice(2);
  const commandLine = readCommandLine(words, process.env);
  const node = process.versions.node;
  if (Number.parseInt(node, 10) < 20) {
    const hint = 'install Node.js 20 or newer; then run as root';
    const problem = `Node.js ${node} is too old`;
    throw new Trouble({ kind: 'installation', problem, hint, command: 'allow-nets install' });
  }
  if (commandLine.kind === 'policy') return serve(commandLine.options);
  const { isCommand, runCommand } = require('./commands') as typeof import('./commands');
  const { word, optionError } = commandLine;
  // With a typo in argv= of master.cf, nothing must be printed: Postfix could take the error message for an answer.
  if (word !== null && isUnderPostfix && !isCommand(word)) {
    silenceErrors();
    throw wrongOption(optionError ?? `unknown word ${word}`);
  }
  void runCommand(words);
})();
