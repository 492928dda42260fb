// Requests as smtpd(8) of Postfix 3.7 sends them, all 31 attributes, and the replies that they must get.
import { newFile } from '../rig/scratch';

export interface Ask {
  user: string;
  address: string;
  allowed: boolean;
}

/** The whole request, with the empty line; `serial` makes recipient, queue ID and instance differ. */
export function request({ user, address }: Ask, serial = 0): string {
  return `${[
    'request=smtpd_access_policy',
    'protocol_state=RCPT',
    'protocol_name=ESMTP',
    `client_address=${address}`,
    'client_name=client.example.net',
    `client_port=${20_000 + (serial % 40_000)}`,
    'reverse_client_name=client.example.net',
    'server_address=192.0.2.25',
    'server_port=587',
    'helo_name=[192.168.1.17]',
    'sender=somebody@example.com',
    `recipient=recipient${serial}@example.org`,
    'recipient_count=0',
    'queue_id=',
    `instance=3f2a.${serial.toString(16)}.65a1b2c3.0`,
    'size=12345',
    'etrn_domain=',
    'stress=',
    'sasl_method=PLAIN',
    `sasl_username=${user}`,
    'sasl_sender=',
    'ccert_subject=',
    'ccert_issuer=',
    'ccert_fingerprint=',
    'ccert_pubkey_fingerprint=',
    'encryption_protocol=TLSv1.3',
    'encryption_cipher=TLS_AES_256_GCM_SHA384',
    'encryption_keysize=256',
    'policy_context=',
    'compatibility_level=3.6',
    'mail_version=3.7.11',
  ].join('\n')}\n\n`;
}

/** The reply with the default --reject-text. */
export function reply({ user, address, allowed }: Ask): string {
  return allowed ? 'action=dunno\n\n' : `action=reject 5.7.1 ${user} may not send mail from ${address}\n\n`;
}

/** Files of the requests and of their replies. */
export function conversation(asks: Ask[]): { requests: string; replies: string } {
  return {
    requests: newFile(asks.map((ask, serial) => request(ask, serial)).join(''), 'requests'),
    replies: newFile(asks.map(reply).join(''), 'replies'),
  };
}
