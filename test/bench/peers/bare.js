// What a policy program in Node cannot do without, as a floor: it reads a request, asks the database one query by better-sqlite3 as it is,
// and answers. It decides nothing.
//
//   node bare.js DRIVER DATABASE
'use strict';
const fs = require('node:fs');

const [driver, database] = process.argv.slice(2);
const request = Buffer.allocUnsafeSlow(65_536);
let have = 0;
while (request.toString('latin1', Math.max(0, have - 2), have) !== '\n\n') {
  const read = fs.readSync(0, request, have, request.length - have, null);
  if (read === 0) process.exit(1);
  have += read;
}
const connection = new (require(driver))(database, { readonly: true, timeout: 2000 });
connection.prepare('select network from access where user = ?').get('nobody');
fs.writeSync(1, 'action=dunno\n\n');
process.exit();
