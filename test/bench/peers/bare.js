// What a policy program in Node cannot do without, as a floor: reading requests and answering, and with the path of a database one query for
// each, by better-sqlite3 as it is. It decides nothing.
//
//   node bare.js [DRIVER DATABASE] [--persistent]
'use strict';
const fs = require('node:fs');

const words = process.argv.slice(2);
const persistent = words.includes('--persistent');
const [driver, database] = words.filter((word) => word !== '--persistent');
const request = Buffer.allocUnsafeSlow(65_536);
let query;

function ask() {
  if (query === undefined) {
    const Database = require(driver);
    const connection = new Database(database, { readonly: true, timeout: 2000 });
    query = connection.prepare('select network from access where user = ?');
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
  if (driver !== undefined) ask();
  fs.writeSync(1, 'action=dunno\n\n');
} while (persistent);
process.exit();
