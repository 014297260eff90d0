//! The life of a path for a terminal.

use std::fmt::Write as _;

use jettison_oci::Bytes;

use crate::account::Account;
use crate::report::page::{Page, Style, Tone, counted};
use crate::report::{escape, model};
use crate::why::{Why, kind_name};

/// The page that `jettison why` prints.
pub fn render(account: &Account, why: &Why, style: Style) -> Vec<u8> {
    let mut page = Page::new(style);
    let title = page.tone(Tone::Heading, &model::path_text(&why.path));
    page.line(&title);
    page.line(&format!("in {}", escape::line(&account.image.origin.to_string())));
    let state = match why.final_kind {
        None if why.events.is_empty() => "no layer of the image has this path".to_owned(),
        None => "not in the final filesystem".to_owned(),
        Some(_) if !why.link.is_empty() => {
            format!("in the final filesystem: a symlink to {}", escape::path(&why.link))
        }
        Some(kind) => format!("in the final filesystem: a {}", kind_name(kind)),
    };
    page.wrapped("", &state);
    page.line(&format!("live {}, wasted {}", Bytes(why.live), Bytes(why.wasted)));
    if !why.events.is_empty() {
        page.blank();
    }
    for event in &why.events {
        let instruction = match &account.layers[event.layer].instruction {
            Some(instruction) => escape::line(&instruction.text()),
            None => "(no instruction in the history)".to_owned(),
        };
        page.clipped(&format!("#{:<3} ", event.layer), &instruction);
        let mut cost = event.action.words().to_owned();
        if event.entries > 1 {
            let _ =
                write!(cost, " {}", counted(event.entries, "entry").replace("entrys", "entries"));
        }
        if event.added > 0 {
            let _ = write!(cost, ", {}", Bytes(event.added));
            if event.wasted > 0 {
                let _ = write!(cost, " of which {} wasted in the end", Bytes(event.wasted));
            }
        }
        if event.hidden > 0 {
            let _ = write!(cost, ", hides {}", Bytes(event.hidden));
        }
        page.wrapped("     ", &cost);
    }
    page.finish()
}
