//! What is told of one image.

use jettison_oci::count::counted;
use jettison_oci::{Bytes, escape};

use crate::account::{Account, waste};
use crate::advice::Advice;
use crate::facts::unused::GroupName;
use crate::facts::{Facts, evidence::Confidence};
use crate::finding::{Finding, Severity};
use crate::gate::measure::{Measure, Metric, efficiency, measure};
use crate::remedy::Remedies;
use crate::report::briefing::{
    About, Briefing, Cell, Level, Lines, Measured, Notice, Subject, Table, Unit, lasting_name,
};
use crate::report::rows::Rows;
use crate::report::text::largest_directories;
use crate::report::{Analyzed, Detail, model};
use crate::tree::Fate;

/// Paths that a notice names: as many as any format shows.
const PATHS: usize = 100;
/// Suggestions among what to do next.
const NEXT: usize = 3;

/// The briefing of an image. `dockerfile` is the file whose lines its advice names.
pub fn analysis(of: Analyzed<'_>, detail: Detail, dockerfile: Option<&str>) -> Briefing {
    let Analyzed { account, facts, advice } = of;
    let image = image_name(account);
    let notices = advice.map(|advice| notices(account, advice, detail, dockerfile));
    let notices = notices.unwrap_or_default();
    let headline = headline(account, &notices);
    let subject = Subject {
        platform: escape::line(&account.image.config.platform.to_string()),
        state: None,
        is_quiet: false,
        measures: measures(account, facts.filter(|_| detail.unused)),
        tables: tables(of, detail),
        origin: origin(account),
        headline: headline.clone(),
        notices,
        image,
    };
    Briefing {
        about: About::Analysis,
        headline,
        subjects: vec![subject],
        next: advice.map(next).unwrap_or_default(),
    }
}

/// An image's name: what was asked for, without the transport.
pub(super) fn image_name(account: &Account) -> String {
    escape::line(&account.image.origin.reference)
}

/// Where the figures come from.
pub(super) fn origin(account: &Account) -> Vec<String> {
    let image = &account.image;
    let mut lines = vec![
        format!("read from {}", escape::line(&image.origin.to_string())),
        format!("image ID {}", image.config_digest),
    ];
    if let Some(digest) = &image.manifest_digest {
        lines.push(format!("manifest {digest}"));
    }
    if let Some(base) = account.base.as_ref().and_then(|base| base.reference.as_deref()) {
        lines.push(format!("base {}", escape::line(base)));
    }
    lines
}

/// A figure of one image.
fn figure(name: &str, unit: Unit, value: Option<u64>) -> Measured {
    Measured { name: name.to_owned(), unit, base: None, value, budget: None, state: None }
}

fn measures(account: &Account, told: Option<&Facts>) -> Vec<Measured> {
    let known = measure(account, told.map(|facts| &facts.unused));
    let of = |own, measure| {
        let metric = Metric { measure, own };
        let unit = if measure == Measure::Layers { Unit::Count } else { Unit::Bytes };
        figure(&metric.to_string(), unit, known.get(&metric).copied())
    };
    let files = |name: &str, bytes| figure(name, Unit::Bytes, Some(bytes));
    let mut all = vec![
        of(false, Measure::Compressed),
        of(false, Measure::Uncompressed),
        files("files", account.sizes.files.get()),
        of(false, Measure::Effective),
        of(false, Measure::Wasted),
        of(false, Measure::Duplicate),
    ];
    all.extend(told.map(|_| of(false, Measure::Unused)));
    all.push(of(false, Measure::Layers));
    all.push(figure("efficiency", Unit::Millionths, Some(efficiency(account))));
    if account.base.as_ref().and_then(|base| base.layers).is_some_and(|layers| layers > 0) {
        let own = account.layers.iter().filter(|row| !row.base);
        all.push(of(true, Measure::Compressed));
        all.push(of(true, Measure::Uncompressed));
        all.push(files("own-files", own.map(|row| row.files.get()).sum()));
        all.push(of(true, Measure::Effective));
        all.push(of(true, Measure::Wasted));
        all.push(of(true, Measure::Layers));
    }
    all
}

/// `728.0 KiB of files, 174.0 KiB of them wasted; 8 findings`.
fn headline(account: &Account, notices: &[Notice]) -> String {
    let sizes = &account.sizes;
    let told = match notices.len() {
        0 => String::new(),
        all => {
            let bytes = Bytes(notices.iter().map(|notice| notice.bytes).sum());
            format!("; {} with {bytes}", counted(all, "finding"))
        }
    };
    format!("{} of files, {} of them wasted{told}", sizes.files, sizes.wasted)
}

fn notices(
    account: &Account,
    advice: &Advice,
    detail: Detail,
    dockerfile: Option<&str>,
) -> Vec<Notice> {
    let findings = advice.findings.all.iter();
    let told = findings
        .filter(|finding| finding.bytes >= detail.min_bytes || is_grave(finding))
        .map(|finding| notice(account, advice, finding, dockerfile));
    let mut told: Vec<Notice> = told.collect();
    told.sort_by_key(Notice::weight);
    told
}

/// Whether it is graver than its bytes are.
fn is_grave(finding: &Finding) -> bool {
    finding.severity > Severity::of(finding.bytes.get())
}

fn notice(
    account: &Account,
    advice: &Advice,
    finding: &Finding,
    dockerfile: Option<&str>,
) -> Notice {
    let image = image_name(account);
    let rule = finding.rule;
    let lines = finding.layer.and_then(|layer| advice.lines.get(layer).copied().flatten());
    let places = counted(finding.places.len() + finding.others.len(), "place");
    let bytes = match finding.bytes {
        Bytes(0) => String::new(),
        bytes => format!("{bytes} of "),
    };
    let instruction = finding.layer.and_then(|layer| model::layer_name(account, layer).instruction);
    let by = instruction.map(|text| format!(" of {text}")).unwrap_or_default();
    let mut message = format!(
        "{image}: {bytes}{} in {places}{by}: {}",
        rule.title,
        escape::line(&finding.evidence)
    );
    if finding.confidence == Confidence::Low {
        message.push_str(" (low confidence)");
    }
    let others = finding.others.iter().map(|other| escape::line(other));
    Notice {
        id: rule.id.to_owned(),
        title: rule.title.to_owned(),
        level: match finding.severity {
            _ if finding.severity == Severity::High && is_grave(finding) => Level::Error,
            Severity::High | Severity::Medium => Level::Warning,
            Severity::Low | Severity::Info => Level::Note,
        },
        message,
        help: Some(escape::line(&finding.remedy)),
        lines: lines.zip(dockerfile).map(|((first, last), file)| Lines {
            file: escape::line(file),
            first,
            last,
        }),
        paths: finding.places.iter().take(PATHS).map(|place| escape::path(&place.path)).collect(),
        bytes: finding.bytes.get(),
        figure: None,
        fingerprint: [rule.id.to_owned(), lasting_name(&image).to_owned(), common(finding)]
            .into_iter()
            .chain(others)
            .collect(),
    }
}

/// The directory that holds all files of a finding: it stays where their number or sizes change.
fn common(finding: &Finding) -> String {
    let mut paths = finding.places.iter().map(|place| place.path.as_slice());
    let Some(first) = paths.next() else { return String::new() };
    let parts = |path| -> Vec<&[u8]> { <[u8]>::split(path, |byte| *byte == b'/').collect() };
    let mut shared = parts(first);
    for path in paths {
        let other = parts(path);
        let same = shared.iter().zip(&other).take_while(|(a, b)| a == b).count();
        shared.truncate(same);
    }
    escape::path(&shared.join(&b'/'))
}

fn tables(of: Analyzed<'_>, detail: Detail) -> Vec<Table> {
    let Analyzed { account, facts, advice } = of;
    let mut tables = vec![layers(account)];
    tables.extend(wasted(account, detail));
    if let Some(advice) = advice {
        tables.extend(suggestions(advice, detail));
    }
    if let Some(facts) = facts.filter(|_| detail.unused) {
        tables.extend(unused(facts, detail));
    }
    tables.extend(wasted_paths(account, detail));
    tables.extend(duplicates(account, detail));
    tables.extend(directories(account, detail));
    tables.extend(files(account, detail));
    tables
}

/// A list that is folded; `None` where it has nothing to tell.
pub(super) fn table(
    title: &str,
    name: &'static str,
    columns: &[&'static str],
    rows: Vec<Vec<Cell>>,
    rest: Option<String>,
) -> Option<Table> {
    (!rows.is_empty() || rest.is_some()).then(|| Table {
        title: title.to_owned(),
        name,
        columns: columns.to_vec(),
        rows,
        rest,
        is_open: false,
    })
}

fn layers(account: &Account) -> Table {
    let row = |(at, row): (usize, &crate::account::LayerRow)| {
        vec![
            Cell::Count(at as u64),
            row.compressed_size.map_or(Cell::Empty, |size| Cell::Bytes(size.get())),
            Cell::Bytes(row.size.get()),
            Cell::Bytes(row.wasted.get()),
            if row.base { Cell::Text("yes".to_owned()) } else { Cell::Empty },
            instruction(model::layer_name(account, at).instruction),
        ]
    };
    Table {
        title: "Layers".to_owned(),
        name: "layers",
        columns: vec!["#", "compressed", "size", "wasted", "base", "instruction"],
        rows: account.layers.iter().enumerate().map(row).collect(),
        rest: None,
        is_open: false,
    }
}

/// An instruction, where the history has one.
pub(super) fn instruction(text: Option<String>) -> Cell {
    text.map_or_else(|| Cell::Text("(no instruction in the history)".to_owned()), Cell::Code)
}

fn wasted(account: &Account, detail: Detail) -> Option<Table> {
    let rows = Rows::of(&account.waste, detail, |row| row.bytes);
    let remedies = Remedies::of(account);
    let cells = rows.shown().iter().map(|row| {
        vec![
            Cell::Bytes(row.bytes.get()),
            Cell::Text(row.cause.name().to_owned()),
            Cell::Text(escape::line(&remedies.sentence(row))),
        ]
    });
    let columns = ["bytes", "cause", "what to do"];
    table("Wasted, and what to do about it", "wasted", &columns, cells.collect(), rows.left_out())
}

fn suggestions(advice: &Advice, detail: Detail) -> Option<Table> {
    let rows = Rows::of(&advice.suggestions, detail, |one| one.saved);
    let cells = rows.shown().iter().map(|one| {
        vec![
            Cell::Bytes(one.saved.get()),
            one.saved_pull.map_or(Cell::Empty, |pull| Cell::Bytes(pull.get())),
            Cell::Text(one.confidence.name().to_owned()),
            Cell::Text(one.kind.name().to_owned()),
            Cell::Text(escape::line(&one.title)),
        ]
    });
    let columns = ["saves", "less to pull", "confidence", "kind", "what to do"];
    let rest = rows.left_out_in(|_| String::new());
    table("Suggestions", "suggestions", &columns, cells.collect(), rest)
}

fn unused(facts: &Facts, detail: Detail) -> Option<Table> {
    let rows = Rows::of(&facts.unused.groups, detail, |group| group.bytes);
    let cells = rows.shown().iter().map(|group| {
        let name = match &group.name {
            GroupName::Package(at) => Cell::Text(escape::line(&facts.packages.all[*at].name)),
            GroupName::Directory(path) => {
                Cell::Code(model::path_text(path.strip_prefix(b"/").unwrap_or(path)))
            }
        };
        vec![
            Cell::Bytes(group.bytes.get()),
            Cell::Text(group.confidence.name().to_owned()),
            name,
            Cell::Count(group.files.len() as u64),
            Cell::Text(escape::line(&group.because)),
        ]
    });
    let columns = ["bytes", "confidence", "of", "files", "because"];
    table("Unused files", "unused", &columns, cells.collect(), rows.left_out())
}

fn wasted_paths(account: &Account, detail: Detail) -> Option<Table> {
    let paths = waste::paths(account);
    let rows = Rows::of(&paths, detail, |row| row.bytes);
    let cells = rows.shown().iter().map(|row| {
        let path = Cell::Code(model::path_text(&row.path));
        vec![Cell::Bytes(row.bytes.get()), Cell::Count(row.copies as u64), path]
    });
    let columns = ["bytes", "copies", "path"];
    table("Largest wasted paths", "wasted-paths", &columns, cells.collect(), rows.left_out())
}

fn duplicates(account: &Account, detail: Detail) -> Option<Table> {
    let rows = Rows::of(&account.duplicates, detail, |row| row.bytes);
    let cells = rows.shown().iter().map(|row| {
        let path = Cell::Code(model::path_text(&row.first));
        vec![Cell::Bytes(row.bytes.get()), Cell::Count(row.payloads.len() as u64), path]
    });
    let columns = ["bytes", "copies", "first path"];
    table("Largest duplicates", "duplicates", &columns, cells.collect(), rows.left_out())
}

fn directories(account: &Account, detail: Detail) -> Option<Table> {
    let directories = largest_directories(account);
    let rows = Rows::of(&directories, detail, |(_, bytes)| Bytes(*bytes));
    let cells = rows.shown().iter().map(|(node, bytes)| {
        vec![Cell::Bytes(*bytes), Cell::Code(model::path_text(&account.tree.path(*node)))]
    });
    // One may hold another: a sum would mean nothing.
    let rest = rows.left_out_in(|_| String::new());
    let columns = ["bytes", "directory"];
    table("Largest live directories", "directories", &columns, cells.collect(), rest)
}

fn files(account: &Account, detail: Detail) -> Option<Table> {
    let live = account.payloads.iter().zip(&account.nodes);
    let live = live.filter(|(payload, _)| matches!(payload.fate, Fate::Live(_)));
    let mut files: Vec<_> =
        live.filter_map(|(payload, node)| Some((payload.size, (*node)?))).collect();
    files.sort_by_cached_key(|(bytes, node)| (std::cmp::Reverse(*bytes), account.tree.path(*node)));
    let rows = Rows::of(&files, detail, |(bytes, _)| Bytes(*bytes));
    let cells = rows.shown().iter().map(|(bytes, node)| {
        vec![Cell::Bytes(*bytes), Cell::Code(model::path_text(&account.tree.path(*node)))]
    });
    table("Largest live files", "files", &["bytes", "path"], cells.collect(), rows.left_out())
}

/// The best suggestions, and where more is told.
fn next(advice: &Advice) -> Vec<String> {
    let best = advice.suggestions.iter().filter(|one| one.saved.get() > 0).take(NEXT);
    let mut lines: Vec<String> =
        best.map(|one| format!("{} (saves {})", escape::line(&one.title), one.saved)).collect();
    if let Some(sum) = advice.findings.by_rule().first() {
        lines.push(format!("`jettison rules --explain {}` tells of a rule", sum.rule().id));
    }
    lines
}
