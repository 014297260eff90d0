//! Packages that only development needs, where nothing after the install seems to need them.

use super::change::{Change, edit};
use super::{Build, Improvement, Kind};
use crate::advice::dockerfile::Body;
use crate::advice::dockerfile::command::Command;
use crate::advice::dockerfile::run::Script;
use crate::facts::evidence::Confidence;

/// Programs that build, test or watch: they are development packages, or use them.
const BUILDERS: [&str; 24] = [
    "tsc",
    "webpack",
    "vite",
    "next",
    "nuxt",
    "ng",
    "gulp",
    "grunt",
    "rollup",
    "esbuild",
    "parcel",
    "babel",
    "jest",
    "mocha",
    "vitest",
    "eslint",
    "lerna",
    "nx",
    "turbo",
    "react-scripts",
    "nodemon",
    "ts-node",
    "tsx",
    "npx",
];
const INSTALLS: [&str; 4] = ["ci", "install", "i", "clean-install"];

/// Looks at one step.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Some(script) = &step.script else { return };
    for command in &script.commands {
        let (flag, what) = match command.name() {
            "npm" if installs_all(command) => (
                "--omit=dev",
                "install without devDependencies (--omit=dev) if the image only runs the application",
            ),
            "yarn" if installs_yarn(command) => (
                "--production",
                "install without devDependencies (--production) if the image only runs the application",
            ),
            "bundle" if installs_bundle(build, at, script, command) => {
                ("", "install without the development and test groups (bundle config set without)")
            }
            _ => continue,
        };
        if !flag.is_empty() && (is_production(build, at, command) || is_built(build, at)) {
            continue;
        }
        let change = if flag.is_empty() {
            let first = command.words.first().filter(|_| command.assignments.is_empty());
            first.filter(|_| !command.nested).map(|first| {
                let config = "bundle config set --local without 'development test' && ";
                Change::insert(script.place(first.start), config)
            })
        } else {
            // `yarn` alone is an install.
            let verb = command.verb(&INSTALLS).or(command.words.first());
            verb.map(|verb| Change::insert(script.behind(verb.end), format!(" {flag}")))
        };
        let mut improvement =
            build.improvement(at, Kind::DevelopmentPackages, Confidence::Low, what);
        improvement.edit = change.and_then(|change| edit(build.file.text(), vec![change]));
        found.push(improvement);
        return;
    }
}

/// All of a manifest, and nothing that it is told by name.
fn installs_all(command: &Command) -> bool {
    command.verb(&INSTALLS).is_some()
        && command.operands(&INSTALLS).next().is_none()
        && !command.has(&["-g", "--global", "--production", "--prod"])
        && !command.arguments().iter().any(|word| {
            ["--omit", "--only", "--include", "--production="]
                .iter()
                .any(|flag| word.text.starts_with(flag))
        })
}

/// The same for the first yarn; later ones refuse `--production`.
fn installs_yarn(command: &Command) -> bool {
    let is_install = command.arguments().is_empty()
        || command.verb(&["install"]).is_some()
        || command.arguments().iter().all(|word| word.text.starts_with("--"));
    is_install
        && command.operands(&["install"]).next().is_none()
        && !command.has(&["--immutable", "--production", "--prod", "--version", "--help"])
        && !command.arguments().iter().any(|word| word.text.starts_with("--production="))
}

fn installs_bundle(build: &Build<'_>, at: usize, script: &Script<'_>, command: &Command) -> bool {
    let is_told = |command: &Command| {
        command.name() == "bundle"
            && command
                .arguments()
                .iter()
                .any(|word| word.text.contains("without") || word.text.contains("deployment"))
    };
    let earlier = build.steps[..at].iter().filter_map(|step| step.script.as_ref());
    command.verb(&["install"]).is_some()
        && !build.sets(at, "BUNDLE_WITHOUT")
        && !build.sets(at, "BUNDLE_DEPLOYMENT")
        && !command.assignments.iter().any(|text| text.starts_with("BUNDLE_"))
        && !script.any(is_told)
        && !earlier.into_iter().any(|script| script.any(is_told))
}

fn is_production(build: &Build<'_>, at: usize, command: &Command) -> bool {
    build.sets_to(at, "NODE_ENV", "production")
        || command.assignments.iter().any(|text| text == "NODE_ENV=production")
}

/// Whether this step, a later one, or what the image runs uses what only development needs.
fn is_built(build: &Build<'_>, at: usize) -> bool {
    build.steps[at..].iter().any(|step| match (&step.script, &step.instruction.body) {
        (Some(script), _) => script.any(builds),
        (None, Body::Other(words)) if ["CMD", "ENTRYPOINT"].contains(&step.instruction.keyword) => {
            let plain = words.replace(['[', ']', '"', ','], " ");
            let mut words = plain.split_whitespace();
            words.any(|word| {
                let name = word.rsplit('/').next().unwrap_or(word);
                BUILDERS.contains(&name) || ["dev", "watch", "build", "serve"].contains(&name)
            })
        }
        // Nobody knows what else a RUN does.
        (None, Body::Run(_)) => true,
        _ => false,
    })
}

fn builds(command: &Command) -> bool {
    let name = command.name();
    match name {
        "npm" | "yarn" | "pnpm" => {
            let verb = command.arguments().iter().find(|word| !word.text.starts_with('-'));
            verb.is_some_and(|verb| {
                !INSTALLS.contains(&verb.text.as_str())
                    && !["cache", "config", "set", "prune", "add", "version", "--version"]
                        .contains(&verb.text.as_str())
            })
        }
        "make" | "node" | "sh" | "bash" => true,
        _ => BUILDERS.contains(&name) || name.rsplit_once('.').is_some_and(|(_, end)| end == "sh"),
    }
}
