package Shop::Plugin;
use Mojo::Base 'Mojolicious::Plugin', -signatures;

sub register ($self, $app, $conf) {
    $app->helper(price => sub ($c, $cents) { sprintf '%.2f', $cents / 100 });
    $app->hook(after_dispatch => sub ($c) { $c->res->headers->header('X-Shop' => 1) });
}

1;
