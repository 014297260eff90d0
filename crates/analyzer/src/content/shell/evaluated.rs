//! `eval`: whether a script says itself what it evaluates. What it runs by a name that is written
//! in it, or that it sets a variable to, is known as well as behind any other line. What it reads,
//! is given or gets from a command is not.

use std::collections::BTreeSet;

use crate::content::shell::expansion::Variables;
use crate::content::shell::plain_words;
use crate::content::shell::reader::{
    ASSIGNMENTS, Read, command, is_before_command, is_name, is_unknown,
};
use crate::limits::{SHELL_NESTING_MAX, SHELL_STEPS_MAX, SHELL_WORD_MAX};

/// Whether there is an `eval` of a text that only a run can tell. `text` is what was read, and
/// `evaluated` the [`texts`] of it.
pub(super) fn is_untold(text: &[u8], read: &Read, evaluated: &[Vec<u8>]) -> bool {
    // Those in quotes, comments and documents are counted, too, and not told.
    let all = plain_words(text).filter(|word| *word == b"eval").count();
    if all == 0 {
        return false;
    }
    // No script has this byte; one that does shall not pass for what was read.
    if memchr::memchr(ASSIGNMENTS, text).is_some() {
        return true;
    }
    let mut commands = read.lines.iter().filter_map(|line| command(line).first());
    let sources = commands.any(|name| matches!(&name[..], b"." | b"source"));
    let variables = (!sources).then_some(&read.variables);
    let told = evaluated.iter().filter(|text| {
        let mut telling = Telling { variables, around: BTreeSet::new(), steps: SHELL_STEPS_MAX };
        text.len() <= SHELL_WORD_MAX && telling.text(text) != Commands::Untold
    });
    !read.is_whole || told.count() < all
}

/// The texts that commands evaluate: the words behind `eval`, with blanks between them.
pub(super) fn texts(read: &Read) -> impl Iterator<Item = Vec<u8>> {
    read.lines.iter().filter_map(|line| {
        let before = &line[..line.len() - command(line).len()];
        let at = before.iter().position(|word| **word == *b"eval")?;
        Some(line[at + 1..].join(&b' '))
    })
}

/// What is known of the commands of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commands {
    /// There is none: only assignments and the like.
    None,
    /// The script names each.
    Told,
    /// Only a run can tell one of them.
    Untold,
}

struct Telling<'a> {
    /// Unknown where the script takes in others, which may set any.
    variables: Option<&'a Variables>,
    /// Variables whose values are looked at: `a="$a x"`.
    around: BTreeSet<Vec<u8>>,
    /// Words that may still be looked at.
    steps: usize,
}

impl Telling<'_> {
    fn text(&mut self, text: &[u8]) -> Commands {
        let read = Read::of(&without_arguments(text));
        if !read.is_whole {
            return Commands::Untold;
        }
        let mut all = Commands::None;
        for line in &read.lines {
            match self.line(line) {
                Commands::Untold => return Commands::Untold,
                Commands::Told => all = Commands::Told,
                Commands::None => {}
            }
        }
        all
    }

    fn line(&mut self, line: &[Vec<u8>]) -> Commands {
        for word in line {
            let Some(steps) = self.steps.checked_sub(1) else { return Commands::Untold };
            self.steps = steps;
            if **word == *b"eval" {
                return Commands::Untold;
            }
            if is_before_command(word) || sets_made_up_name(word) || **word == [ASSIGNMENTS] {
                continue;
            }
            let is_told = !word.iter().any(|b| *b == b'$' || is_unknown(*b));
            let commands = match word.strip_prefix(b"$") {
                _ if is_told => Commands::Told,
                Some(name) if !name.is_empty() && name.iter().all(|b| is_name(*b)) => {
                    self.variable(name)
                }
                _ => Commands::Untold,
            };
            if commands != Commands::None {
                return commands;
            }
        }
        Commands::None
    }

    /// What a variable starts whose value is the front of a command.
    fn variable(&mut self, name: &[u8]) -> Commands {
        let Some(variables) = self.variables else { return Commands::Untold };
        let values = variables.values.get(name).map_or(&[][..], Vec::as_slice);
        let may_be_empty = variables.emptied.contains(name);
        let is_known = (may_be_empty || !values.is_empty()) && !variables.untold.contains(name);
        if !is_known || self.around.len() >= SHELL_NESTING_MAX {
            return Commands::Untold;
        }
        if !self.around.insert(name.to_vec()) {
            return Commands::None;
        }
        let mut all = if may_be_empty { Commands::None } else { Commands::Told };
        for value in values {
            match self.text(value) {
                Commands::Untold => return Commands::Untold,
                Commands::None => all = Commands::None,
                Commands::Told => {}
            }
        }
        self.around.remove(name);
        all
    }
}

/// An assignment to a name that is made up: `eval "$1=\$2"`.
fn sets_made_up_name(word: &[u8]) -> bool {
    let is_made_up = |b: &u8| *b == b'$' || is_unknown(*b);
    memchr::memchr(b'=', word).is_some_and(|at| {
        let name = &word[..at];
        name.iter().any(is_made_up) && name.iter().all(|b| is_name(*b) || is_made_up(b))
    })
}

/// The text with a word in place of the arguments of the script or function, `$@` and `$*`: what
/// a line runs that has them is what its caller was told to run, with `eval` and without.
fn without_arguments(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for at in memchr::memchr_iter(b'$', &text.clone()) {
        let is_escaped = at > 0 && matches!(text[at - 1], b'$' | b'\\');
        if matches!(text.get(at + 1), Some(b'@' | b'*')) && !is_escaped {
            text[at] = b'@';
            text[at + 1] = b'@';
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::content::shell::scan;

    #[test]
    fn what_the_script_itself_names_is_told() {
        for script in [
            "eval exec ls",
            "eval set -- \"$(getopt ab \"$@\")\"",
            "eval 'x=$(date)'",
            "eval \"$1=\\$2\"",
            "name=a; eval \"echo \\$$name\"",
            "name=a; eval \"x=\\$$name\"",
            // The loader's `ldd`.
            "env=\"A=1 B=$b\"\nenv=\"$env C=\\$c\"\nout=$(eval $env '\"$@\"' 2>&1; rc=$?)",
            // autoconf's `install-sh`.
            "doit=${DOITPROG-}\ndoit_exec=${doit:-exec}\nmkdir=${MKDIRPROG-mkdir}\n\
             prefixes=\"$prefixes '$q'\"; eval \"\\$doit_exec \\$mkdir $prefixes\" || exit 1",
            // Their manuals say that they print assignments.
            "eval $(ssh-agent)",
            "eval `ssh-agent -s`",
            "eval \"`dircolors -b ~/.dircolors`\"",
            "eval \"$(apt-config shell GPGV Apt::Key::gpgvcommand)\"",
            "vars=$(/usr/bin/apt-config shell X Y); if true; then eval \"$vars\"; fi",
            "cat <<EOF\nit isn't\nEOF\neval exec ls",
            "cat <<-'A' >x; df <<B\nit isn't\n\tA\nmy \"\nB\neval exec ls",
            "n=$((1<<4)); cat <<< it; eval exec ls",
            "x=$(cat <<EOF\nit isn't )\nEOF\n); eval exec ls",
            "cmd='ls -l; df'; cmd+=' -h'; if true; then eval \"$cmd\"; fi",
        ] {
            assert!(!scan(script.as_bytes()).evaluates, "{script}");
        }
    }

    #[test]
    fn what_only_a_run_tells_is_not() {
        for script in [
            "eval \"$1\"",
            "eval \"$@\"",
            "eval $(cat /etc/app.conf)",
            "eval `cat /etc/app.conf`",
            "eval $(ssh-agent /srv/made-up)",
            "eval $(ssh-agent; cat x)",
            "eval `ssh-agent | sed s/a/b/`",
            "eval $(ssh-agent)$1",
            "eval \"$(ssh-agent) $1\"",
            "eval \"x$(ssh-agent)\"",
            "eval $(apt-config dump)",
            "eval $(a=$(ssh-agent))",
            "cmd=ls; eval $(apt-config shell cmd A::B); eval $cmd",
            "cat <<EOF\n$(eval \"$1\")\nEOF\n",
            "sh <<EOF\neval \"$1\"\nEOF\n",
            "cat <<EOF\nit isn't\neval exec ls",
            "eval \u{1}",
            "eval \"$COMMAND\"",
            "cmd=$1; eval $cmd",
            "cmd=ls; read -r cmd; eval $cmd",
            "cmd=ls; for cmd in \"$@\"; do eval $cmd; done",
            "cmd=ls; . /etc/app.conf; eval $cmd",
            "name=a; eval \"\\$$name\"",
            "eval 'eval \"$x\"'",
            "trap 'eval \"$x\"' EXIT",
            "cmd=; eval \"$cmd $1\"",
            "eval exec ls; eval \"$1\"",
            "eval \"exec ls; $1\"",
            "a='$b'; b='$a'; eval \"$c\"",
            "eval \"ls",
        ] {
            assert!(scan(script.as_bytes()).evaluates, "{script}");
        }
    }

    #[test]
    fn commands_of_what_is_evaluated_are_followed() {
        let shell = scan(b"main=/srv/main.py\neval \"exec python3 -u $main\"\n");
        let lines: Vec<_> = shell.lines.iter().map(|line| line.join(&b' ')).collect();
        assert!(lines.contains(&b"python3 -u /srv/main.py".to_vec()), "{lines:?}");
    }

    #[test]
    fn values_around_values_end() {
        let rows = (0..500).map(|n| format!("a{n}=\"$a{} $a{n}\"", n + 1));
        let many = rows.collect::<Vec<_>>().join("\n");
        assert!(scan(format!("{many}\neval $a0 $a1").as_bytes()).evaluates);
        let wide = "a='$b $b $b $b'; b='$c $c $c $c'; c='$d $d $d'; d=; eval $a\n".repeat(50);
        let _ = scan(wide.as_bytes());
    }
}
