//! An account or a diff as one page that holds all it shows: no request leaves it. Rust counts,
//! puts small files together and escapes; the page's own script draws, sorts and filters.

mod analysis;
mod diff;
mod embed;
mod gate;
mod list;
mod tree;

use askama::Template;
use jettison_oci::escape;

use crate::diff::Diff;
use crate::gate::Gated;
use crate::report::{Analyzed, Detail};

/// The page of `jettison analyze`.
pub fn analysis(of: Analyzed<'_>, detail: Detail) -> Vec<u8> {
    analysis::page(of, detail).bytes()
}

/// The page of `jettison diff`.
pub fn diff(diff: &Diff<'_>, detail: Detail) -> Vec<u8> {
    diff::page(diff, detail).bytes()
}

/// The page of `jettison gate`.
pub fn gate(all: &[Gated], detail: Detail) -> Vec<u8> {
    gate::page(all, detail).bytes()
}

const STYLE: &str = include_str!("html/page.css");

/// One strict script: what is above is known below.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("html/script/text.js"),
    include_str!("html/script/tree.js"),
    include_str!("html/script/layout.js"),
    include_str!("html/script/map.js"),
    include_str!("html/script/table.js"),
    include_str!("html/script/filter.js"),
    include_str!("html/script/cells.js"),
    include_str!("html/script/analysis.js"),
    include_str!("html/script/diff.js"),
    include_str!("html/script/gate.js"),
    include_str!("html/script/start.js"),
    "})();\n",
);

/// What stands in the page's markup; all else is drawn from `data`.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    policy: String,
    style: &'static str,
    script: &'static str,
    /// JSON by [`embed::json`].
    data: String,
    images: Vec<Head>,
    figures: Vec<Figure>,
    version: &'static str,
}

/// An image, by name.
struct Head {
    /// What it is on this page, where there are two.
    role: Option<&'static str>,
    name: String,
    facts: Vec<Fact>,
}

/// Something short about an image.
struct Fact {
    text: String,
    /// The same in full.
    title: String,
}

impl Fact {
    fn of(text: &str) -> Self {
        Self { title: escape::line(text), text: escape::line(text) }
    }
}

/// A number at the top of the page.
struct Figure {
    label: String,
    /// Which state's colour stands beside it; empty for none.
    state: &'static str,
    value: String,
    exact: String,
    note: String,
    /// `more`, `less` or nothing: what became of it.
    trend: &'static str,
}

impl Page {
    fn new(title: String, images: Vec<Head>, figures: Vec<Figure>, data: String) -> Self {
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
            embed::source(STYLE),
            embed::source(SCRIPT)
        );
        Self {
            title,
            policy,
            style: STYLE,
            script: SCRIPT,
            data,
            images,
            figures,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let room = self.data.len() + STYLE.len() + SCRIPT.len() + (16 << 10);
        let mut page = String::with_capacity(room);
        // Writing to a string does not fail.
        let _ = self.render_into(&mut page);
        page.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_page_does_not_end_its_element() {
        for (content, end) in [(STYLE, "</style"), (SCRIPT, "</script")] {
            assert!(!content.contains(end) && !content.contains("<!--"), "{end}");
        }
        // Nothing is fetched, and nothing is made of text but text.
        for word in
            ["http:", "https:", "url(", "@import", "innerHTML", "insertAdjacentHTML", "eval("]
        {
            let is_namespace = |at: usize| SCRIPT[at..].starts_with("http://www.w3.org/2000/svg");
            assert!(!STYLE.contains(word), "{word}");
            assert!(SCRIPT.match_indices(word).all(|(at, _)| is_namespace(at)), "{word}");
        }
    }

    #[test]
    fn names_are_text_in_the_markup() {
        let evil = "</title><script>alert(1)</script>\u{202e}\"'";
        let head = Head { role: None, name: escape::line(evil), facts: vec![Fact::of(evil)] };
        let data = embed::json(&embed::shown(&[evil]));
        let page = Page::new(escape::line(evil), vec![head], Vec::new(), data).bytes();
        let page = String::from_utf8(page).unwrap();
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'));
        assert_eq!(page.matches("</script>").count(), 2);
        assert_eq!(page.matches("</title>").count(), 1);
    }
}
