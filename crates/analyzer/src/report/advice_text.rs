//! Findings and suggestions for a terminal: the best actions, a line each; or all of them in full.

use jettison_oci::count::counted;
use jettison_oci::{Bytes, escape};

use crate::account::Account;
use crate::advice::Advice;
use crate::advice::suggestion::{Kind, Suggestion};
use crate::facts::evidence::Confidence;
use crate::finding::{Finding, RuleSum, Severity};
use crate::report::page::{Page, Tone};
use crate::report::rows::Rows;
use crate::report::{Detail, model};

/// Something that can be done.
enum Action<'a> {
    Suggestion(&'a Suggestion),
    Rule(RuleSum<'a>),
}

impl Action<'_> {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Suggestion(suggestion) => suggestion.saved,
            Self::Rule(sum) => sum.bytes(),
        }
    }

    fn confidence(&self) -> Confidence {
        match self {
            Self::Suggestion(suggestion) => suggestion.confidence,
            Self::Rule(sum) => sum.confidence(),
        }
    }

    /// Whether it must be seen, however few its bytes.
    fn is_grave(&self) -> bool {
        match self {
            // It saves time and traffic, though no disk.
            Self::Suggestion(suggestion) => suggestion.saved.get() == 0,
            Self::Rule(sum) => sum.severity() > Severity::of(sum.bytes().get()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Suggestion(suggestion) => {
                let title = escape::line(&suggestion.title);
                match suggestion.saved_pull.filter(|_| suggestion.saved.get() == 0) {
                    Some(pull) => format!("{title}: {pull} less to pull"),
                    None => format!("{}: {title}", suggestion.kind.name()),
                }
            }
            Self::Rule(sum) => {
                let are_inherited = sum.findings.iter().all(|finding| finding.is_inherited);
                let fix = if are_inherited && !self.is_grave() {
                    "of the base image: start from a leaner one"
                } else {
                    sum.rule().fix
                };
                format!("{}: {fix}", sum.rule().id)
            }
        }
    }
}

/// Draws what to do.
pub(super) fn draw(page: &mut Page, account: &Account, advice: &Advice, detail: Detail) {
    if detail.advice {
        suggestions(page, &advice.suggestions, detail);
        findings(page, account, &advice.findings.all, detail);
    } else {
        best(page, advice, detail);
    }
    silenced(page, advice);
}

fn best(page: &mut Page, advice: &Advice, detail: Detail) {
    // What is said of single instructions, rules say in fewer words.
    let is_told = |one: &&Suggestion| {
        one.kind != Kind::Instruction || one.saved.get() == 0 && one.saved_pull.is_some()
    };
    let suggestions = advice.suggestions.iter().filter(is_told);
    let suggestions = suggestions.map(Action::Suggestion);
    let rules = advice.findings.by_rule().into_iter().map(Action::Rule);
    let mut actions: Vec<Action<'_>> = suggestions.chain(rules).collect();
    actions.sort_by_key(|action| std::cmp::Reverse((action.is_grave(), action.bytes())));
    let (grave, rest): (Vec<_>, Vec<_>) = actions.into_iter().partition(Action::is_grave);
    let rows = Rows::of(&rest, detail, Action::bytes);
    if grave.is_empty() && rows.is_empty() {
        return;
    }
    page.heading("What to do, the most bytes first");
    for action in grave.iter().chain(rows.shown()) {
        let bytes = match action.bytes() {
            Bytes(0) => "-".to_owned(),
            bytes => bytes.to_string(),
        };
        let front = format!("{bytes:>11}  {:<8}", action.confidence().name());
        page.wrapped(&front, &action.text());
    }
    rows.count_rest(page, 21);
    let more = "--advice full: where, why, and the lines to write; jettison rules --explain RULE";
    let more = page.tone(Tone::Faint, more);
    page.line(&more);
}

fn suggestions(page: &mut Page, all: &[Suggestion], detail: Detail) {
    // What costs no bytes may still cost time at each build: it is about lines of a file.
    let is_shown = |one: &Suggestion| one.saved >= detail.min_bytes || one.lines.is_some();
    let (shown, small): (Vec<_>, Vec<_>) = all.iter().partition(|one| is_shown(one));
    let rows = Rows::cut(&shown, &small, detail, |suggestion| suggestion.saved);
    if rows.is_empty() {
        return;
    }
    page.heading("Suggestions, the most bytes first");
    for suggestion in rows.shown() {
        let bytes = match suggestion.saved {
            Bytes(0) => "-".to_owned(),
            bytes => bytes.to_string(),
        };
        let front = format!("{bytes:>11}  {:<8}", suggestion.confidence.name());
        let title = escape::line(&suggestion.title);
        page.wrapped(&front, &format!("{}: {title}", suggestion.kind.name()));
        if let Some(pull) = suggestion.saved_pull {
            page.wrapped("             ", &format!("{pull} less to pull"));
        }
        for because in &suggestion.because {
            page.wrapped("             because ", &escape::line(because));
        }
        if !suggestion.overlaps.is_empty() {
            page.wrapped("             with the bytes of ", &suggestion.overlaps.join(", "));
        }
        let text = suggestion.diff.as_ref().unwrap_or(&suggestion.dockerfile);
        let lines = text.lines().count();
        if lines > LINES_MAX {
            let more = format!("{lines} lines: --write-dockerfile FILE writes them");
            let more = page.tone(Tone::Faint, &more);
            page.line(&format!("    {more}"));
            continue;
        }
        for line in text.lines() {
            // Lines to be copied are never cut.
            page.line(&format!("    {}", escape::lines(line)));
        }
    }
    rows.rest(page);
}

fn findings(page: &mut Page, account: &Account, all: &[Finding], detail: Detail) {
    let mut sorted: Vec<&Finding> = all.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let is_shown = |finding: &&&Finding| {
        finding.bytes >= detail.min_bytes || finding.severity == Severity::High
    };
    let shown: Vec<&Finding> = sorted.iter().filter(is_shown).copied().collect();
    if shown.is_empty() {
        return;
    }
    page.heading("Findings, the gravest first");
    for finding in shown.iter().take(detail.top) {
        let bytes = match finding.bytes {
            Bytes(0) => "-".to_owned(),
            bytes => bytes.to_string(),
        };
        let front = format!("{bytes:>11}  {:<8}", finding.confidence.name());
        let what = format!(
            "{} ({}): {}",
            finding.rule.id,
            finding.severity.name(),
            counted(finding.places.len() + finding.others.len(), "place"),
        );
        page.wrapped(&front, &what);
        let indent = "             ";
        page.wrapped(indent, &escape::line(&finding.remedy));
        page.wrapped(&format!("{indent}because "), &escape::line(&finding.evidence));
        if let Some(instruction) =
            finding.layer.and_then(|layer| model::layer_name(account, layer).instruction)
        {
            page.clipped(&format!("{indent}in "), &instruction);
        }
        if !finding.packages.is_empty() {
            const NAMES: usize = 6;
            let names: Vec<String> =
                finding.packages.iter().take(NAMES).map(|name| escape::line(name)).collect();
            let more = match finding.packages.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            page.wrapped(&format!("{indent}of "), &(names.join(", ") + &more));
        }
        for place in finding.places.iter().take(PLACES) {
            let bytes = match place.bytes {
                0 => String::new(),
                bytes => format!("{}  ", Bytes(bytes)),
            };
            page.path(&format!("{indent}{bytes}"), &model::path_text(&place.path));
        }
        for other in finding.others.iter().take(PLACES) {
            page.wrapped(indent, &escape::line(other));
        }
    }
    let left = shown.len().saturating_sub(detail.top);
    if left > 0 {
        let more = page.tone(Tone::Faint, &format!("             {left} more (--top)"));
        page.line(&more);
    }
}

/// Lines to write that a terminal shows; a whole Dockerfile goes into a file.
const LINES_MAX: usize = 60;

/// Paths of one finding; JSON has more of them.
const PLACES: usize = 3;

fn silenced(page: &mut Page, advice: &Advice) {
    let ignored = &advice.findings.ignored;
    if ignored.is_empty() {
        return;
    }
    let bytes: u64 = ignored.iter().map(|row| row.bytes.get()).sum();
    let places: usize = ignored.iter().map(|row| row.places).sum();
    let text = format!("{} in {} silenced by the settings", Bytes(bytes), counted(places, "place"));
    page.wrapped_behind(Tone::Faint, "", &text);
}
