#!/usr/bin/perl
# The helper that we compare with: what a careful administrator writes today.
# One connection that stays, one prepared statement, one SHA-256.
#
#	extauth_dbi.pl DSN_FILE	(three lines: dsn, user, password)

use strict;
use warnings;

use DBI;
use Digest::SHA qw(sha256_hex);

open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!\n";
chomp(my ($dsn, $user, $secret) = <$file>);
close($file);

my $dbh = DBI->connect($dsn, $user, $secret,
    { RaiseError => 1, AutoCommit => 1, PrintError => 0 });
my $query = $dbh->prepare('SELECT ha1_sha_256 FROM onecred.credential'
    . ' WHERE domain = ? AND localpart = ? AND enabled',
    { pg_server_prepare => 1, pg_switch_prepared => 1 });

binmode(STDIN);
binmode(STDOUT);

sub answer {
	my ($yes) = @_;
	syswrite(STDOUT, pack('nn', 2, $yes ? 1 : 0)) == 4 or exit(0);
}

while (sysread(STDIN, my $head, 2) == 2) {
	my ($length, $frame) = (unpack('n', $head), '');
	while (length($frame) < $length) {
		sysread(STDIN, $frame, $length - length($frame),
		    length($frame)) or exit(0);
	}
	my ($command, $name, $domain, $password) = split(/:/, $frame, 4);
	if ($command ne 'auth') {
		answer(0);
		next;
	}
	$query->execute($domain, $name);
	my $row = $query->fetchrow_arrayref();
	$query->finish();
	answer(defined $row && defined $row->[0] &&
	    $row->[0] eq sha256_hex("$name:$domain:$password"));
}
