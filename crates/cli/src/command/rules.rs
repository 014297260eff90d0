//! `jettison rules`.

use std::fmt::Write as _;

use jettison_analyzer::rule;

use crate::args::RulesArgs;
use crate::config::known;
use crate::exit::{Code, UsageError};
use crate::printer::Printer;

pub(crate) fn run(args: &RulesArgs) -> anyhow::Result<Code> {
    let text = match &args.explain {
        Some(id) => page(id)?,
        None => rule::ALL.iter().fold(String::new(), |mut text, rule| {
            let _ = writeln!(text, "{:<32} {}", rule.id, rule.title);
            text
        }),
    };
    Printer::result(text.as_bytes())?;
    Ok(Code::Done)
}

fn page(id: &str) -> Result<String, UsageError> {
    rule::find(id).map(rule::Rule::page).ok_or_else(|| {
        let ids: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
        let hint = known(id, &ids).err().unwrap_or_default();
        UsageError(format!("there is no rule {id}{hint}"))
    })
}
