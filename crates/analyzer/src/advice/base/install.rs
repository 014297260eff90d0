//! Interpreters as they are installed: where one stands, which version it is, and which files are
//! its own rather than modules that somebody added.

use crate::advice::base::candidate::Language;
use crate::advice::base::version::Version;
use crate::entry::split;

/// One interpreter's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Install {
    /// Its language.
    pub(super) language: Language,
    /// Where its program stands, links followed.
    pub(super) path: Vec<u8>,
    /// The directory that it is installed below: `/usr/local`, `/opt/java/openjdk`.
    pub(super) prefix: Vec<u8>,
    /// Its version, as many numbers as tell what fits.
    pub(super) version: Option<Version>,
}

/// Modules that come with Python's own installer.
const PYTHON_OWN: [&[u8]; 5] =
    [b"pip", b"setuptools", b"wheel", b"_distutils_hack", b"pkg_resources"];
/// Programs that come with an interpreter, by the front of their names.
const PROGRAMS: [(Language, &[&[u8]]); 6] = [
    (Language::Python, &[b"python", b"pip", b"idle", b"pydoc", b"2to3"]),
    (Language::Node, &[b"node", b"npm", b"npx", b"corepack", b"yarn"]),
    (Language::Java, &[]),
    (
        Language::Ruby,
        &[b"ruby", b"gem", b"bundle", b"irb", b"erb", b"rake", b"rdoc", b"ri", b"racc", b"rbs"],
    ),
    (Language::Php, &[b"php", b"phar", b"pear", b"pecl", b"docker-php-"]),
    (Language::Perl, &[b"perl"]),
];

impl Install {
    /// The interpreter that a program at a path is; `None` where it is none. `variables` are those
    /// of the image's configuration, `package` the version of the package that brought it.
    pub(super) fn of(path: &[u8], variables: &[String], package: Option<&str>) -> Option<Self> {
        let (directory, name) = split(path);
        let (bin, last) = split(directory);
        if !matches!(last, b"bin" | b"sbin") {
            return None;
        }
        let versioned = |front: &[u8]| {
            let rest = name.strip_prefix(front)?;
            rest.iter().all(|b| b.is_ascii_digit() || *b == b'.').then_some(rest)
        };
        let (language, rest) = if let Some(rest) = versioned(b"python") {
            (Language::Python, rest)
        } else if matches!(name, b"node" | b"nodejs") {
            (Language::Node, &b""[..])
        } else if name == b"java" {
            (Language::Java, &b""[..])
        } else if let Some(rest) = versioned(b"ruby") {
            (Language::Ruby, rest)
        } else if let Some(rest) = versioned(b"php-fpm").or_else(|| versioned(b"php")) {
            (Language::Php, rest)
        } else if let Some(rest) = versioned(b"perl") {
            (Language::Perl, rest)
        } else {
            return None;
        };
        let numbers = language.numbers();
        let full = |version: Version| Some(version).filter(|v| v.numbers() >= numbers);
        let named = str::from_utf8(rest).ok().and_then(Version::parse).and_then(full);
        // Java's home has the version in its name on most distributions.
        let in_home = || {
            let home = String::from_utf8_lossy(split(bin).1).into_owned();
            let digits = home.find(|c: char| c.is_ascii_digit())?;
            Version::parse(&home[digits..]).filter(|_| language == Language::Java)
        };
        let version = named
            .or_else(|| package.and_then(epochless).and_then(full))
            .or_else(|| told(language, bin, variables))
            .or_else(in_home);
        // Java 8 calls itself 1.8.
        let version = version.map(|version| {
            let parts = version.front(2).to_string();
            match parts.strip_prefix("1.").filter(|_| language == Language::Java) {
                Some(rest) => Version::parse(rest).unwrap_or(version),
                None => version.front(numbers),
            }
        });
        Some(Self { language, path: path.to_vec(), prefix: bin.to_vec(), version })
    }

    /// Whether a file is the interpreter's own. Files of Java's home all are.
    pub(super) fn owns(&self, path: &[u8]) -> bool {
        let Some(rest) = path.strip_prefix(&self.prefix[..]).and_then(|p| p.strip_prefix(b"/"))
        else {
            return self.language == Language::Node && path.starts_with(b"/opt/yarn-v");
        };
        let parts: Vec<&[u8]> = rest.split(|b| *b == b'/').collect();
        if self.language == Language::Java {
            // A system's own directories are no home.
            let is_system = matches!(&self.prefix[..], b"" | b"/usr" | b"/usr/local");
            return !is_system || rest == b"bin/java";
        }
        match parts[..] {
            [b"bin" | b"sbin", name] => {
                let fronts = PROGRAMS.iter().find(|(language, _)| *language == self.language);
                fronts.is_some_and(|(_, fronts)| fronts.iter().any(|f| name.starts_with(f)))
            }
            [b"include", folder, ..] => folder.starts_with(match self.language {
                Language::Python => b"python",
                Language::Node => b"node",
                Language::Ruby => b"ruby",
                Language::Php => b"php",
                Language::Java | Language::Perl => return false,
            }),
            [b"lib" | b"lib64", ref rest @ ..] => self.owns_library(rest),
            _ => false,
        }
    }

    fn owns_library(&self, parts: &[&[u8]]) -> bool {
        match (self.language, parts) {
            (Language::Python, [folder, rest @ ..]) if is_python(folder) => match rest {
                [b"site-packages" | b"dist-packages", module, ..] => {
                    PYTHON_OWN.iter().any(|own| module.starts_with(own))
                }
                [b"site-packages" | b"dist-packages"] => false,
                _ => true,
            },
            (Language::Python, [file]) => file.starts_with(b"libpython"),
            (Language::Node, [b"node_modules", module, ..]) => {
                matches!(*module, b"npm" | b"corepack")
            }
            (Language::Ruby, [b"ruby", rest @ ..]) => !matches!(rest, [b"vendor_ruby", ..]),
            (Language::Ruby, [file]) => file.starts_with(b"libruby"),
            (Language::Php, [b"php", b"extensions", ..]) => false,
            (Language::Php, [b"php", ..]) | (Language::Perl, [b"perl5" | b"perl", ..]) => true,
            _ => false,
        }
    }

    /// Whether a file is a module that somebody added to this interpreter and that fits its version
    /// only: what stands in a directory with the version in its name.
    pub(super) fn is_module(&self, path: &[u8]) -> bool {
        let parts: Vec<&[u8]> = path.split(|b| *b == b'/').collect();
        parts.windows(2).any(|pair| match self.language {
            Language::Python => {
                is_python(pair[0]) && matches!(pair[1], b"site-packages" | b"dist-packages")
            }
            Language::Php => pair[0] == b"php" && pair[1] == b"extensions",
            _ => false,
        })
    }
}

/// `python3.11`, `python3`.
fn is_python(folder: &[u8]) -> bool {
    folder
        .strip_prefix(b"python")
        .is_some_and(|rest| rest.first() == Some(&b'3') || rest.first() == Some(&b'2'))
}

/// The version that official images tell in a variable, of what they install themselves.
fn told(language: Language, prefix: &[u8], variables: &[String]) -> Option<Version> {
    let variable = match language {
        Language::Python => "PYTHON_VERSION=",
        Language::Node => "NODE_VERSION=",
        Language::Java => "JAVA_VERSION=",
        Language::Ruby => "RUBY_VERSION=",
        Language::Php => "PHP_VERSION=",
        Language::Perl => return None,
    };
    if prefix == b"/usr" {
        return None;
    }
    let value = variables.iter().find_map(|row| row.strip_prefix(variable))?;
    let value = value.strip_prefix("jdk-").or(value.strip_prefix("jdk")).unwrap_or(value);
    Version::parse(value.strip_prefix('v').unwrap_or(value))
}

/// The version of a distribution's package without the epoch in front.
fn epochless(version: &str) -> Option<Version> {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    Version::parse(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(path: &str, variables: &[&str], package: Option<&str>) -> Option<Install> {
        let variables: Vec<String> = variables.iter().map(|row| (*row).to_owned()).collect();
        Install::of(path.as_bytes(), &variables, package)
    }

    #[test]
    fn interpreters_and_their_versions_are_told_by_name_package_and_environment() {
        let found = |path: &str, variables: &[&str], package| {
            let install = install(path, variables, package)?;
            Some((install.language, install.version.map(|version| version.to_string())))
        };
        let is = |language, version: &str| Some((language, Some(version.to_owned())));
        assert_eq!(found("/usr/local/bin/python3.11", &[], None), is(Language::Python, "3.11"));
        assert_eq!(
            found("/usr/local/bin/node", &["NODE_VERSION=22.3.0"], None),
            is(Language::Node, "22")
        );
        assert_eq!(
            found("/usr/bin/node", &["NODE_VERSION=22.3.0"], Some("1:18.19.0+dfsg-6")),
            is(Language::Node, "18")
        );
        assert_eq!(
            found("/opt/java/openjdk/bin/java", &["JAVA_VERSION=jdk-17.0.12+7"], None),
            is(Language::Java, "17")
        );
        assert_eq!(
            found("/usr/lib/jvm/java-21-openjdk-amd64/bin/java", &[], None),
            is(Language::Java, "21")
        );
        assert_eq!(
            found("/opt/java/openjdk/bin/java", &["JAVA_VERSION=1.8.0_412"], None),
            is(Language::Java, "8")
        );
        assert_eq!(found("/usr/bin/php8.2", &[], None), is(Language::Php, "8.2"));
        assert_eq!(found("/opt/node/bin/node", &[], None), Some((Language::Node, None)));
        for none in ["/usr/bin/python3-config", "/usr/bin/nodemon", "/app/python3", "/bin/phpunit"]
        {
            assert_eq!(found(none, &[], None), None, "{none}");
        }
    }

    #[test]
    fn an_interpreters_own_files_are_told_from_modules() {
        let python = install("/usr/local/bin/python3.11", &[], None).unwrap();
        for (path, is) in [
            ("/usr/local/bin/python3.11", true),
            ("/usr/local/bin/gunicorn", false),
            ("/usr/local/lib/libpython3.11.so.1.0", true),
            ("/usr/local/lib/python3.11/json/__init__.py", true),
            ("/usr/local/lib/python3.11/site-packages/pip/__init__.py", true),
            ("/usr/local/lib/python3.11/site-packages/flask/app.py", false),
            ("/usr/local/lib/libother.so", false),
            ("/app/main.py", false),
        ] {
            assert_eq!(python.owns(path.as_bytes()), is, "{path}");
        }
        assert!(python.is_module(b"/venv/lib/python3.11/site-packages/flask/app.py"));
        assert!(!python.is_module(b"/app/main.py"));
        let node = install("/usr/local/bin/node", &[], None).unwrap();
        assert!(node.owns(b"/usr/local/lib/node_modules/npm/package.json"));
        assert!(node.owns(b"/opt/yarn-v1.22.22/bin/yarn"));
        assert!(!node.owns(b"/usr/local/lib/node_modules/pm2/package.json"));
        let java = install("/opt/java/openjdk/bin/java", &[], None).unwrap();
        assert!(java.owns(b"/opt/java/openjdk/lib/modules"));
        assert!(!java.owns(b"/app/app.jar"));
        let php = install("/usr/local/sbin/php-fpm", &[], None).unwrap();
        assert!(!php.owns(b"/usr/local/lib/php/extensions/no-debug-non-zts-20230831/gd.so"));
        assert!(php.is_module(b"/usr/local/lib/php/extensions/no-debug-non-zts-20230831/gd.so"));
    }
}
