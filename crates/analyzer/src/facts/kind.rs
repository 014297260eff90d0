//! Kinds of files that no program reads while it does its work, told by where they stand.
//!
//! The directories of documents are those of Debian's own list for its slim images
//! (debuerreotype's `.slimify-excludes`), with its exceptions.

use crate::content::python;
use crate::entry::extension;

/// What a file is for, as far as its place tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// Documentation, examples, change logs.
    Documentation,
    /// Manual and info pages.
    Manual,
    /// Translations of messages.
    Translation,
    /// Lists and archives of a package manager, and other caches that fill again by themselves.
    Cache,
    /// Headers, static libraries and what tells compilers of them.
    Development,
    /// Hooks and checks of package tools.
    PackageTooling,
    /// Tests of a library.
    Test,
    /// Anything else.
    Other,
}

impl FileKind {
    /// The words in reports; empty for [`Self::Other`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Manual => "manual pages",
            Self::Translation => "translations",
            Self::Cache => "caches",
            Self::Development => "headers and static libraries",
            Self::PackageTooling => "package tooling",
            Self::Test => "tests",
            Self::Other => "",
        }
    }
}

const BY_DIRECTORY: [(&[u8], FileKind); 27] = [
    (b"/usr/share/doc/", FileKind::Documentation),
    (b"/usr/share/doc-base/", FileKind::Documentation),
    (b"/usr/share/gtk-doc/", FileKind::Documentation),
    (b"/usr/local/share/doc/", FileKind::Documentation),
    (b"/usr/share/man/", FileKind::Manual),
    (b"/usr/local/share/man/", FileKind::Manual),
    (b"/usr/local/man/", FileKind::Manual),
    (b"/usr/share/info/", FileKind::Manual),
    (b"/usr/share/locale/", FileKind::Translation),
    (b"/usr/share/i18n/", FileKind::Translation),
    (b"/usr/share/gnome/help/", FileKind::Documentation),
    (b"/usr/share/omf/", FileKind::Documentation),
    (b"/usr/share/lintian/", FileKind::PackageTooling),
    (b"/usr/share/linda/", FileKind::PackageTooling),
    (b"/usr/share/debconf/", FileKind::PackageTooling),
    (b"/usr/share/bug/", FileKind::PackageTooling),
    (b"/usr/share/reportbug/", FileKind::PackageTooling),
    (b"/usr/share/bash-completion/", FileKind::PackageTooling),
    (b"/usr/share/zsh/vendor-completions/", FileKind::PackageTooling),
    (b"/usr/share/fish/vendor_completions.d/", FileKind::PackageTooling),
    (b"/var/cache/", FileKind::Cache),
    (b"/var/lib/apt/lists/", FileKind::Cache),
    (b"/root/.cache/", FileKind::Cache),
    (b"/root/.npm/", FileKind::Cache),
    (b"/usr/include/", FileKind::Development),
    (b"/usr/local/include/", FileKind::Development),
    (b"/usr/share/aclocal/", FileKind::Development),
];

/// What dpkg runs and reads when a package comes or goes; its lists say what is there.
const TOOLING: [&[u8]; 9] = [
    b"symbols",
    b"shlibs",
    b"templates",
    b"config",
    b"triggers",
    b"preinst",
    b"postinst",
    b"prerm",
    b"postrm",
];

/// What a directory tells of the files in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Place {
    by_directory: Option<FileKind>,
    is_dpkg_info: bool,
    is_in_usr_lib: bool,
    is_in_usr_share: bool,
    is_in_var: bool,
    is_of_builds: bool,
    is_in_modules: bool,
    is_in_site: bool,
    is_in_python_library: bool,
    is_of_tests: bool,
    is_in_auto: bool,
    is_of_perl: bool,
    is_in_gems: bool,
    is_of_ruby: bool,
    is_of_php: bool,
}

impl Place {
    /// By the directory's path, which starts with a slash and ends without one.
    pub fn of(directory: &[u8]) -> Self {
        let is_below = |above: &[u8]| {
            let rest = directory.strip_prefix(&above[..above.len() - 1]);
            rest.is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
        };
        let has = |part: &[u8]| memchr::memmem::find(directory, part).is_some();
        let mut place = Self {
            by_directory: BY_DIRECTORY.iter().find(|row| is_below(row.0)).map(|row| row.1),
            is_dpkg_info: directory == b"/var/lib/dpkg/info",
            is_in_usr_lib: directory.starts_with(b"/usr/lib/"),
            is_in_usr_share: is_below(b"/usr/share/"),
            is_in_var: is_below(b"/var/"),
            is_of_builds: false,
            is_in_modules: false,
            is_in_site: false,
            is_in_python_library: python::is_library(directory.get(1..).unwrap_or_default()),
            is_of_tests: false,
            is_in_auto: false,
            is_of_perl: has(b"/perl"),
            is_in_gems: false,
            is_of_ruby: false,
            is_of_php: has(b"/php"),
        };
        for name in directory.split(|b| *b == b'/') {
            match name {
                b"pkgconfig" | b"cmake" => place.is_of_builds = true,
                b"node_modules" => place.is_in_modules = true,
                site if python::is_site(site) => place.is_in_site = true,
                b"tests" | b"test" | b"idle_test" => place.is_of_tests = true,
                b"auto" => place.is_in_auto = true,
                b"gems" => place.is_in_gems = true,
                b"ruby" => place.is_of_ruby = true,
                _ => {}
            }
        }
        place
    }

    /// Whether it is a directory of Python's installed packages, or below one.
    pub const fn is_in_site(self) -> bool {
        self.is_in_site
    }

    /// Whether it is `/usr/share`, or below it.
    pub const fn is_in_usr_share(self) -> bool {
        self.is_in_usr_share
    }

    /// Whether it is `/var`, or below it.
    pub const fn is_in_var(self) -> bool {
        self.is_in_var
    }

    /// The kind of the file of this name in it.
    pub fn kind(self, name: &[u8]) -> FileKind {
        if let Some(kind) = self.by_directory {
            // Programs read these lists of names.
            let is_list =
                matches!(name, b"locale.alias" | b"languages" | b"all_languages" | b"currency");
            let is_read = kind == FileKind::Translation && is_list;
            return if is_read { FileKind::Other } else { kind };
        }
        let end = extension(name);
        let ends = |ends: &[&[u8]]| ends.contains(&end);
        if self.is_dpkg_info && ends(&TOOLING) {
            return FileKind::PackageTooling;
        }
        if self.is_of_builds || ends(&[b"a", b"la"]) {
            return FileKind::Development;
        }
        if ends(&[b"pod"]) {
            return FileKind::Documentation;
        }
        let is_source = self.is_in_modules || self.is_in_site;
        // Declarations of types, maps of sources, sources of what is compiled already.
        if ends(&[b"pyi"])
            || [&b".d.ts"[..], b".d.mts", b".d.cts"].iter().any(|end| name.ends_with(end))
            || self.is_in_modules && ends(&[b"map", b"gyp", b"gypi"])
            || self.is_in_usr_lib && ends(&[b"h", b"hpp"])
            || is_source && ends(&[b"h", b"hpp", b"hh", b"c", b"cc", b"cpp", b"pxd", b"pyx"])
        {
            return FileKind::Development;
        }
        if self.is_in_modules && ends(&[b"md", b"markdown"]) {
            return FileKind::Documentation;
        }
        if self.is_in_python_library && self.is_of_tests {
            return FileKind::Test;
        }
        FileKind::Other
    }

    /// The form of the file of this name in it; `is_executable` is what its mode says.
    pub fn form(self, name: &[u8], is_executable: bool) -> Form {
        let end = extension(name);
        let ends = |ends: &[&[u8]]| ends.contains(&end);
        let is_shared_object = end == b"so";
        let is_of_perl = self.is_in_auto && (self.is_of_perl || name.starts_with(b"perl"));
        if self.is_in_site
            || ends(&[b"py", b"pyc", b"pyw"])
            || memchr::memmem::find(name, b".cpython-").is_some()
        {
            Form::Python
        } else if self.is_in_modules || ends(&[b"js", b"mjs", b"cjs", b"node"]) {
            Form::JavaScript
        } else if ends(&[b"pm", b"al", b"ix", b"pl", b"pod"]) || is_shared_object && is_of_perl {
            Form::Perl
        } else if self.is_in_gems
            || ends(&[b"rb", b"gemspec", b"rake", b"ru"])
            || is_shared_object && self.is_of_ruby
        {
            Form::Ruby
        } else if ends(&[b"php", b"phar", b"phtml"])
            || is_shared_object && (self.is_of_php || name.starts_with(b"php"))
        {
            Form::Php
        } else if ends(&[b"jar", b"class", b"war", b"ear", b"jmod"]) {
            Form::Java
        } else if is_shared_object || memchr::memmem::find(name, b".so.").is_some() {
            Form::SharedObject
        } else if is_executable {
            Form::Program
        } else {
            Form::Data
        }
    }
}

/// What a file is by its name and mode alone, for files that nobody has looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A module of Python, its compiled forms and native ones included.
    Python,
    /// A module of JavaScript, or a native one of Node.
    JavaScript,
    /// A module of Perl, native ones included.
    Perl,
    /// A file of Ruby or of one of its gems.
    Ruby,
    /// A file or an extension of PHP.
    Php,
    /// Classes and archives of Java.
    Java,
    /// A shared object.
    SharedObject,
    /// A file that may be executed.
    Program,
    /// Anything else.
    Data,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::split;

    #[test]
    fn places_tell_kinds() {
        for (path, kind) in [
            ("/usr/share/doc/bash/README", FileKind::Documentation),
            ("/usr/share/locale/de/LC_MESSAGES/x.mo", FileKind::Translation),
            ("/usr/share/locale/locale.alias", FileKind::Other),
            ("/usr/lib/x86_64-linux-gnu/libc.a", FileKind::Development),
            ("/usr/lib/x86_64-linux-gnu/pkgconfig/z.pc", FileKind::Development),
            ("/usr/lib/python3.11/test/x.py", FileKind::Test),
            ("/app/tests/x.py", FileKind::Other),
            ("/app/node_modules/x/index.d.ts", FileKind::Development),
            ("/app/node_modules/x/README.md", FileKind::Documentation),
            ("/app/README.md", FileKind::Other),
            ("/usr/bin/ls", FileKind::Other),
        ] {
            let (directory, name) = split(path.as_bytes());
            assert_eq!(Place::of(directory).kind(name), kind, "{path}");
        }
    }

    #[test]
    fn names_tell_forms() {
        for (path, mode, form) in [
            ("/usr/lib/python3.11/os.py", false, Form::Python),
            ("/opt/v/lib/python3.11/site-packages/x.libs/libblas.so.1", false, Form::Python),
            ("/usr/lib/x86_64-linux-gnu/libz.so.1.2", false, Form::SharedObject),
            ("/app/build/a.node", false, Form::JavaScript),
            ("/usr/bin/ls", true, Form::Program),
            ("/usr/lib/x86_64-linux-gnu/perl-base/auto/POSIX/POSIX.so", false, Form::Perl),
            ("/usr/local/bundle/gems/puma-6/lib/puma.so", false, Form::Ruby),
            ("/usr/lib/php/20220829/intl.so", false, Form::Php),
            ("/app/x.jar", false, Form::Java),
            ("/usr/share/x/data", false, Form::Data),
        ] {
            let (directory, name) = split(path.as_bytes());
            assert_eq!(Place::of(directory).form(name, mode), form, "{path}");
        }
    }
}
