//! How builders write commands: build arguments, a shell with its flags, the command.

/// Shells that take options and, after one with a `c` in it, the command.
const SHELLS: [&str; 11] =
    ["ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "rbash", "sh", "tcsh", "zsh"];

/// Commands that are recognised where a row has nothing else: Docker's first builder writes a
/// RUN in exec form as its words alone, and other builders write their own names there.
const COMMANDS: [&str; 48] = [
    "apk",
    "apt",
    "apt-get",
    "bundle",
    "bunzip2",
    "cargo",
    "chgrp",
    "chmod",
    "chown",
    "composer",
    "conda",
    "cp",
    "curl",
    "dnf",
    "dpkg",
    "find",
    "gem",
    "git",
    "groupadd",
    "gunzip",
    "install",
    "ldconfig",
    "ln",
    "make",
    "mamba",
    "microdnf",
    "micromamba",
    "mkdir",
    "mv",
    "npm",
    "pip",
    "pip3",
    "pnpm",
    "python",
    "python3",
    "rm",
    "rpm",
    "sed",
    "strip",
    "tar",
    "touch",
    "unzip",
    "useradd",
    "wget",
    "xargs",
    "yarn",
    "yum",
    "zypper",
];

/// The command that a shell's invocation runs: `make` of `/bin/bash -o pipefail -c make`.
pub(super) fn command(text: &str) -> Option<&str> {
    let (program, rest) = text.split_once(' ')?;
    let command = match name(program).as_str() {
        "cmd" => after(rest, |flag| {
            flag.strip_prefix('/').map(|flag| (flag.eq_ignore_ascii_case("c"), 0))
        }),
        "powershell" | "pwsh" => after(rest, powershell_flag),
        shell if SHELLS.contains(&shell) => after(rest, shell_flag),
        _ => None,
    }?;
    (!command.is_empty()).then_some(command)
}

/// Whether it starts with a shell.
pub(super) fn is_shell(text: &str) -> bool {
    let program = name(text.split_whitespace().next().unwrap_or_default());
    SHELLS.contains(&program.as_str()) || ["cmd", "powershell", "pwsh"].contains(&program.as_str())
}

/// Whether the words are a command by themselves, as a RUN in exec form is.
pub(super) fn is_command(text: &str) -> bool {
    let program = text.split(' ').next().unwrap_or_default();
    let is_path = program.len() > 1 && program.starts_with('/');
    (is_path && !(is_shell(program) && program == text)) || COMMANDS.contains(&program)
}

/// What stands behind `|2 A=1 B=2 `. Values are not quoted and may have spaces, so that the shell
/// tells where they end; where there is none, each is a word.
pub(super) fn without_arguments(text: &str) -> Option<&str> {
    let (count, rest) = text.strip_prefix('|')?.split_once(' ')?;
    let count: usize = count.parse().ok()?;
    let mut words = rest.match_indices(' ').map(|(at, _)| &rest[at + 1..]);
    let mut after_words = count.checked_sub(1).map_or(Some(rest), |skip| words.nth(skip))?;
    let shortest = after_words;
    loop {
        if command(after_words).is_some() {
            return Some(after_words);
        }
        match words.next() {
            Some(next) => after_words = next,
            None => return Some(shortest),
        }
    }
}

/// The program's name in small letters, without its directory and `.exe`.
fn name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// What stands behind the flag that announces the command. `read` tells of a flag whether it is
/// that one, and how many words after it are its values; of another word, `None`.
fn after(text: &str, read: impl Fn(&str) -> Option<(bool, usize)>) -> Option<&str> {
    let mut rest = text;
    loop {
        let (flag, behind) = rest.split_once(' ')?;
        let (is_last, values) = read(flag)?;
        rest = behind;
        for _ in 0..values {
            rest = rest.split_once(' ')?.1;
        }
        if is_last {
            return Some(rest);
        }
    }
}

/// `-c`, `-ec`, `-euxo pipefail`, `+x`, `--login`.
fn shell_flag(flag: &str) -> Option<(bool, usize)> {
    if flag.starts_with("--") {
        return Some((false, 0));
    }
    let letters = flag.strip_prefix(['-', '+'])?;
    let values = letters.matches(['o', 'O']).count();
    Some((flag.starts_with('-') && letters.contains('c'), values))
}

fn powershell_flag(flag: &str) -> Option<(bool, usize)> {
    let flag = flag.strip_prefix(['-', '/'])?.to_ascii_lowercase();
    let has_value = ["ep", "ex", "executionpolicy", "inputformat", "outputformat", "version"]
        .contains(&flag.as_str());
    Some((flag == "c" || flag == "command", usize::from(has_value)))
}
