//! What a run says: for people, and for machines.

pub mod explain;
pub mod model;
mod span;
pub mod text;

pub(crate) use model::json;
pub use span::span;

use crate::execute::Executed;
use crate::prune::{Look, Node};

/// How text is styled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether it has colours.
    pub color: bool,
    /// Rows of each list; all where there is none.
    pub top: Option<usize>,
}

impl Style {
    fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(anstyle::Style::new().bold(), text)
    }

    fn red(self, text: &str) -> String {
        self.paint(anstyle::AnsiColor::Red.on_default(), text)
    }

    fn dim(self, text: &str) -> String {
        self.paint(anstyle::Style::new().dimmed(), text)
    }
}

/// A look at a node, and what was done about it.
pub struct Report<'a> {
    /// The node.
    pub node: &'a Node,
    /// What was found.
    pub look: &'a Look,
    /// What was done; `None` where nothing was.
    pub executed: Option<&'a Executed>,
}
