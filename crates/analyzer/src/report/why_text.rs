//! The life of a path for a terminal.

use std::fmt::Write as _;

use jettison_oci::{Bytes, escape};

use crate::account::Account;
use crate::entry::Kind;
use crate::report::model::Use;
use crate::report::page::{Page, Style, Tone};
use crate::report::rows::Rows;
use crate::report::{Detail, model, unused_text};
use crate::why::{Action, Event, State, Why, kind_name};
use jettison_oci::count::counted;

/// The page that `jettison why` prints.
pub fn render(
    account: &Account,
    why: &Why,
    use_of: Option<&Use>,
    detail: Detail,
    style: Style,
) -> Vec<u8> {
    let mut page = Page::new(style);
    let title = page.tone(Tone::Heading, &model::path_text(&why.path));
    page.line(&title);
    page.line(&format!("in {}", escape::line(&account.image.origin.to_string())));
    page.wrapped("", &state(why));
    if let Some(through) = &why.through {
        let link = model::path_text(&through.link);
        let target = escape::path(&through.target);
        let see = match &through.leads_to {
            Some(path) => format!("see {}", model::path_text(path)),
            None => "links lead in a circle".to_owned(),
        };
        page.wrapped("", &format!("{link} is a symlink to {target}: {see}"));
    }
    let kept: u64 = why.kept.iter().map(|(_, bytes)| bytes).sum();
    let mut sizes = format!("live {}, wasted {}", Bytes(why.live), Bytes(why.wasted));
    if kept > 0 {
        let _ = write!(sizes, ", live under other paths {}", Bytes(kept));
    }
    page.line(&sizes);
    hard_links(&mut page, why);
    if !why.events.is_empty() {
        page.blank();
    }
    for event in &why.events {
        self::event(&mut page, account, event);
    }
    if let Some(of) = use_of {
        unused_text::draw_use(&mut page, of);
    }
    below(&mut page, why, detail);
    let rows = Rows::of(&why.kept, detail, |(_, bytes)| Bytes(*bytes));
    if !rows.is_empty() {
        page.heading("Led to once, and live under other paths");
    }
    for (path, bytes) in rows.shown() {
        page.path(&format!("{:>11}  ", Bytes(*bytes).to_string()), &model::path_text(path));
    }
    rows.rest(&mut page);
    page.finish()
}

fn state(why: &Why) -> String {
    match why.final_kind {
        None if why.state == State::Absent => "no layer of the image has this path".to_owned(),
        None if why.state == State::Live => {
            "not in the final filesystem; its content is, under another name".to_owned()
        }
        None => "not in the final filesystem".to_owned(),
        Some(_) if !why.link.is_empty() => {
            format!("in the final filesystem: a symlink to {}", escape::path(&why.link))
        }
        Some(kind @ Kind::File) => {
            let from = why.layer.map(|layer| format!(", its content from #{layer}"));
            format!("in the final filesystem: a {}{}", kind_name(kind), from.unwrap_or_default())
        }
        Some(kind) => format!("in the final filesystem: a {}", kind_name(kind)),
    }
}

fn hard_links(page: &mut Page, why: &Why) {
    /// A file with more names has them all in JSON.
    const SHOWN: usize = 3;
    for path in why.hard_links.iter().take(SHOWN) {
        page.path("hard link with ", &model::path_text(path));
    }
    if why.hard_links.len() > SHOWN {
        page.line(&format!("and {}", counted(why.hard_links.len() - SHOWN, "other name")));
    }
}

fn event(page: &mut Page, account: &Account, event: &Event) {
    let instruction = match &account.layers[event.layer].instruction {
        Some(instruction) => escape::line(&instruction.text()),
        None => "(no instruction in the history)".to_owned(),
    };
    page.clipped(&format!("#{:<3} ", event.layer), &instruction);
    let mut cost = event.action.words().to_owned();
    if let Some(target) = &event.link {
        let as_what = if event.action == Action::Adds { "" } else { " as" };
        let _ = write!(cost, "{as_what} a hard link to {}", model::path_text(target));
    }
    if event.entries > 1 {
        let _ = write!(cost, " {}", counted(event.entries, "entry").replace("entrys", "entries"));
    }
    if event.added > 0 {
        let _ = write!(cost, ", {}", Bytes(event.added));
        if event.wasted > 0 {
            let _ = write!(cost, " of which {} wasted in the end", Bytes(event.wasted));
        }
    }
    if !event.hides.is_empty() {
        let hides = event
            .hides
            .iter()
            .map(|(cause, bytes)| format!("{} ({})", Bytes(*bytes), cause.name()))
            .collect::<Vec<_>>();
        let _ = write!(cost, ", hides {}", hides.join(" and "));
    }
    page.wrapped("     ", &cost);
}

fn below(page: &mut Page, why: &Why, detail: Detail) {
    let rows = Rows::of(&why.below, detail, |part| Bytes(part.bytes()));
    if rows.is_empty() {
        return;
    }
    page.heading("Largest below");
    let head = page.tone(Tone::Faint, &format!("{:>11}{:>11}", "live", "wasted"));
    page.line(&head);
    let figure = |bytes: u64| if bytes == 0 { "-".to_owned() } else { Bytes(bytes).to_string() };
    let front = |live, wasted| format!("{:>11}{:>11}  ", figure(live), figure(wasted));
    for part in rows.shown() {
        page.path(&front(part.live, part.wasted), &model::path_text(&part.path));
    }
    rows.rest_in(page, |parts| {
        let sum = |of: fn(&crate::why::Below) -> u64| parts.iter().map(of).sum();
        front(sum(|part| part.live), sum(|part| part.wasted))
    });
}
