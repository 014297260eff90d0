//! Services of PAM: `pam.conf(5)` and the files of `pam.d`.

use crate::facts::configuration::lines;

/// What the services name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pam {
    /// Modules, by name or path: `pam_unix.so`.
    pub modules: Vec<Vec<u8>>,
    /// Other services: `@include`, `include`, `substack`.
    pub includes: Vec<Vec<u8>>,
    /// Paths among the arguments of modules.
    pub paths: Vec<Vec<u8>>,
}

/// Reads one file.
pub fn read(text: &[u8]) -> Pam {
    let mut found = Pam::default();
    for line in lines(text) {
        let line = line.split(|b| *b == b'#').next().unwrap_or_default();
        let words: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        if let [b"@include", service] = words[..] {
            found.includes.push(service.to_vec());
            continue;
        }
        let include = words.iter().position(|word| matches!(*word, b"include" | b"substack"));
        if let Some(service) = include.and_then(|at| words.get(at + 1)) {
            found.includes.push(service.to_vec());
            continue;
        }
        let Some(module) = words.iter().position(|word| word.ends_with(b".so")) else { continue };
        found.modules.push(words[module].to_vec());
        for word in &words[module + 1..] {
            let value = word.iter().position(|b| *b == b'=').map_or(*word, |at| &word[at + 1..]);
            if value.starts_with(b"/") {
                found.paths.push(value.to_vec());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_includes_and_paths_are_read() {
        let found = read(
            b"# auth required pam_no.so\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\n\
              @include common-auth\n-session optional /lib/security/pam_x.so conf=/etc/x.conf\n\
              account include system-auth\nauth substack y\nsession required pam_exec.so \\\n /bin/z\n",
        );
        let text = |rows: &[Vec<u8>]| String::from_utf8(rows.join(&b' ')).unwrap();
        assert_eq!(text(&found.modules), "pam_unix.so /lib/security/pam_x.so pam_exec.so");
        assert_eq!(text(&found.includes), "common-auth system-auth y");
        assert_eq!(text(&found.paths), "/etc/x.conf /bin/z");
    }
}
