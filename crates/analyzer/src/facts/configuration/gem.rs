//! What `RubyGems` and Bundler write: specifications of installed gems, and `Gemfile.lock`.

use crate::facts::configuration::lines;
use crate::limits::CONFIGURATION_ROWS_MAX;

/// The specification of one installed gem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gemspec {
    /// Its name.
    pub name: String,
    /// Gems that it needs while it runs.
    pub dependencies: Vec<String>,
    /// Directories of it that are in the load path: `lib`.
    pub require_paths: Vec<String>,
}

/// Reads `specifications/NAME-VERSION.gemspec` as `RubyGems` writes it.
pub fn specification(text: &[u8]) -> Gemspec {
    let mut found = Gemspec::default();
    for line in text.split(|b| *b == b'\n').take(CONFIGURATION_ROWS_MAX) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("s.name = ") {
            found.name = texts(rest).into_iter().next().unwrap_or_default();
        } else if let Some(rest) = line.strip_prefix("s.require_paths = ") {
            found.require_paths = texts(rest);
        } else if let Some(rest) = line
            .strip_prefix("s.add_runtime_dependency")
            .or_else(|| line.strip_prefix("s.add_dependency"))
        {
            let name = rest.trim_start_matches(['(', ' ']);
            let name = match name.strip_prefix("%q<") {
                Some(name) => name.split('>').next().map(str::to_owned),
                None => texts(name).into_iter().next(),
            };
            found.dependencies.extend(name.filter(|name| !found.dependencies.contains(name)));
        }
    }
    if found.require_paths.is_empty() {
        found.require_paths.push("lib".to_owned());
    }
    found
}

/// Texts between double quotes.
fn texts(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Gems of a `Gemfile.lock`, each `name` and `version`.
pub fn locked(text: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in lines(text) {
        // Four spaces: six are what a gem depends on.
        let Some(rest) = line.strip_prefix(b"    ").filter(|rest| !rest.starts_with(b" ")) else {
            continue;
        };
        let rest = String::from_utf8_lossy(rest);
        if let Some((name, version)) = rest.trim().split_once(" (") {
            found.push((name.to_owned(), version.trim_end_matches(')').to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_and_locks_are_read() {
        let text = b"Gem::Specification.new do |s|\n  s.name = \"puma\".freeze\n\
                     s.require_paths = [\"lib\".freeze, \"ext\".freeze]\n\
                     s.add_runtime_dependency(%q<nio4r>.freeze, [\"~> 2.0\"])\n\
                     s.add_dependency(\"rack\", [\">= 1\"])\n\
                     s.add_development_dependency(%q<no>.freeze)\nend\n";
        let found = specification(text);
        assert_eq!(found.name, "puma");
        assert_eq!(found.dependencies, ["nio4r", "rack"]);
        assert_eq!(found.require_paths, ["lib", "ext"]);
        let lock = b"GEM\n  remote: x\n  specs:\n    puma (6.4)\n      nio4r (~> 2.0)\n\nPLATFORMS\n  ruby\n";
        assert_eq!(locked(lock), [("puma".to_owned(), "6.4".to_owned())]);
    }
}
