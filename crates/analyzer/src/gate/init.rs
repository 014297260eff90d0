//! The settings that a project starts with: budgets by what its images weigh now.

use std::fmt::Write as _;

use crate::gate::budget::{Budget, DiveFigure, Subject};
use crate::gate::dive_ci::DiveRules;
use crate::gate::judge::enough;
use crate::gate::measure::{Measure, Metric};
use crate::gate::snapshot::Snapshot;

/// Room above the present size: a tenth.
const ROOM: u64 = 10;
/// The least increase that is worth a failure.
const INCREASE_MIN: u64 = 1 << 20;

/// The text of a `jettison.toml`. `baseline` is the file of the baseline.
pub fn settings(images: &[Snapshot], dive: Option<&DiveRules>, baseline: &str) -> String {
    let mut text = format!(
        "# What images may weigh: `jettison gate IMAGE`. All keys: `jettison gate --help`.\n\
         [gate]\n# Written by `jettison baseline update`, and committed.\nbaseline = {}\n",
        quoted(baseline)
    );
    for image in images {
        of_image(&mut text, image);
    }
    if let Some(dive) = dive {
        text.push_str("\n# From the rules of dive.\n");
        for budget in &dive.budgets {
            of_dive(&mut text, budget);
        }
    }
    text.push_str(
        "\n# Nothing that opens doors belongs into an image.\n[[gate.deny]]\nrule = \"secrets\"\n",
    );
    text
}

fn of_image(text: &mut String, image: &Snapshot) {
    let own = image.base_layers.is_some();
    let metric = Metric { measure: Measure::Effective, own };
    let Some(&size) = image.metrics.get(&metric) else { return };
    let subject = Subject::Metric(metric);
    let max = enough(&subject, size.saturating_add(size / ROOM));
    let increase = enough(&subject, (size / (2 * ROOM)).max(INCREASE_MIN));
    let _ = write!(
        text,
        "\n[[gate.budget]]\nimage = {}\n# {}: {} now.\nmetric = \"{metric}\"\nmax = {max}\n\
         max-increase = {increase}\n",
        quoted(&image.image),
        if own {
            "Files of the final filesystem, above the base"
        } else {
            "Files of the final filesystem"
        },
        metric.shown(size),
    );
    let wasted = Metric { measure: Measure::Wasted, own };
    if let Some(&size) = image.metrics.get(&wasted) {
        let subject = Subject::Metric(wasted);
        let _ = write!(
            text,
            "\n[[gate.budget]]\nimage = {}\n# Files that later layers hide: {} now.\n\
             metric = \"{wasted}\"\nmax = {}\n",
            quoted(&image.image),
            wasted.shown(size),
            enough(&subject, size.saturating_add((size / ROOM).max(INCREASE_MIN))),
        );
    }
    let _ = write!(
        text,
        "\n[[gate.budget]]\nimage = {}\n# {} now; engines take no more than 125.\nmax-layers = {}\n",
        quoted(&image.image),
        image.layers.len(),
        image.layers.len() + 5,
    );
}

fn of_dive(text: &mut String, budget: &Budget) {
    let Subject::Dive(figure) = budget.subject else { return };
    match (figure, budget.limits.min, budget.limits.max) {
        (DiveFigure::Efficiency, Some(min), _) => {
            let _ = write!(
                text,
                "[[gate.budget]]\n# lowestEfficiency; live bytes over all bytes.\n\
                 min-efficiency = {}.{:06}\n\n",
                min / 1_000_000,
                min % 1_000_000
            );
        }
        (DiveFigure::WastedBytes, _, Some(max)) => {
            let _ = write!(
                text,
                "[[gate.budget]]\n# highestWastedBytes; dive counts the copy that must be kept too.\n\
                 metric = \"wasted\"\nmax = {max}\n\n"
            );
        }
        (DiveFigure::UserWastedPercent, _, Some(max)) => {
            let _ = write!(
                text,
                "# highestUserWastedPercent = {}.{:06} has no counterpart: a share of what changes \
                 with\n# every build. A budget on own-wasted asks for the same in bytes.\n\n",
                max / 1_000_000,
                max % 1_000_000
            );
        }
        _ => {}
    }
}

/// A text in TOML's quotes.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
