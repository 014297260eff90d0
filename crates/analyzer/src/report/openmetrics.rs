//! Figures as [OpenMetrics] text: for GitLab's metrics reports, and for what Prometheus scrapes
//! from files.
//!
//! [OpenMetrics]: https://prometheus.io/docs/specs/om/open_metrics_spec/

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use crate::report::briefing::{Briefing, Cell, Level, Measured, State, Subject, Unit};

/// A family of samples that share a name.
#[derive(Default)]
struct Family {
    unit: Option<&'static str>,
    help: String,
    samples: Vec<String>,
}

/// The exposition.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    // Samples of one family stand together, whatever image they are of.
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    // The same image on the same platform, asked for twice, must not be one series twice.
    let mut seen: HashMap<String, usize> = HashMap::new();
    for subject in &briefing.subjects {
        let times = seen.entry(subject.name()).or_default();
        *times += 1;
        let labels = labels(subject, *times);
        for figure in &subject.measures {
            figures(&mut families, figure, &labels);
        }
        notices(&mut families, subject, &labels);
        grown(&mut families, subject, &labels);
    }
    let mut page = String::new();
    for (name, family) in &families {
        let _ = writeln!(page, "# TYPE {name} gauge");
        if let Some(unit) = family.unit {
            let _ = writeln!(page, "# UNIT {name} {unit}");
        }
        let _ = writeln!(page, "# HELP {name} {}", escaped(&family.help));
        page.extend(family.samples.iter().map(String::as_str));
    }
    page.push_str("# EOF\n");
    page.into_bytes()
}

/// `image="ghcr.io/acme/app:1",platform="linux/amd64"`.
fn labels(subject: &Subject, times: usize) -> String {
    let (image, platform) = (escaped(&subject.image), escaped(&subject.platform));
    let again = if times > 1 { format!(",again=\"{times}\"") } else { String::new() };
    format!("image=\"{image}\",platform=\"{platform}\"{again}")
}

fn figures(families: &mut BTreeMap<String, Family>, figure: &Measured, labels: &str) {
    let metric = word(&figure.name);
    let unit = match figure.unit {
        Unit::Bytes => Some("bytes"),
        Unit::Count => None,
        Unit::Millionths => Some("ratio"),
    };
    let suffix = unit.map(|unit| format!("_{unit}")).unwrap_or_default();
    let sides =
        [("jettison_image", figure.value, ""), ("jettison_baseline", figure.base, "Before: ")];
    for (front, value, before) in sides {
        let Some(value) = value else { continue };
        let value = match figure.unit {
            Unit::Bytes | Unit::Count => value.to_string(),
            Unit::Millionths => format!("{}.{:06}", value / 1_000_000, value % 1_000_000),
        };
        let family = families.entry(format!("{front}_{metric}{suffix}")).or_default();
        family.unit = unit;
        family.help = format!("{before}{}", meaning(&figure.name));
        family.samples.push(format!("{front}_{metric}{suffix}{{{labels}}} {value}\n"));
    }
    if let Some(state) = figure.state {
        const NAME: &str = "jettison_budget_exceeded";
        let family = families.entry(NAME.to_owned()).or_default();
        "1 where a figure is over its budget.".clone_into(&mut family.help);
        let value = u8::from(state == State::Fail);
        let metric = escaped(&figure.name);
        family.samples.push(format!("{NAME}{{{labels},metric=\"{metric}\"}} {value}\n"));
    }
}

fn notices(families: &mut BTreeMap<String, Family>, subject: &Subject, labels: &str) {
    const NAME: &str = "jettison_image_notices";
    let family = families.entry(NAME.to_owned()).or_default();
    "What is worth telling, by how grave it is.".clone_into(&mut family.help);
    for level in [Level::Error, Level::Warning, Level::Note] {
        let count = subject.notices.iter().filter(|notice| notice.level == level).count();
        let level = level.name();
        family.samples.push(format!("{NAME}{{{labels},level=\"{level}\"}} {count}\n"));
    }
}

/// Files of a gate that are told by name: each is a series.
const GROWN_MAX: usize = 20;

/// Who grew: the files that changed most, with whose they are and the instruction.
fn grown(families: &mut BTreeMap<String, Family>, subject: &Subject, labels: &str) {
    const NAME: &str = "jettison_image_grown_bytes";
    let files = subject.tables.iter().filter(|table| table.name == "files");
    let mut seen = HashSet::new();
    for row in files.flat_map(|table| table.rows.iter().take(GROWN_MAX)) {
        let [Cell::Code(path), _, _, Cell::Delta(delta), Cell::Text(of), Cell::Code(by), ..] =
            &row[..]
        else {
            continue;
        };
        let (path, of, by) = (escaped(path), escaped(of), escaped(by));
        let names = format!("path=\"{path}\",of=\"{of}\",instruction=\"{by}\"");
        if seen.insert(names.clone()) {
            let family = families.entry(NAME.to_owned()).or_default();
            family.unit = Some("bytes");
            "Change of a file's bytes in the layer of an instruction.".clone_into(&mut family.help);
            family.samples.push(format!("{NAME}{{{labels},{names}}} {delta}\n"));
        }
    }
}

/// What a figure is, for people who see its name only.
fn meaning(name: &str) -> String {
    let (own, of) = match name.strip_prefix("own-") {
        Some(name) => (" of the layers above the base image", name),
        None => ("", name),
    };
    let meaning = match of {
        "compressed" => "Bytes of the blobs, as a registry stores and sends them",
        "uncompressed" => "Bytes of the layers' tars",
        "files" => "Bytes of all files in all layers",
        "effective" => "Bytes of the files in the final filesystem",
        "wasted" => "Bytes of files in no path of the final filesystem",
        "duplicate" => "Bytes of files that are equal to another file",
        "unused" => "Bytes of files that nothing leads to from what the image runs",
        "layers" => "Layers",
        "efficiency" => "Bytes in the final filesystem over those in all layers",
        other => return format!("{other}{own}."),
    };
    format!("{meaning}{own}.")
}

/// A name as metrics have it: letters, digits and underscores.
fn word(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}

/// What ends a value or starts an escape, escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
