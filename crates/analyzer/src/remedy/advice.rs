//! How bytes are not wasted: what to change in which instruction.

use crate::remedy::layer::{Layer, Source};

/// A number of files in a sentence.
#[derive(Clone, Copy)]
pub(super) struct Files(pub(super) usize);

impl Files {
    fn one_or(self, one: &'static str, several: &'static str) -> &'static str {
        if self.0 == 1 { one } else { several }
    }

    fn it(self) -> &'static str {
        self.one_or("it", "them")
    }

    fn it_is(self) -> &'static str {
        self.one_or("it is", "they are")
    }

    fn its(self) -> &'static str {
        self.one_or("its", "their")
    }
}

/// Wasted files and the layers that have to do with them.
pub(super) struct Group<'a> {
    /// First brought the content.
    pub(super) origin: Layer<'a>,
    /// Brought it as it was hidden; the same where nothing was dressed anew in between.
    pub(super) adder: Layer<'a>,
    /// Hides it.
    pub(super) hider: Layer<'a>,
    pub(super) files: Files,
}

impl Group<'_> {
    /// How the bytes are never added at all.
    pub(super) fn without(&self) -> String {
        let it = self.files.it();
        let number = self.origin.number;
        match self.origin.source() {
            Source::Base => format!("the base image brings {it}; a leaner base does not"),
            Source::Root => format!("the root filesystem brings {it}; a leaner one does not"),
            Source::Context => format!(
                "never {} {it} (.dockerignore), or only mount {it} (RUN --mount=type=bind)",
                self.copy()
            ),
            Source::Elsewhere => {
                format!("never {} {it}, or only mount {it} (RUN --mount=type=bind)", self.copy())
            }
            Source::Download => format!("download, use and delete {it} in one RUN"),
            Source::Run => {
                format!("delete {it} at the end of the RUN that made {it} (#{number})")
            }
            Source::Unknown => format!("leave {it} out of layer #{number}"),
        }
    }

    /// How the files are where they end up from the start.
    pub(super) fn moved(&self) -> String {
        let (it, number) = (self.files.it(), self.origin.number);
        match self.origin.source() {
            Source::Base | Source::Root => {
                format!("leave {it} where {}, or link to {it}", self.files.it_is())
            }
            Source::Context | Source::Elsewhere | Source::Download => {
                format!("{} {it} to {} final path instead", self.copy(), self.files.its())
            }
            Source::Run => format!("move {it} in the RUN that made {it} (#{number})"),
            Source::Unknown => {
                format!("put {it} at {} final path in layer #{number}", self.files.its())
            }
        }
    }

    /// How mode and owner are set without a second copy.
    pub(super) fn dressed(&self) -> String {
        let (it, it_is, number) = (self.files.it(), self.files.it_is(), self.origin.number);
        let flags = self.hider.flags();
        if self.hider.is_copy() {
            let between = self.adder.flags().join(" ");
            return match (self.origin.is_copy(), between.as_str()) {
                (true, "") => format!("{it_is} copied twice; leave {it} out of one of the two"),
                (true, flags) => {
                    format!("{it_is} copied twice; drop one COPY, and give the other {flags}")
                }
                (false, _) => {
                    format!("{it_is} there already; leave {it} out of {}", self.hider.name())
                }
            };
        }
        match self.origin.source() {
            Source::Base => {
                format!("{it_is} the base image's; change only the paths that need it")
            }
            Source::Root => {
                format!("{it_is} the root filesystem's; change only the paths that need it")
            }
            Source::Context | Source::Elsewhere | Source::Download if flags.is_empty() => {
                format!("set mode, owner and times where {it_is} copied (#{number})")
            }
            Source::Context | Source::Elsewhere | Source::Download => {
                format!("use {} {}", self.origin.keyword().unwrap_or("COPY"), flags.join(" "))
            }
            Source::Run if !flags.is_empty() => {
                format!("do that in the RUN that made {it} (#{number})")
            }
            Source::Run => {
                format!("set mode, owner and times in the RUN that made {it} (#{number})")
            }
            Source::Unknown => {
                format!("set mode, owner and times where {it_is} made (layer #{number})")
            }
        }
    }

    /// How a path is written once.
    pub(super) fn once(&self) -> String {
        let (it, hider) = (self.files.it(), self.hider.name());
        match (self.origin.source(), self.hider.source()) {
            (Source::Base, _) => format!("start from a base that has {it} up to date"),
            (Source::Root, Source::Run) => {
                format!("start from a newer base, or leave {it} as {}", self.files.it_is())
            }
            (Source::Root, _) => format!("start from a base without {it}"),
            (Source::Run, Source::Run) => {
                format!("join #{} and #{} into one RUN", self.origin.number, self.hider.number)
            }
            (Source::Run, Source::Context) => format!(
                "exclude {it} from {hider} (.dockerignore), or copy before {}",
                self.origin.name()
            ),
            (Source::Run, Source::Elsewhere | Source::Download) => {
                format!("leave {it} out of {hider}, or copy before {}", self.origin.name())
            }
            (Source::Context | Source::Elsewhere | Source::Download, Source::Run) => format!(
                "leave {it} to {hider}, or {} {} final state after it",
                self.copy(),
                self.files.its()
            ),
            (Source::Context | Source::Elsewhere | Source::Download, _) => {
                format!("leave {it} out of {}", self.origin.name())
            }
            _ => format!("write {it} only once, in {hider}"),
        }
    }

    /// The verb of the instruction that brought them.
    fn copy(&self) -> &'static str {
        if self.origin.keyword() == Some("ADD") { "add" } else { "copy" }
    }
}
