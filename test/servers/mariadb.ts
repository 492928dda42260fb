// A private MariaDB of a test's own (Debian's package), on a socket in its own folder. Starts in about 6 s.
import { join } from 'node:path';
import { program } from '../requires';
import { type SqlServer, startSqlServer } from './private-server';

/** The suite says `needs('mariadbd')`. The administrator is root, without a password. */
export function startMariaDb(): Promise<SqlServer> {
  const small = ['--innodb-log-file-size=8M', '--innodb-buffer-pool-size=16M'];
  return startSqlServer({
    name: 'mariadb',
    user: 'mysql',
    install: (data) => [
      program('mariadb-install-db'),
      '--no-defaults',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      `--datadir=${data}`,
      ...small,
    ],
    serve: (data, folder) => [
      program('mariadbd'),
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(folder, 'mariadb.sock')}`,
      `--pid-file=${join(folder, 'mariadb.pid')}`,
      '--skip-networking',
      '--character-set-server=utf8mb4',
      ...small,
    ],
    client: (folder) => [
      program('mariadb'),
      '--no-defaults',
      '--default-character-set=utf8mb4',
      `--socket=${join(folder, 'mariadb.sock')}`,
      '--user=root',
    ],
    statements: (sql) => ['--batch', '-e', sql],
  });
}
