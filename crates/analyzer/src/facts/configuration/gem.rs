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

/// What a `Gemfile.lock` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Every gem, whether Bundler installs it or takes it from a path or a repository.
    pub gems: Vec<LockedGem>,
    /// Names that the `Gemfile` itself asks for.
    pub asked: Vec<String>,
}

/// One gem of a [`Lock`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedGem {
    /// Its name.
    pub name: String,
    /// Its version, with its platform where it is built for one: `1.16.0-x86_64-linux`.
    pub version: String,
    /// Names of the gems that it needs.
    pub depends: Vec<String>,
}

impl Lock {
    /// Reads a `Gemfile.lock` or `gems.locked`.
    pub fn read(text: &[u8]) -> Self {
        let mut found = Self::default();
        let mut section = String::new();
        for line in lines(text) {
            let line = String::from_utf8_lossy(&line);
            let word = line.trim_start();
            let (name, version) = word.split_once(" (").unwrap_or((word, ""));
            // Pinned to a source.
            let name = name.trim_end().trim_end_matches('!').to_owned();
            if name.is_empty() {
                continue;
            }
            match (line.len() - word.len(), section.as_str()) {
                (0, _) => word.trim_end().clone_into(&mut section),
                (2, "DEPENDENCIES") => found.asked.push(name),
                (4, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE") if !version.is_empty() => {
                    let version = version.trim_end().trim_end_matches(')').to_owned();
                    found.gems.push(LockedGem { name, version, depends: Vec::new() });
                }
                (6, _) => {
                    if let Some(gem) = found.gems.last_mut() {
                        gem.depends.push(name);
                    }
                }
                _ => {}
            }
        }
        found
    }
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
        let lock = Lock::read(
            b"PATH\n  remote: .\n  specs:\n    shop (0.1)\n      rack\n\n\
              GEM\n  remote: x\n  specs:\n    puma (6.4-x86_64-linux)\n      nio4r (~> 2.0)\n\
              \n    rack (3.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  puma (~> 6)\r\n  shop!\n\n\
              BUNDLED WITH\n   2.5\n",
        );
        let gems: Vec<_> = lock.gems.iter().map(|g| (&*g.name, &*g.version, &g.depends)).collect();
        let (rack, nio4r, none) = (vec!["rack".to_owned()], vec!["nio4r".to_owned()], Vec::new());
        assert_eq!(
            gems,
            [("shop", "0.1", &rack), ("puma", "6.4-x86_64-linux", &nio4r), ("rack", "3.0", &none)]
        );
        assert_eq!(lock.asked, ["puma", "shop"]);
    }
}
