//! Commands that print assignments for `eval` to take in, by their manuals: nothing of what they
//! print starts a program.

use crate::content::shell::reader::Line;
use crate::entry::split;

/// What the arguments have to be.
#[derive(Clone, Copy)]
enum Arguments {
    Any,
    /// With others it runs a program, and what that prints is not known.
    OptionsOnly,
    /// The first one.
    First(&'static [u8]),
}

const PRINTING: [(&[u8], Arguments); 8] = [
    (b"apt-config", Arguments::First(b"shell")),
    (b"dbus-launch", Arguments::OptionsOnly),
    (b"dircolors", Arguments::Any),
    (b"dpkg-architecture", Arguments::OptionsOnly),
    (b"lessfile", Arguments::OptionsOnly),
    (b"lesspipe", Arguments::OptionsOnly),
    (b"locale", Arguments::OptionsOnly),
    (b"ssh-agent", Arguments::OptionsOnly),
];

/// Whether the commands of a `$(…)` print assignments alone: it is one command, and its output goes
/// nowhere else.
pub(super) fn is_assignments(lines: &[Line]) -> bool {
    let [line] = lines else { return false };
    let Some((program, arguments)) = line.split_first() else { return false };
    let name = split(program).1;
    PRINTING.iter().any(|(known, wanted)| {
        *known == name
            && match wanted {
                Arguments::Any => true,
                Arguments::OptionsOnly => arguments.iter().all(|word| word.starts_with(b"-")),
                Arguments::First(first) => arguments.first().is_some_and(|word| word == first),
            }
    })
}
