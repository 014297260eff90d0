package Shop::Export::XML;
use strict;
use warnings;
use XML::LibXML;

sub export {
    my (undef, $goods) = @_;
    my $document = XML::LibXML::Document->new('1.0', 'UTF-8');
    my $root = $document->createElement('goods');
    $document->setDocumentElement($root);
    $root->appendTextChild('name', $_->{name}) for @$goods;
    return $document->toString(1);
}

1;
