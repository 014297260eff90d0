//! Services of an init: units of systemd (`systemd.service(5)`) and `inittab(5)`.

use crate::facts::configuration::ini::rows;
use crate::facts::configuration::lines;

/// Command lines of a unit's `ExecStart=` and its like, without the marks before them.
pub fn unit_commands(text: &[u8]) -> Vec<Vec<u8>> {
    rows(text)
        .into_iter()
        .filter(|row| row.key.starts_with(b"Exec") && !row.value.is_empty())
        .map(|row| {
            let marks = row.value.iter().take_while(|b| b"@-:+!|".contains(b)).count();
            row.value[marks..].to_vec()
        })
        .collect()
}

/// Processes of `id:runlevels:action:process`.
pub fn inittab_commands(text: &[u8]) -> Vec<Vec<u8>> {
    lines(text)
        .iter()
        .map(|line| line.trim_ascii())
        .filter(|line| !line.starts_with(b"#"))
        .filter_map(|line| line.splitn(4, |b| *b == b':').nth(3))
        .map(<[u8]>::trim_ascii)
        // Busybox: a minus asks for a login shell.
        .map(|process| process.strip_prefix(b"-").unwrap_or(process).to_vec())
        .filter(|process| !process.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let unit =
            b"[Unit]\nDescription=x\n[Service]\nExecStartPre=-/bin/a b\nExecStart=@/bin/c c\n\
                     ExecStart=\nRestart=always\n";
        assert_eq!(unit_commands(unit), [b"/bin/a b".to_vec(), b"/bin/c c".to_vec()]);
        let tab =
            b"# a\n::sysinit:/sbin/openrc sysinit\ntty1::respawn:-/bin/sh\nid:3:initdefault:\n";
        assert_eq!(inittab_commands(tab), [b"/sbin/openrc sysinit".to_vec(), b"/bin/sh".to_vec()]);
    }
}
