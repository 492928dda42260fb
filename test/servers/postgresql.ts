// A private PostgreSQL of a test's own (Debian's package), on a socket in its own folder. Starts in about 3 s.
import { program } from '../requires';
import { type SqlServer, startSqlServer } from './private-server';

/** The suite says `needs('postgres')`. The administrator is postgres, without a password. */
export function startPostgreSql(): Promise<SqlServer> {
  return startSqlServer({
    name: 'postgresql',
    user: 'postgres',
    install: (data) => [
      program('initdb'),
      `--pgdata=${data}`,
      '--auth=trust',
      '--username=postgres',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    serve: (data, folder) => [
      program('postgres'),
      '-D',
      data,
      '-c',
      'listen_addresses=',
      '-c',
      'fsync=off',
      '-c',
      `unix_socket_directories=${folder}`,
    ],
    client: (folder) => [program('psql'), '-X', '-q', `--host=${folder}`, '--username=postgres'],
    statements: (sql) => ['--csv', '--set=ON_ERROR_STOP=1', '-c', sql],
  });
}
