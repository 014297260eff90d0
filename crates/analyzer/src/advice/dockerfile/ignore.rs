//! `.dockerignore`: what a build leaves out, by the rules of moby's patternmatcher.

mod pattern;

#[cfg(test)]
mod tests;

use pattern::Pattern;

/// A `.dockerignore`.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

impl Ignore {
    /// Reads a `.dockerignore`. A pattern that Docker would refuse leaves nothing out.
    pub fn parse(text: &str) -> Self {
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
        let patterns = lines.filter(|line| !line.starts_with('#')).filter_map(Pattern::parse);
        Self { patterns: patterns.collect() }
    }

    /// Whether a path, relative to the context, is left out: the last pattern says that it or a
    /// directory above it matches.
    pub fn excludes(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./").trim_matches('/');
        self.patterns.iter().fold(false, |is_out, pattern| {
            // Only an exception can bring back, and only the others leave out.
            if pattern.is_exception == is_out && pattern.matches_or_above(path) {
                !is_out
            } else {
                is_out
            }
        })
    }

    /// Whether an exception names the path or a directory above it: it is wanted.
    fn wants(&self, path: &str) -> bool {
        let mut exceptions = self.patterns.iter().filter(|pattern| pattern.is_exception);
        exceptions.any(|pattern| pattern.matches_or_above(path))
    }
}

/// What does not belong in an image.
#[derive(Clone, Copy)]
enum Junk {
    /// A directory or file of this name, wherever it stands.
    Anywhere(&'static str),
    /// Files of this ending, wherever they stand.
    Ending(&'static str),
    /// Files at the top: the start of their name, and its endings.
    Top(&'static str, &'static [&'static str], &'static str),
}

const JUNK: [Junk; 12] = [
    Junk::Anywhere(".git"),
    Junk::Anywhere(".svn"),
    Junk::Anywhere(".hg"),
    Junk::Anywhere(NODE_MODULES),
    Junk::Anywhere(".idea"),
    Junk::Anywhere(".vscode"),
    Junk::Anywhere("__pycache__"),
    Junk::Ending(".pyc"),
    Junk::Anywhere(".DS_Store"),
    Junk::Anywhere(".env"),
    Junk::Top("Dockerfile", &[""], "Dockerfile*"),
    Junk::Top("docker-compose", &[".yml", ".yaml"], "docker-compose*.y*ml"),
];
const NODE_MODULES: &str = "node_modules";

impl Junk {
    /// Whether a path is or is inside such, and then whether it stands at the top.
    fn holds(self, path: &str) -> Option<bool> {
        match self {
            Self::Anywhere(name) => {
                path.split('/').position(|component| component == name).map(|depth| depth == 0)
            }
            Self::Ending(end) => path.ends_with(end).then_some(false),
            Self::Top(start, ends, _) => (path.starts_with(start)
                && !path.contains('/')
                && ends.iter().any(|end| path.ends_with(end)))
            .then_some(true),
        }
    }

    fn entry(self, is_top: bool) -> String {
        match self {
            Self::Anywhere(name) if is_top => name.to_owned(),
            Self::Anywhere(name) => format!("**/{name}"),
            Self::Ending(end) => format!("**/*{end}"),
            Self::Top(_, _, pattern) => pattern.to_owned(),
        }
    }
}

/// The entries that a `.dockerignore` lacks: what brought one of the paths, relative to the
/// context, that no image needs, and that the file neither leaves out nor asks for.
/// `node_modules` is among them where the build installs its own.
pub fn missing<'a>(
    ignore: Option<&str>,
    paths: impl Iterator<Item = &'a str>,
    installs_node_modules: bool,
) -> Vec<String> {
    let ignore = Ignore::parse(ignore.unwrap_or_default());
    // For each kind, whether all its paths stand at the top.
    let mut found: [Option<bool>; JUNK.len()] = [None; JUNK.len()];
    for path in paths {
        let path = path.trim_start_matches("./").trim_matches('/');
        for (junk, found) in JUNK.iter().zip(&mut found) {
            if let Some(is_top) = junk.holds(path)
                && !ignore.excludes(path)
                && !ignore.wants(path)
            {
                *found = Some(is_top && found.unwrap_or(true));
            }
        }
    }
    let is_wanted =
        |junk: &Junk| !matches!(junk, Junk::Anywhere(NODE_MODULES)) || installs_node_modules;
    JUNK.into_iter()
        .zip(found)
        .filter(|(junk, _)| is_wanted(junk))
        .filter_map(|(junk, found)| found.map(|is_top| junk.entry(is_top)))
        .collect()
}
