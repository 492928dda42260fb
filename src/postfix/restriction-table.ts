// The restrictions that access(5) and postconf(5) list, with the old names that smtpd(8) still accepts: the effect on a
// check that follows, and whether it takes an argument. Any other word is a restriction class or belongs to a newer
// Postfix, so it may permit.

/** `permits`: every authenticated client. `ends`: refuses every client. `may permit`: some clients. `goes on`: none. */
export type Effect = 'permits' | 'ends' | 'may permit' | 'goes on';

const WORDS: readonly (readonly [Effect, boolean, string])[] = [
  ['permits', false, 'permit permit_sasl_authenticated'],
  ['ends', false, 'reject defer'],
  [
    'may permit',
    false,
    `permit_auth_destination permit_inet_interfaces permit_mx_backup permit_mynetworks permit_naked_ip_address
     permit_tls_all_clientcerts permit_tls_clientcerts check_relay_domains`,
  ],
  [
    'may permit',
    true,
    `check_policy_service check_ccert_access check_client_access check_client_a_access check_client_mx_access
     check_client_ns_access check_etrn_access check_helo_access check_helo_a_access check_helo_mx_access check_helo_ns_access
     check_recipient_access check_recipient_a_access check_recipient_mx_access check_recipient_ns_access
     check_reverse_client_hostname_access check_reverse_client_hostname_a_access check_reverse_client_hostname_mx_access
     check_reverse_client_hostname_ns_access check_sasl_access check_sender_access check_sender_a_access
     check_sender_mx_access check_sender_ns_access permit_dnswl_client permit_rhswl_client`,
  ],
  [
    'goes on',
    false,
    `check_recipient_maps defer_if_permit defer_if_reject defer_unauth_destination reject_authenticated_sender_login_mismatch
     reject_invalid_helo_hostname reject_invalid_hostname reject_known_sender_login_mismatch reject_maps_rbl
     reject_multi_recipient_bounce reject_non_fqdn_helo_hostname reject_non_fqdn_hostname reject_non_fqdn_recipient
     reject_non_fqdn_sender reject_plaintext_session reject_sender_login_mismatch reject_unauth_destination
     reject_unauth_pipelining reject_unauthenticated_sender_login_mismatch reject_unknown_address reject_unknown_client
     reject_unknown_client_hostname reject_unknown_forward_client_hostname reject_unknown_helo_hostname
     reject_unknown_hostname reject_unknown_recipient_domain reject_unknown_reverse_client_hostname
     reject_unknown_sender_domain reject_unlisted_recipient reject_unlisted_sender reject_unverified_recipient
     reject_unverified_sender`,
  ],
  [
    'goes on',
    true,
    `reject_rbl reject_rbl_client reject_rhsbl_client reject_rhsbl_helo reject_rhsbl_recipient
     reject_rhsbl_reverse_client reject_rhsbl_sender sleep`,
  ],
];

export const RESTRICTIONS: ReadonlyMap<string, { readonly effect: Effect; readonly argument: boolean }> = new Map(
  WORDS.flatMap(([effect, argument, words]) => words.split(/\s+/).map((word) => [word, { effect, argument }] as const)),
);
