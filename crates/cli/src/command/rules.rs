//! `jettison rules`.

use std::fmt::Write as _;

use jettison_analyzer::rule::{self, Rule};

use crate::args::RulesArgs;
use crate::config::known;
use crate::exit::{Code, UsageError};
use crate::printer::Printer;

pub(crate) fn run(args: &RulesArgs) -> anyhow::Result<Code> {
    let text = args.explain.as_deref().map_or_else(|| Ok(list()), explanation)?;
    Printer::result(text.as_bytes())?;
    Ok(Code::Done)
}

fn explanation(id: &str) -> Result<String, UsageError> {
    let ids: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
    rule::find(id).map(Rule::page).ok_or_else(|| {
        let hint = known(id, &ids).err().unwrap_or_default();
        UsageError(format!("there is no rule {id}{hint}"))
    })
}

fn list() -> String {
    let mut text = String::new();
    for rule in rule::ALL {
        let _ = writeln!(text, "{:<32} {}", rule.id, rule.title);
    }
    text
}
