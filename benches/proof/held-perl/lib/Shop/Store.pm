package Shop::Store;
use Mojo::Base -base, -signatures;
use DBI;

sub new ($class, $dsn) {
    my $self = bless {}, $class;
    $self->{db} = DBI->connect($dsn, '', '', {RaiseError => 1, sqlite_unicode => 1});
    $self->{db}->do('create table if not exists goods (name text, cents int)');
    $self->{db}->do("insert into goods values ('thing', 250)");
    return $self;
}

sub all ($self) { $self->{db}->selectall_arrayref('select name, cents from goods', {Slice => {}}) }
sub add ($self, $name) { $self->{db}->do('insert into goods values (?, 100)', undef, $name) }

1;
