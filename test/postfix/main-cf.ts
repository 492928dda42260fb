// The text of main.cf for a private Postfix.
import { hasIPv6 } from './free-ports';
import type { Places } from './instance-files';

const loopback = '127.0.0.0/8 [::1]/128';

/** @param parameters the test's own, which win over those here */
export function mainCf(
  places: Places,
  certificate: { key: string; cert: string },
  xclient: boolean,
  parameters: Readonly<Record<string, string>>,
): string {
  const all: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: places.queueDir,
    data_directory: places.dataDir,
    maillog_file: places.logFile,
    maillog_file_prefixes: places.logDir,
    myhostname: 'private.test',
    mydestination: '',
    mynetworks: loopback,
    alias_maps: '',
    inet_interfaces: hasIPv6 ? '127.0.0.1, ::1' : '127.0.0.1',
    inet_protocols: hasIPv6 ? 'all' : 'ipv4',
    // No mail leaves, and no question goes to a name server.
    default_transport: 'discard',
    relay_transport: 'discard',
    disable_dns_lookups: 'yes',
    smtpd_peername_lookup: 'no',
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: 'private/auth',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: certificate.cert,
    smtpd_tls_key_file: certificate.key,
    // Everyone, as Postfix asks again after an XCLIENT, with the address that this one has set; only loopback gets here.
    smtpd_authorized_xclient_hosts: xclient ? 'static:all' : '',
    // A test asks for many refusals in a session; the delays and the hang-up against that are not what is tested.
    smtpd_error_sleep_time: '0',
    smtpd_soft_error_limit: '10000',
    smtpd_hard_error_limit: '10000',
    smtpd_client_connection_count_limit: '0',
    ...parameters,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}
