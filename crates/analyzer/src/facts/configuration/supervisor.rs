//! `supervisord.conf` (<http://supervisord.org/configuration.html>).

use crate::facts::configuration::ini::rows;

/// What it starts and where it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisor {
    /// `command=` of programs and listeners.
    pub commands: Vec<Vec<u8>>,
    /// Patterns of `[include] files=`.
    pub includes: Vec<Vec<u8>>,
}

/// Whether the text is one, by its sections.
pub fn is_supervisor(text: &[u8]) -> bool {
    [&b"[supervisord]"[..], b"[program:", b"[eventlistener:", b"[fcgi-program:"]
        .iter()
        .any(|section| memchr::memmem::find(text, section).is_some())
}

/// Reads it; `here` is the directory of the file.
pub fn read(text: &[u8], here: &[u8]) -> Supervisor {
    let mut found = Supervisor::default();
    for row in rows(text) {
        let starts = [&b"program:"[..], b"eventlistener:", b"fcgi-program:"]
            .iter()
            .any(|kind| row.section.starts_with(kind));
        if starts && row.key == b"command" {
            found.commands.push(put_in(&row.value, here));
        } else if row.section == b"include" && row.key == b"files" {
            let files = row.value.split(u8::is_ascii_whitespace).filter(|file| !file.is_empty());
            found.includes.extend(files.map(|file| put_in(file, here)));
        }
    }
    found
}

/// `%(here)s`; `%(ENV_NAME)s` becomes `$NAME`.
fn put_in(value: &[u8], here: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(at) = memchr::memmem::find(rest, b"%(") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 2..];
        let Some(end) = memchr::memmem::find(rest, b")s") else { break };
        match (&rest[..end], rest[..end].strip_prefix(b"ENV_")) {
            (b"here", _) => out.extend_from_slice(here),
            (_, Some(name)) => out.extend_from_slice(&[b"$", name].concat()),
            _ => out.push(b'$'),
        }
        rest = &rest[end + 2..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_includes_are_read() {
        let text =
            b"[supervisord]\nnodaemon=true\n[program:a]\ncommand=/usr/bin/a --x %(here)s/y\n\
                     [program:b]\ncommand = %(ENV_HOME)s/b\n   --more\n[include]\n\
                     files = /etc/supervisor/conf.d/*.conf %(here)s/z.ini\n[unix]\ncommand=no\n";
        assert!(is_supervisor(text));
        let found = read(text, b"/srv");
        assert_eq!(found.commands, [b"/usr/bin/a --x /srv/y".to_vec(), b"$HOME/b --more".to_vec()]);
        assert_eq!(
            found.includes,
            [b"/etc/supervisor/conf.d/*.conf".to_vec(), b"/srv/z.ini".to_vec()]
        );
        let _ = read(b"[program:x]\ncommand=%(", b"");
    }
}
