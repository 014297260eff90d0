//! Tables of cron: `crontab(5)` of Vixie cron and cronie, busybox's, and `anacrontab(5)`.

use crate::facts::configuration::lines;

/// Which fields stand before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The times: a user's own table.
    OfUser,
    /// The times and a user: `/etc/crontab`, `/etc/cron.d`.
    OfSystem,
    /// Period, delay and name: `anacrontab`.
    Anacron,
}

/// The commands of a table, texts for a shell. A percent sign ends them: what follows is input.
pub fn commands(text: &[u8], table: Table) -> Vec<Vec<u8>> {
    let mut commands = Vec::new();
    for line in lines(text) {
        let line = line.trim_ascii();
        let is_setting = line
            .iter()
            .position(|b| *b == b'=')
            .is_some_and(|at| !line[..at].trim_ascii().iter().any(u8::is_ascii_whitespace));
        if line.is_empty() || line.starts_with(b"#") || is_setting {
            continue;
        }
        let fields = match (table, line.starts_with(b"@")) {
            (Table::Anacron, _) => 3,
            (Table::OfUser, true) => 1,
            (Table::OfSystem, true) => 2,
            (Table::OfUser, false) => 5,
            (Table::OfSystem, false) => 6,
        };
        let mut rest = line;
        for _ in 0..fields {
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            rest = rest[end..].trim_ascii_start();
        }
        let percent =
            (0..rest.len()).find(|at| rest[*at] == b'%' && (*at == 0 || rest[at - 1] != b'\\'));
        let command = &rest[..percent.unwrap_or(rest.len())];
        if !command.is_empty() {
            commands.push(command.to_vec());
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_behind_their_fields() {
        let text = b"SHELL=/bin/sh\nPATH = /a:/b\n# no\n17 * * * * root cd / && run-parts /etc/cron.hourly\n\
                     @daily root /usr/bin/x%input\n* *\n";
        let found = commands(text, Table::OfSystem);
        assert_eq!(found, [b"cd / && run-parts /etc/cron.hourly".to_vec(), b"/usr/bin/x".to_vec()]);
        let own = commands(b"*/5 * * * * A=1 /x/y.sh\n@reboot z\n", Table::OfUser);
        assert_eq!(own, [b"A=1 /x/y.sh".to_vec(), b"z".to_vec()]);
        assert_eq!(
            commands(b"1 5 daily run-parts /d\n", Table::Anacron),
            [b"run-parts /d".to_vec()]
        );
    }
}
