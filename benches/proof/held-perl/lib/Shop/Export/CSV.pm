package Shop::Export::CSV;
use strict;
use warnings;
use Text::CSV_XS;

sub export {
    my (undef, $goods) = @_;
    my $csv = Text::CSV_XS->new({binary => 1, eol => "\n"});
    return join '', map { $csv->combine(@$_{qw(name cents)}); $csv->string } @$goods;
}

1;
