#!/usr/bin/env perl
use Mojolicious::Lite -signatures;
use FindBin;
use lib "$FindBin::Bin/lib";

plugin Config => {file => 'shop.conf'};
plugin 'Shop::Plugin';

helper store => sub ($c) {
    state $store = do { require Shop::Store; Shop::Store->new($c->app->config->{database}) };
};

get '/' => sub ($c) { $c->render(json => {up => \1}) };
get '/goods' => sub ($c) { $c->render('goods', goods => $c->store->all) };
post '/goods' => sub ($c) {
    my $v = $c->validation;
    $v->required('name')->size(1, 20);
    return $c->render(json => {failed => $v->failed}, status => 400) if $v->has_error;
    $c->store->add($v->param('name'));
    $c->redirect_to('/goods');
};
get '/export/:kind' => [kind => [qw(csv yaml xml)]] => sub ($c) {
    my $class = 'Shop::Export::' . uc $c->param('kind');
    (my $file = "$class.pm") =~ s{::}{/}g;
    require $file;
    $c->render(text => $class->export($c->store->all));
};
get '/fetch' => sub ($c) {
    $c->render_later;
    $c->ua->get_p('http://127.0.0.1:18104/static.html')->then(sub ($tx) {
        $c->render(text => $tx->res->dom->at('h1')->text);
    })->catch(sub ($error) { $c->render(text => "no: $error", status => 502) });
};
get '/fork' => sub ($c) {
    $c->render_later;
    Mojo::IOLoop->subprocess->run_p(sub { require Digest::SHA; Digest::SHA::sha1_hex('x') })
        ->then(sub ($hex) { $c->render(text => $hex) });
};
get '/broken' => sub ($c) { die "on purpose\n" };
websocket '/echo' => sub ($c) { $c->on(message => sub ($c, $text) { $c->send("echo: $text")->finish }) };

app->start;
