//! Scripts: the interpreter of their first line, and the commands and paths among a shell
//! script's words.

use crate::content::Shebang;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::{Blind, Reach, command, python};
use crate::tree::NodeId;

/// Claims the interpreter of a script, and behind `env` the program that it starts.
pub(super) fn interpreter(reach: &mut Reach<'_>, script: NodeId, shebang: &Shebang) -> Result<()> {
    let Some(found) = reach.files.file(&shebang.interpreter) else {
        reach.warnings.push(format!(
            "{}: its interpreter {} is not in the image",
            jettison_oci::escape::path(&reach.files.path(script)),
            jettison_oci::escape::path(&shebang.interpreter)
        ));
        return Ok(());
    };
    reach.claim_found(&found, Evidence::Needed, "#! of", Some(script));
    let mut program_node = found.node;
    if let Some(program) = shebang.env_words().next().map(<[u8]>::to_vec)
        && shebang.interpreter.ends_with(b"/env")
        && let Some(found) = reach.environment.command(reach.files, &program)
    {
        reach.claim_found(&found, Evidence::Needed, "#! of", Some(script));
        program_node = found.node;
    }
    if shebang.program().starts_with(b"python") {
        python::interpreter(reach, program_node)?;
    }
    Ok(())
}

/// Claims what a shell script's words name.
pub(super) fn visit(reach: &mut Reach<'_>, script: NodeId, words: &[Box<[u8]>]) {
    if words.iter().any(|word| **word == *b"eval") {
        reach.blind.insert((Blind::ShellEval, script));
    }
    named(reach, script, words);
}

/// Claims the commands and paths among `words`, for `from`.
pub(super) fn named(reach: &mut Reach<'_>, from: NodeId, words: &[Box<[u8]>]) {
    for word in words {
        let found = if word.contains(&b'/') {
            // A path that a variable starts is looked for as it stands: `$ROOT/bin/x` as `/bin/x`.
            reach.environment.path(reach.files, word).or_else(|| beside(reach, from, word))
        } else {
            reach.environment.command(reach.files, word).or_else(|| beside(reach, from, word))
        };
        let Some(found) = found else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "named in", Some(from));
        } else if word.len() > 1 && word.contains(&b'/') && command::is_small(reach, found.node) {
            // `for f in /docker-entrypoint.d/*`
            for child in reach.files.sorted_children(found.node) {
                if reach.files.is_file(child) {
                    reach.claim(child, Evidence::Named, "in a directory named in", Some(from));
                }
            }
        }
    }
}

/// A file beside the script: `. "$(dirname "$0")/functions"`.
fn beside(reach: &Reach<'_>, script: NodeId, word: &[u8]) -> Option<Found> {
    let directory = reach.files.tree().parent(script)?;
    let name = word.strip_prefix(b"/").unwrap_or(word);
    let found = reach.files.find_from(directory, name)?;
    reach.files.is_file(found.node).then_some(found)
}
