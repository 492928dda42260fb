// What a policy program in Node cannot do without, as a floor: reading requests and answering, and with the path of a database one query for
// each, on the addon as it is. It decides nothing.
//
//   node bare.js [ADDON DATABASE] [--persistent]
'use strict';
const fs = require('node:fs');

const words = process.argv.slice(2);
const persistent = words.includes('--persistent');
const [addon, database] = words.filter((word) => word !== '--persistent');
const request = Buffer.allocUnsafeSlow(65_536);
let query;

function ask() {
  if (query === undefined) {
    const loaded = { exports: {} };
    process.dlopen(loaded, addon);
    loaded.exports.setErrorConstructor(Error);
    const connection = new loaded.exports.Database(database, database, false, true, true, 2000, null, null);
    query = connection.prepare('select network from access where user = ?', connection, false);
  }
  query.get('nobody');
}

do {
  let have = 0;
  while (have < 2 || request[have - 1] !== 10 || request[have - 2] !== 10) {
    const read = fs.readSync(0, request, have, request.length - have, null);
    if (read === 0) process.exit(have === 0 && persistent ? 0 : 1);
    have += read;
  }
  if (addon !== undefined) ask();
  fs.writeSync(1, 'action=dunno\n\n');
} while (persistent);
process.exit();
