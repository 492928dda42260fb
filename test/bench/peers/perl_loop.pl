# The least that a policy server in Perl does, as greylist.pl in Postfix's own examples: reads the attributes, decides nothing, answers.
use strict;
$| = 1;
my %attributes;
while (<STDIN>) {
  chomp;
  if (/^([^=]+)=(.*)/) { $attributes{$1} = $2; next }
  print "action=dunno\n\n";
  %attributes = ();
}
