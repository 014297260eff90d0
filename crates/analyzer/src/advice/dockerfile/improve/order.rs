//! A COPY of everything before the install of dependencies, which a manifest is enough for.

use super::super::edit::Edit;
use super::change::{Change, edit};
use super::{Build, Improvement, Kind, Step};
use crate::advice::dockerfile::command::Command;
use crate::advice::dockerfile::path::below;
use crate::advice::dockerfile::{Body, Copy, flag};
use crate::facts::evidence::Confidence;

/// An install, and the files that it needs.
struct Install {
    /// Words for COPY: what may be missing stands as a pattern.
    files: Vec<String>,
    /// Whether nothing else is needed.
    is_enough: bool,
}

/// Looks at one step, the COPY.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Body::Copy(copy) = &step.instruction.body else { return };
    if !is_everything(copy) {
        return;
    }
    let later = build.later(at).take_while(|later| later.stage == step.stage);
    let Some((distance, install)) =
        later.enumerate().find_map(|(distance, step)| Some((distance, install(step)?)))
    else {
        return;
    };
    let has_manifest = build.steps[..at].iter().any(|step| {
        matches!(&step.instruction.body, Body::Copy(copy) if copy.sources.iter().any(|source| {
            install.files.iter().any(|file| names(source, file))
        }))
    });
    if has_manifest {
        return;
    }
    let files = install.files.join(" ");
    let what = format!(
        "copy {files} first and install before the other files come: then only a change of those \
         installs anew"
    );
    let mut improvement = build.improvement(at, Kind::CopyOrder, Confidence::Medium, &what);
    let run = &build.steps[at + 1 + distance];
    improvement.last_line = run.instruction.last;
    if distance == 0 && install.is_enough && run.directory == step.directory && is_here(copy, step)
    {
        improvement.edit = moved(build, step, run, copy, &files);
    }
    found.push(improvement);
}

/// `COPY . .` from the context.
fn is_everything(copy: &Copy) -> bool {
    let everything = [".", "./", "/"];
    copy.sources.iter().any(|source| everything.contains(&source.as_str()))
        && flag(&copy.flags, "from").is_none()
        && !copy.flags.iter().any(|flag| ["exclude", "parents"].contains(&flag.name.as_str()))
}

/// Whether it copies into the working directory.
fn is_here(copy: &Copy, step: &Step<'_>) -> bool {
    let target = below(step.directory.as_deref(), &copy.destination);
    [".", "./"].contains(&copy.destination.as_str())
        || (target.is_some() && target == step.directory)
}

/// Whether a source of a COPY is a file, or a pattern for it.
fn names(source: &str, file: &str) -> bool {
    let name = |path: &str| {
        let path = path.trim_start_matches("./");
        path.trim_end_matches('*').to_owned()
    };
    let (source, file) = (name(source), name(file));
    source == file
        || source.starts_with(file.split('*').next().unwrap_or(&file))
        || file.starts_with(source.split('*').next().unwrap_or(&source)) && source.contains('*')
}

/// The first install of a RUN.
fn install(step: &Step<'_>) -> Option<Install> {
    let script = step.script.as_ref()?;
    let first = script.commands.first()?;
    let (at, mut install) =
        script.commands.iter().enumerate().find_map(|(at, command)| Some((at, needs(command)?)))?;
    // What is done before it may need other files.
    install.is_enough &= at == 0
        || ["apt-get", "apk", "npm", "corepack", "pip", "pip3", "python", "python3"]
            .contains(&first.name())
            && at == 1;
    // What is done behind it may as well.
    install.is_enough &= script.commands[at + 1..].iter().all(|command| {
        matches!(command.name(), "rm") || command.verb(&["cache", "clean"]).is_some()
    });
    Some(install)
}

/// What an install needs.
fn needs(command: &Command) -> Option<Install> {
    let plain =
        |verbs: &[&str]| command.verb(verbs).is_some() && command.operands(verbs).next().is_none();
    let (files, is_enough): (&[&str], bool) = match command.name() {
        "npm"
            if !command.has(&["-g", "--global"])
                && plain(&["ci", "install", "i", "clean-install"]) =>
        {
            (&["package*.json"], true)
        }
        "yarn"
            if command.arguments().iter().all(|word| word.text.starts_with("--"))
                || plain(&["install"]) =>
        {
            (&["package.json", "yarn.lock*"], true)
        }
        "pnpm" if plain(&["install", "i"]) => (&["package.json", "pnpm-lock.yaml*"], true),
        "go" if command.arguments().first().is_some_and(|word| word.text == "mod")
            && command.has(&["download"]) =>
        {
            (&["go.mod", "go.sum*"], true)
        }
        // Without sources, cargo has no target to fetch for; scripts of the others may need them.
        "cargo" if plain(&["fetch", "build"]) => (&["Cargo.toml", "Cargo.lock*"], false),
        "composer" if plain(&["install"]) => (&["composer.json", "composer.lock*"], false),
        "bundle" if plain(&["install"]) => (&["Gemfile", "Gemfile.lock*"], true),
        "mvn" if command.has(&["dependency:go-offline", "dependency:resolve"]) => {
            (&["pom.xml"], true)
        }
        name if name.starts_with("pip") || name.starts_with("python") => {
            return requirements(command);
        }
        _ => return None,
    };
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    Some(Install { files, is_enough })
}

/// `pip install -r requirements.txt`; `None` where it installs what is copied.
fn requirements(command: &Command) -> Option<Install> {
    let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
    let from = words.iter().position(|word| *word == "install")?;
    let is_pip = command.name().starts_with("pip") || words.get(..2) == Some(&["-m", "pip"]);
    let mut files = Vec::new();
    let mut rest = words[from + 1..].iter();
    while let Some(word) = rest.next() {
        match *word {
            "-r" | "--requirement" | "-c" | "--constraint" => {
                files.push((*rest.next()?).to_owned());
            }
            "-e" | "--editable" => return None,
            word if word.starts_with("--requirement=") => {
                files.push(word.trim_start_matches("--requirement=").to_owned());
            }
            word if word.starts_with('.') || word.starts_with('/') => return None,
            _ => {}
        }
    }
    let is_enough = files.iter().all(|file| !file.contains(['/', '$']));
    (is_pip && !files.is_empty()).then_some(Install { files, is_enough })
}

/// The manifest's COPY and the RUN, before the COPY of everything.
fn moved(
    build: &Build<'_>,
    step: &Step<'_>,
    run: &Step<'_>,
    copy: &Copy,
    files: &str,
) -> Option<Edit> {
    let text = build.file.text();
    let first = build.line_start(step.instruction.first);
    // Comments above the RUN go with it.
    let start = build.line_start(step.instruction.last + 1);
    let end = build.line_start(run.instruction.last + 1);
    let flags = copy.flags.iter().fold(String::new(), |all, flag| {
        let value = flag.value.as_ref().map_or(String::new(), |value| format!("={value}"));
        format!("{all} --{}{value}", flag.name)
    });
    let lines = text.get(start..end)?;
    // The last line of a file may have no end, but here it is not the last any more.
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    let front = format!("{}{flags} {files} ./\n{lines}\n", step.instruction.keyword);
    edit(text, vec![Change::insert(first, front), Change::replace(start, end, "")])
}
