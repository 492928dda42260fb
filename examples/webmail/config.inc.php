<?php
// Roundcube's config.inc.php, the lines that matter here.

// TLS from the first byte, on the service submissions. For submission: tls://mail.example.com:587.
$config['smtp_host'] = 'ssl://mail.example.com:465';

// Log in with the user's own name and password.
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';

// Name the user's client to Postfix, and never the user: that would log in without a password.
$config['smtp_xclient_addr'] = true;
$config['smtp_xclient_login'] = false;

// Behind a reverse proxy, its address; otherwise the proxy is taken for everybody's client.
// $config['proxy_whitelist'] = ['192.0.2.90'];
