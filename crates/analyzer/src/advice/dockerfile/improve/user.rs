//! Users with a high number: `useradd` makes logs of logins that reach up to it.

use super::change::{Change, edit};
use super::{Build, Improvement, Kind};
use crate::facts::evidence::Confidence;

/// `/var/log/lastlog` has 292 bytes for each number: 28 MiB up to this one.
const NUMBER_HIGH: u64 = 100_000;

/// Looks at one step.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let Some(script) = &build.steps[at].script else { return };
    for command in script.commands.iter().filter(|command| command.name() == "useradd") {
        let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
        let mut number = None;
        for (at, word) in words.iter().enumerate() {
            let value = match *word {
                "-u" | "--uid" => words.get(at + 1).copied(),
                word => word.strip_prefix("--uid=").or_else(|| word.strip_prefix("-u")),
            };
            number = value.and_then(|value| value.parse::<u64>().ok()).or(number);
        }
        let is_told = words.iter().any(|word| {
            *word == "--no-log-init"
                || (word.starts_with('-') && !word.starts_with("--") && word.contains('l'))
        });
        let is_high = number.is_some_and(|number| number >= NUMBER_HIGH);
        if let Some(program) = command.words.first().filter(|_| is_high && !is_told) {
            let what = "add the user without entries in the logs of logins (-l): they are files \
                        that reach up to its number";
            let mut improvement = build.improvement(at, Kind::UserNumber, Confidence::High, what);
            let change = Change::insert(script.behind(program.end), " -l");
            improvement.edit = edit(build.file.text(), vec![change]);
            found.push(improvement);
        }
    }
}
