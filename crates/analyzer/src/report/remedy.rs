//! What to do about a group of wasted bytes, in a sentence.

use crate::account::{Account, Waste};
use crate::image::Instruction;
use crate::report::page::counted;
use crate::tree::Cause;

/// `RUN #7 deletes 3 files that COPY #3 added: …`.
pub(crate) fn sentence(account: &Account, row: &Waste) -> String {
    let added = Named::of(account, row.added_by);
    let hidden = Named::of(account, row.hidden_by);
    let files = counted(row.payloads.len(), "file");
    let (by, of) = (hidden.name(), added.name());
    match row.cause {
        Cause::Removed => format!("{by} deletes {files} that {of} added: {}", added.without()),
        Cause::Opaque => {
            format!("{by} empties a directory with {files} of {of}: {}", added.without())
        }
        Cause::MetadataOnly => {
            format!("{by} rewrote {files} of {of} unchanged: {}", added.dressed(&hidden))
        }
        Cause::Overwritten => {
            format!("{by} overwrites {files} of {of} with other content: {}", added.once(&hidden))
        }
        Cause::Replaced => format!(
            "{by} puts a directory, link or device in the place of {files} of {of}: {}",
            added.without()
        ),
        Cause::Repeated => format!(
            "{of} brings {files} more than once in the same layer: \
             its builder writes paths twice; build the layer anew"
        ),
    }
}

/// A layer in a sentence.
struct Named<'a> {
    layer: usize,
    instruction: Option<&'a Instruction>,
    base: bool,
}

impl<'a> Named<'a> {
    fn of(account: &'a Account, layer: usize) -> Self {
        let row = &account.layers[layer];
        Self { layer, instruction: row.instruction.as_ref(), base: row.base }
    }

    fn keyword(&self) -> Option<&'static str> {
        self.instruction.and_then(Instruction::keyword)
    }

    fn copies(&self) -> bool {
        matches!(self.keyword(), Some("COPY" | "ADD"))
    }

    /// `RUN chmod #9`, `COPY #3`, `layer #0`.
    fn name(&self) -> String {
        match (self.keyword(), self.tool()) {
            (Some(keyword), Some(tool)) => format!("{keyword} {tool} #{}", self.layer),
            (Some(keyword), None) => format!("{keyword} #{}", self.layer),
            (None, _) => format!("layer #{}", self.layer),
        }
    }

    /// The command of a RUN that says by itself what it does.
    fn tool(&self) -> Option<&'static str> {
        let text = self.instruction?.text();
        let command = text.strip_prefix("RUN ")?;
        // Of several commands, the first says little of the rest.
        if command.contains(['&', ';', '|', '\n']) {
            return None;
        }
        let first = command.split_whitespace().next()?;
        ["chmod", "chown", "chgrp", "rm", "mv", "touch", "strip"].into_iter().find(|t| *t == first)
    }

    fn mentions(&self, word: &str) -> bool {
        self.instruction.is_some_and(|i| {
            i.created_by().split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word)
        })
    }

    /// How the bytes are never added at all.
    fn without(&self) -> String {
        if self.base {
            return "the base image brings them; a leaner base does not".to_owned();
        }
        if self.copies() {
            return "delete in the same layer, or never copy them (.dockerignore)".to_owned();
        }
        match self.keyword() {
            Some("RUN") => {
                format!("delete them at the end of the RUN that made them (#{})", self.layer)
            }
            _ => format!("leave them out of layer #{}", self.layer),
        }
    }

    /// How mode and owner are set without a second copy.
    fn dressed(&self, hidden: &Self) -> String {
        let flag = if hidden.mentions("chown") || hidden.mentions("chgrp") {
            Some("--chown")
        } else if hidden.mentions("chmod") {
            Some("--chmod")
        } else {
            None
        };
        match (self.copies(), flag) {
            (true, Some(flag)) => format!("use {} {flag}", self.keyword().unwrap_or_default()),
            (true, None) => {
                format!("set mode, owner and times where they are copied (#{})", self.layer)
            }
            (false, _) if self.base => {
                "they are the base image's; change only the paths that need it".to_owned()
            }
            (false, _) => {
                format!(
                    "set mode, owner and times in the instruction that made them (#{})",
                    self.layer
                )
            }
        }
    }

    /// How a path is written once.
    fn once(&self, hidden: &Self) -> String {
        if self.base {
            return "start from a base that has them up to date".to_owned();
        }
        if self.keyword() == Some("RUN") && hidden.keyword() == Some("RUN") {
            return format!("join #{} and #{} into one RUN", self.layer, hidden.layer);
        }
        format!("bring only the copy of #{}", hidden.layer)
    }
}
