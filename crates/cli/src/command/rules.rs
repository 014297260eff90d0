//! `jettison rules`.

use std::fmt::Write as _;

use jettison_analyzer::rule;

use crate::args::RulesArgs;
use crate::config::known;
use crate::exit::{Code, UsageError};
use crate::printer::Printer;

pub(crate) fn run(args: &RulesArgs) -> anyhow::Result<Code> {
    let text = match &args.explain {
        Some(id) => match rule::find(id) {
            Some(rule) => rule.page(),
            None => {
                let ids: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
                let hint = known(id, &ids).err().unwrap_or_default();
                return Err(UsageError(format!("there is no rule {id}{hint}")).into());
            }
        },
        None => {
            let mut text = String::new();
            for rule in rule::ALL {
                let _ = writeln!(text, "{:<32} {}", rule.id, rule.title);
            }
            text
        }
    };
    Printer::result(text.as_bytes())?;
    Ok(Code::Done)
}
