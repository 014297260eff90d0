//! The Dockerfile of two stages.

use std::fmt::Write as _;

use crate::account::Account;
use crate::advice::final_stage;
use crate::advice::multi_stage::Built;
use crate::advice::multi_stage::kept::{Kept, OVERLAID};
use crate::image::Instruction;

/// Where files are gathered. No image has such a directory.
const ROOM: &str = "/.jettison";

/// A kernel takes no longer argument than 128 KiB, and a RUN is one.
const RUN_MAX: usize = 96 << 10;

/// The Dockerfile, whose last stage begins with the lines of `start`, and the diff to it where there was one before; `None` where something cannot be
/// written into one.
pub(super) fn dockerfile(
    account: &Account,
    today: &Built<'_>,
    kept: &Kept,
    start: &dyn Fn(&str) -> String,
) -> Option<(String, Option<String>)> {
    let root = today.file.map_or_else(|| "root".to_owned(), |file| file.free_name("root"));
    let gathered = gather(kept)?;
    let settings = final_stage::settings(&account.image.config)?;
    let is_empty = kept.paths.is_empty() && kept.directories.is_empty();
    let stages = |builder: &str| {
        let start = start(builder);
        if is_empty {
            return format!("{start}{settings}");
        }
        format!(
            "# What runs, with its owners and modes.\nFROM {builder} AS {root}\nUSER 0\n{gathered}\n\
             {start}COPY --from={root} {ROOM}/ /\n{settings}"
        )
    };
    if let Some(file) = today.file {
        let (text, diff) = file.extended(stages)?;
        return Some((text, Some(diff)));
    }
    let mut text = built_by(account);
    let _ = writeln!(text, "FROM {} AS builder\n", today.reference);
    text.push_str(&stages("builder"));
    Some((text, None))
}

/// How today's image was built, as far as its history tells.
fn built_by(account: &Account) -> String {
    let instructions = account.layers.iter().filter_map(|layer| layer.instruction.as_ref());
    let mut instructions = instructions.map(Instruction::text).peekable();
    let mut text = match instructions.peek() {
        Some(_) => "# Today's image, which its history says was built by:\n",
        None => "# Today's image.\n",
    }
    .to_owned();
    for instruction in instructions {
        let line = jettison_oci::escape::line(&instruction);
        let _ = writeln!(text, "#   {}", line.chars().take(100).collect::<String>());
    }
    text
}

/// The RUN instructions that gather what is kept.
fn gather(kept: &Kept) -> Option<String> {
    let mut text = String::new();
    let mut paths = kept.paths.iter();
    let mut next = paths.next();
    let mut is_first = true;
    if next.is_none() && !kept.directories.is_empty() {
        let _ = writeln!(text, "RUN mkdir {ROOM}");
    }
    while next.is_some() {
        let start = if is_first { format!("mkdir {ROOM} && ") } else { String::new() };
        is_first = false;
        // GNU's `cp --parents` looks for the directories above from where it stands.
        let mut run = format!("RUN {start}cd / && cp -a --parents");
        while let Some(path) = next.filter(|path| run.len() + path.len() + 8 < RUN_MAX) {
            let _ = write!(run, " \\\n      {}", quoted(path)?);
            next = paths.next();
        }
        let _ = writeln!(text, "{run} \\\n      {ROOM}");
    }
    let mut lines = Vec::new();
    if kept.paths.iter().any(|path| path == b"/etc") {
        let overlaid = OVERLAID.map(|path| format!("{ROOM}{path}")).join(" ");
        lines.push(format!("rm -f {overlaid}"));
    }
    for ((mode, user, group), directories) in &kept.directories {
        let mut line = format!("install -d -m {mode:04o} -o {user} -g {group}");
        for directory in directories {
            let path = [ROOM.as_bytes(), directory].concat();
            let _ = write!(line, " \\\n      {}", quoted(&path)?);
        }
        lines.push(line);
    }
    if !lines.is_empty() {
        let _ = writeln!(text, "RUN {}", lines.join(" \\\n && "));
    }
    Some(text)
}

/// A path as a word of a shell.
fn quoted(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let is_plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+:@%,=~".contains(&b));
    if is_plain {
        return Some(path.to_owned());
    }
    if path.chars().any(char::is_control) {
        return None;
    }
    // A backslash before the end of a line would join lines; inside quotes it stands for itself.
    Some(format!("'{}'", path.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_words_of_a_shell() {
        assert_eq!(quoted(b"/a/b-1.2+c").unwrap(), "/a/b-1.2+c");
        assert_eq!(quoted(b"/a b/$c's").unwrap(), "'/a b/$c'\\''s'");
        assert_eq!(quoted(b"/a\n"), None);
        assert_eq!(quoted(b"/\xff"), None);
    }

    #[test]
    fn long_lists_are_several_runs() {
        let kept = Kept {
            paths: (0..5000)
                .map(|at| format!("/usr/share/some/where/{at:06}").into_bytes())
                .collect(),
            ..Kept::default()
        };
        let text = gather(&kept).unwrap();
        let runs: Vec<&str> = text.split("RUN ").skip(1).collect();
        assert!(runs.len() > 1 && runs.iter().all(|run| run.len() < 128 << 10));
        assert_eq!(text.matches("/usr/share/some/where/").count(), 5000);
        assert_eq!(text.matches("mkdir").count(), 1);
    }
}
