//! The page of one image.

use std::collections::{BTreeSet, HashMap};

use jettison_oci::{Bytes, escape};
use serde::Serialize;
use serde_json::Value;

use crate::account::Account;
use crate::facts::Facts;
use crate::report::html::list::{List, ROOM};
use crate::report::html::tree::{self, File, Limits, Traits, Tree};
use crate::report::html::{Fact, Figure, Head, Page, embed};
use crate::report::model::{self, Analysis, PackageDocument, SuggestionDocument};
use crate::report::page::percent;
use crate::report::{Analyzed, Detail};
use crate::tree::Fate;

/// What a file is: a position in this list.
const STATES: [State; 5] = [
    State { name: "live", title: "used", side: false },
    State { name: "unused", title: "unused", side: false },
    State { name: "duplicate", title: "duplicate", side: false },
    State { name: "both", title: "unused duplicate", side: false },
    State { name: "wasted", title: "wasted", side: true },
];
const UNUSED: u8 = 1;
const DUPLICATE: u8 = 2;
const WASTED: u8 = 4;

/// A state of files.
#[derive(Serialize)]
pub(super) struct State {
    /// Its colour's name.
    pub(super) name: &'static str,
    /// In words.
    pub(super) title: &'static str,
    /// Whether it is shown beside the picture: its bytes are none of the root's.
    pub(super) side: bool,
}

/// What the script draws from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    view: &'static str,
    states: [State; 5],
    threshold: u64,
    tree: Vec<tree::Row>,
    /// `name` and `ecosystem` of what files are owned by.
    packages: Vec<[String; 2]>,
    /// Rules that have findings.
    rules: Vec<&'static str>,
    size: Value,
    layers: Value,
    waste: List,
    duplicates: List,
    package_rows: Option<List>,
    findings: Option<List>,
    ignored: Option<List>,
    suggestions: Option<List>,
    blind: Vec<Value>,
    warnings: Vec<Value>,
}

pub(super) fn page(of: Analyzed<'_>, detail: Detail) -> Page {
    let Analyzed { account, facts, advice } = of;
    let detail =
        Detail { top: detail.top.max(TOP_MIN), unused: facts.is_some(), advice: true, ..detail };
    let analysis = model::analysis(of, detail);
    let known = facts.zip(analysis.packages.as_deref());
    let owners = known.map(|(facts, rows)| Owners::of(facts, rows)).unwrap_or_default();
    let findings = || advice.iter().flat_map(|advice| &advice.findings.all);
    let rules: BTreeSet<&'static str> = findings().map(|finding| finding.rule.id).collect();
    let rules: Vec<&'static str> = rules.into_iter().collect();
    let mut found: HashMap<u32, u32> = HashMap::new();
    for finding in findings() {
        let rule = rules.binary_search(&finding.rule.id).ok();
        let rule = rule.and_then(|rule| u32::try_from(rule).ok());
        found.extend(finding.places.iter().filter_map(|place| Some((place.payload, rule?))));
    }
    let Tree { threshold, rows } =
        tree::build(files(account, facts, &owners, &found), Limits::PAGE);
    let mut layers = embed::shown(&analysis.layers);
    let room = (LAYERS_ROOM / account.layers.len().max(1)).min(TEXT_MAX);
    for row in layers.as_array_mut().into_iter().flatten() {
        if let Value::String(text) = &mut row["createdBy"] {
            *text = embed::clip(text, room);
        }
    }
    let mut states = STATES;
    if facts.is_none() {
        // Nobody knows of what is live whether it is used.
        states[0].title = "live";
    }
    let head = head(&analysis);
    let figures = figures(&analysis);
    let document = Document {
        view: "analysis",
        states,
        threshold,
        tree: rows,
        packages: owners.labels,
        rules,
        size: embed::shown(&analysis.size),
        layers,
        waste: List::of(&analysis.waste, ROOM, |row| row.bytes),
        duplicates: List::of(&analysis.duplicates, ROOM, |row| row.bytes),
        package_rows: analysis.packages.as_ref().map(|rows| List::of(rows, ROOM, |row| row.bytes)),
        findings: analysis.findings.as_ref().map(|rows| List::of(rows, ROOM, |row| row.bytes)),
        ignored: analysis.ignored.as_ref().map(|rows| List::of(rows, ROOM, |row| row.bytes)),
        suggestions: analysis.suggestions.map(suggestions),
        blind: words(analysis.unused.iter().flat_map(|unused| &unused.blind)),
        warnings: words(&analysis.warnings),
    };
    Page::new(head.name.clone(), vec![head], figures, embed::json(&document))
}

/// Bytes of a Dockerfile that is there to be copied.
const DOCKERFILE_MAX: usize = 100_000;

fn suggestions(mut rows: Vec<SuggestionDocument>) -> List {
    for row in &mut rows {
        for text in [Some(&mut row.dockerfile), row.diff.as_mut()].into_iter().flatten() {
            if text.len() > DOCKERFILE_MAX {
                text.clear();
                row.because.push(
                    "what there is to write is too long for a page: --write-dockerfile and \
                     --format json have it"
                        .to_owned(),
                );
            }
        }
    }
    List::of(&rows, 2 * ROOM, |row| row.bytes)
}

/// Characters of an instruction, a sentence, a command, as far as a page shows them.
const TEXT_MAX: usize = 4000;

/// The same of all instructions together.
const LAYERS_ROOM: usize = 400_000;

/// Characters of a package's name.
const NAME_MAX: usize = 200;

/// Paths that a row tells of, at least: a page has the room.
const TOP_MIN: usize = 20;

/// Sentences that a page tells.
const WORDS_MAX: usize = 100;

fn words<'a>(of: impl IntoIterator<Item = &'a String>) -> Vec<Value> {
    of.into_iter().take(WORDS_MAX).map(|text| embed::shown(&embed::clip(text, TEXT_MAX))).collect()
}

/// Whose files are: packages by name and database, versions apart or not.
#[derive(Default)]
struct Owners {
    labels: Vec<[String; 2]>,
    /// By a package's position: that of its label, if it has one.
    positions: Vec<Option<u32>>,
}

/// Packages that files are told to be of: those with the most bytes.
const OWNERS_MAX: usize = 5000;

impl Owners {
    fn of(facts: &Facts, rows: &[PackageDocument]) -> Self {
        let label = |name: &str, ecosystem: &str| {
            [embed::clip(&escape::line(name), NAME_MAX), ecosystem.to_owned()]
        };
        let most = rows.iter().take(OWNERS_MAX).map(|row| label(&row.name, &row.ecosystem));
        let labels: Vec<[String; 2]> = most.collect::<BTreeSet<_>>().into_iter().collect();
        let all = facts.packages.all.iter();
        let positions = all.map(|package| {
            let at = labels.binary_search(&label(&package.name, package.ecosystem.name())).ok()?;
            u32::try_from(at).ok()
        });
        Self { positions: positions.collect(), labels }
    }
}

/// Every payload, by the path that tells of it.
fn files(
    account: &Account,
    facts: Option<&Facts>,
    owners: &Owners,
    found: &HashMap<u32, u32>,
) -> Vec<File> {
    let mut states = vec![0_u8; account.payloads.len()];
    // Of equal files the first is the one that stays.
    for payload in account.duplicates.iter().flat_map(|row| row.payloads.iter().skip(1)) {
        states[*payload as usize] += DUPLICATE;
    }
    let unused = facts.iter().flat_map(|facts| &facts.unused.groups).flat_map(|group| &group.files);
    for payload in unused.filter_map(|node| account.tree.payload(*node)) {
        states[payload as usize] |= UNUSED;
    }
    let rows = (0_u32..).zip(&account.payloads).filter(|(_, payload)| payload.size > 0);
    rows.map(|(at, payload)| {
        let node = account.nodes[at as usize];
        let (path, state) = match (payload.fate, node) {
            (Fate::Live(_), Some(node)) => (account.tree.path(node), states[at as usize]),
            _ => (account.entry_path(payload).to_vec(), WASTED),
        };
        let owner = node.and_then(|node| facts?.packages.owner_position(node));
        let traits = Traits {
            state,
            layer: Some(payload.entry.layer),
            package: owner.and_then(|at| owners.positions[at]),
            rule: found.get(&at).copied(),
        };
        File { path, bytes: payload.size, traits }
    })
    .collect()
}

fn head(analysis: &Analysis) -> Head {
    let image = &analysis.image;
    let mut facts = vec![Fact::of(&image.platform), Fact::of(&image.transport)];
    if let Some(created) = &image.created {
        facts.push(Fact { text: format!("built {}", day(created)), title: escape::line(created) });
    }
    let id = image.config_digest.to_string();
    let short = id.split(':').nth(1).unwrap_or(&id);
    let short: String = short.chars().take(12).collect();
    facts.push(Fact { text: format!("ID {short}"), title: id });
    if let Some(base) = &analysis.base {
        let text = match (&base.reference, base.layers) {
            (Some(name), _) => format!("base {}", escape::line(name)),
            (None, Some(layers)) => format!("base: {layers} layers"),
            (None, None) => "base known".to_owned(),
        };
        facts.push(Fact { title: format!("by {}", base.source), text });
    }
    let runs = image.entrypoint.iter().chain(&image.cmd);
    let runs: Vec<String> = runs.map(|word| escape::line(word)).collect();
    if !runs.is_empty() {
        let text = embed::clip(&runs.join(" "), TEXT_MAX);
        facts.push(Fact { title: "ENTRYPOINT and CMD".to_owned(), text: format!("runs {text}") });
    }
    Head { role: None, name: escape::line(&image.reference), facts }
}

/// The day of a time as builders write it.
fn day(time: &str) -> String {
    let day = time.split('T').next().unwrap_or(time);
    escape::line(&day.chars().take(32).collect::<String>())
}

fn figures(analysis: &Analysis) -> Vec<Figure> {
    let size = &analysis.size;
    let figure = |label: &str, state, bytes: Bytes, note: &str| Figure {
        label: label.to_owned(),
        state,
        value: bytes.to_string(),
        exact: exact(bytes),
        note: note.to_owned(),
        trend: "",
    };
    let share =
        |part: Bytes, whole: Bytes, of| format!("{} of {of}", percent(part.get(), whole.get()));
    let mut figures = Vec::new();
    if let Some(compressed) = size.compressed {
        figures.push(figure("compressed", "", compressed, "as a registry sends it"));
    }
    let layers = jettison_oci::count::counted(analysis.layers.len(), "layer");
    figures.push(figure("layers", "", size.layers, &format!("{layers}, uncompressed")));
    figures.push(figure("files", "", size.files, "live and wasted"));
    figures.push(figure("live", "live", size.live, "in the final filesystem"));
    let of_files = share(size.wasted, size.files, "files");
    figures.push(figure("wasted", "wasted", size.wasted, &of_files));
    let of_live = share(size.duplicate, size.live, "live");
    figures.push(figure("duplicate", "duplicate", size.duplicate, &of_live));
    if let Some(unused) = size.unused {
        let of_live = share(unused, size.live, "live");
        figures.push(figure("unused", "unused", unused, &of_live));
    }
    figures.push(Figure {
        label: "efficiency".to_owned(),
        state: "",
        value: if size.files.get() == 0 {
            "100.0 %".to_owned()
        } else {
            percent(size.live.get(), size.files.get())
        },
        exact: format!("{} of {} bytes are live", size.live.get(), size.files.get()),
        note: "live of files".to_owned(),
        trend: "",
    });
    figures
}

/// A size to the byte.
pub(super) fn exact(bytes: Bytes) -> String {
    let text = bytes.get().to_string();
    let mut digits = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            digits.push(',');
        }
        digits.push(digit);
    }
    format!("{digits} bytes")
}
